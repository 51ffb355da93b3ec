package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// defaultRequestTimeout is the default of Publisher.Timeout.
const defaultRequestTimeout = 30 * time.Second

// Publisher is a caller of the HTTP API: signed requests over a fixed number of connections. Its methods may be called by any
// goroutine; a call waits for a connection that no other call uses.
//
// It is written for the processor time of one request, because that is taken from the server under test more often than not: one
// write, one read, no garbage.
type Publisher struct {
	Timeout time.Duration // of one request with its connect; default 30 s; not to be changed after the first call

	// Constant after construction.
	target    Target
	addr      netip.AddrPort
	broken    error // why addr is not known
	signer    *signer
	keepAlive bool
	dialer    net.Dialer
	sources   []netip.Addr
	tls       *tls.Config // nil for plain TCP
	ctx       context.Context
	cancel    context.CancelFunc

	idle   chan *wire // those that no call uses
	source atomic.Uint64
	resent atomic.Int64

	mu    sync.Mutex // guards the rest
	open  map[net.Conn]struct{}
	ended bool
}

// NewPublisher makes a publisher with so many connections, which are made when they are needed. Without keepAlive each request has
// a connection of its own. A target that cannot be looked up is the error of the calls.
func NewPublisher(t Target, connections int, keepAlive bool) *Publisher {
	p := &Publisher{
		Timeout:   defaultRequestTimeout,
		target:    t,
		signer:    newSigner(t),
		keepAlive: keepAlive,
		dialer:    net.Dialer{Control: lateBind, KeepAlive: -1},
		idle:      make(chan *wire, max(connections, 1)),
		open:      map[net.Conn]struct{}{},
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if t.TLS {
		p.tls = clientTLS(t)
	}
	if p.addr, p.broken = t.resolve(); p.broken == nil {
		p.sources = defaultSources(p.addr.Addr())
	}
	for range cap(p.idle) {
		p.idle <- newWire(p)
	}
	return p
}

// Publish posts body to /events and returns the status of the answer. body is the caller's again when it returns.
func (p *Publisher) Publish(body []byte) (status int, err error) {
	status, _, err = p.call(request{method: "POST", path: "/events", body: body})
	return status, err
}

// PublishBatch posts body to /batch_events.
func (p *Publisher) PublishBatch(body []byte) (status int, err error) {
	status, _, err = p.call(request{method: "POST", path: "/batch_events", body: body})
	return status, err
}

// Get asks for path, "/channels" for one, with a query whose names are sorted and whose values are escaped.
func (p *Publisher) Get(path, query string) (status int, body []byte, err error) {
	return p.call(request{method: "GET", path: path, query: query, keep: true})
}

// Resent is how many requests were sent twice, because the server closed a kept connection without an answer. Nearly always it had
// not read them; when an event comes twice, this tells whether that may be the reason.
func (p *Publisher) Resent() int64 { return p.resent.Load() }

// Close ends all connections; calls under way and later ones fail with ErrClosed.
func (p *Publisher) Close() {
	p.cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	for conn := range p.open {
		_ = conn.Close()
	}
}

func (p *Publisher) call(r request) (int, []byte, error) {
	if p.broken != nil {
		return 0, nil, p.broken
	}
	select {
	case w := <-p.idle:
		status, body, err := w.exchange(r)
		p.idle <- w
		if err != nil && p.ctx.Err() != nil {
			err = ErrClosed
		}
		return status, body, err
	case <-p.ctx.Done():
		return 0, nil, ErrClosed
	}
}

// dial makes a connection that Close knows of.
func (p *Publisher) dial() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.Timeout)
	defer cancel()
	d := p.dialer
	if n := uint64(len(p.sources)); n > 0 {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.sources[p.source.Add(1)%n], 0))
	}
	tcp, err := d.DialContext(ctx, "tcp", p.addr.String())
	if err != nil {
		return nil, explain(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		_ = tcp.Close()
		return nil, ErrClosed
	}
	p.open[tcp] = struct{}{}
	return tcp, nil
}

// hangUp ends a connection of dial.
func (p *Publisher) hangUp(tcp net.Conn) {
	_ = tcp.Close()
	p.mu.Lock()
	delete(p.open, tcp)
	p.mu.Unlock()
}
