package client

import (
	"sync"
	"sync/atomic"
)

// loops is the driver for plain sockets.
type loops struct {
	fleet *Fleet
	all   []*loop
	next  atomic.Uint64 // of all, in turn
	done  sync.WaitGroup
}

func newLoops(f *Fleet) (*loops, error) {
	d := &loops{fleet: f}
	limit := max(f.o.Connecting/f.o.Loops, 1)
	for range f.o.Loops {
		l, err := newLoop(f, limit)
		if err != nil {
			d.close()
			return nil, err
		}
		d.all = append(d.all, l)
		d.done.Go(l.run)
	}
	return d, nil
}

func (d *loops) dial(h Handler) *Client {
	l := d.all[d.next.Add(1)%uint64(len(d.all))]
	s := &socket{Client: Client{fleet: d.fleet, handler: h}, loop: l, fd: -1, slot: noSlot, orders: orderDial}
	s.via = s
	d.fleet.count.connecting.Add(1)
	if !l.post(s) {
		d.fleet.count.connecting.Add(-1)
		s.state.Store(stateGone)
		h.Closed(&s.Client, ErrClosed)
	}
	return &s.Client
}

func (d *loops) close() {
	for _, l := range d.all {
		l.end()
	}
	d.done.Wait()
}
