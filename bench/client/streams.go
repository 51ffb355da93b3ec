package client

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// streams is the driver with a goroutine per client: for TLS, and for systems without epoll.
type streams struct {
	// Constant after construction.
	fleet  *Fleet
	dialer net.Dialer
	tls    *tls.Config   // nil for plain TCP
	slots  chan struct{} // one for each client that is connecting
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex
	ended bool
	all   map[*stream]struct{}

	done sync.WaitGroup
}

func newStreams(f *Fleet) *streams {
	s := &streams{
		fleet:  f,
		dialer: net.Dialer{Control: lateBind},
		slots:  make(chan struct{}, f.o.Connecting),
		all:    map[*stream]struct{}{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if f.o.Target.TLS {
		s.tls = clientTLS(f.o.Target)
	}
	return s
}

// clientTLS accepts any certificate: a bench is run against machines with certificates of their own making.
func clientTLS(t Target) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, ServerName: t.host(), NextProtos: []string{"http/1.1"}}
}

func (s *streams) dial(h Handler) *Client {
	c := &stream{Client: Client{fleet: s.fleet, handler: h}, owner: s}
	c.via = c
	c.changed = sync.NewCond(&c.mu)
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		c.state.Store(stateGone)
		h.Closed(&c.Client, ErrClosed)
		return &c.Client
	}
	s.all[c] = struct{}{}
	s.fleet.count.connecting.Add(1)
	s.done.Add(1)
	s.mu.Unlock()
	go c.run()
	return &c.Client
}

func (s *streams) close() {
	s.mu.Lock()
	s.ended = true
	s.cancel()
	for c := range s.all {
		c.kill()
	}
	s.mu.Unlock()
	s.done.Wait()
}

func (s *streams) forget(c *stream) {
	s.mu.Lock()
	delete(s.all, c)
	s.mu.Unlock()
}
