package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// watch asks the sentinels, on connections that it keeps.
type watch struct {
	// Constant after construction.
	master string
	dialer dialer
	addrs  []string

	mu sync.Mutex
	// Guarded by mu.
	links map[string]*link
}

// sentinelTimeout is how long a sentinel may take: the others are asked at the same time, but all are waited for.
const sentinelTimeout = time.Second

func newWatch(o Options) *watch {
	s := o.Sentinel
	return &watch{
		master: s.Master, addrs: s.Addrs, links: map[string]*link{},
		dialer: dialer{
			username: s.Username, password: s.Password, tls: s.TLS,
			connect: sentinelTimeout, reply: sentinelTimeout,
		},
	}
}

// sighting is what one sentinel says of the master.
type sighting struct {
	addr  string
	epoch int64
	err   error
}

// ask finds the master: what the sentinel with the latest configuration says, so that one that was cut off from the others does not win.
func (w *watch) ask(ctx context.Context) ([]master, error) {
	all := make([]sighting, len(w.addrs))
	var asking sync.WaitGroup
	for i, addr := range w.addrs {
		asking.Go(func() { all[i] = w.askOne(ctx, addr) })
	}
	asking.Wait()
	var failures []error
	best := sighting{epoch: -1}
	for i, s := range all {
		if s.err != nil {
			failures = append(failures, fmt.Errorf("ask sentinel %s: %w", w.addrs[i], s.err))
		} else if s.epoch > best.epoch {
			best = s
		}
	}
	if best.addr == "" {
		return nil, errors.Join(failures...)
	}
	return []master{{addr: best.addr}}, nil
}

func (w *watch) askOne(ctx context.Context, addr string) sighting {
	ctx, cancel := context.WithTimeout(ctx, 2*sentinelTimeout)
	defer cancel()
	l, err := w.link(ctx, addr)
	if err != nil {
		return sighting{err: err}
	}
	fields, err := l.client.Do(ctx, l.client.B().Arbitrary("SENTINEL", "MASTER", w.master).Build()).AsStrMap()
	if err != nil {
		if _, refused := rueidis.IsRedisErr(err); !refused {
			w.drop(addr, l)
		}
		return sighting{err: err}
	}
	epoch, err := strconv.ParseInt(fields["config-epoch"], 10, 64)
	if err != nil || fields["ip"] == "" || fields["port"] == "" {
		return sighting{err: errors.New("unknown form of SENTINEL MASTER")}
	}
	return sighting{addr: net.JoinHostPort(fields["ip"], fields["port"]), epoch: epoch}
}

func (w *watch) link(ctx context.Context, addr string) (*link, error) {
	w.mu.Lock()
	l := w.links[addr]
	w.mu.Unlock()
	if l != nil && l.reason() == nil {
		return l, nil
	}
	if l != nil {
		w.drop(addr, l)
	}
	l, err := openLink(ctx, addr, w.dialer, rueidis.PubSubHooks{})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.links[addr] = l
	w.mu.Unlock()
	return l, nil
}

func (w *watch) drop(addr string, l *link) {
	w.mu.Lock()
	delete(w.links, addr)
	w.mu.Unlock()
	l.close()
}

func (w *watch) close() {
	for addr, l := range w.links {
		w.drop(addr, l)
	}
}
