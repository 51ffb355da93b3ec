package poller

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	minSweep = 10 * time.Millisecond
	maxSweep = 500 * time.Millisecond
)

// table lists the connections of one loop, or all streams, and counts for them. Those that have a deadline are
// conns[:timed], so that the sweep never looks at the idle ones.
type table struct {
	poller *Poller // constant
	loop   *loop   // constant; nil for streams

	// Guarded by mu.
	mu    sync.Mutex
	conns []*conn
	timed int

	// Atomic. Each loop has its own, so that cores do not fight for one cache line.
	bytesIn, bytesOut, framesIn atomic.Uint64
}

func (t *table) add(c *conn, timeout time.Duration) {
	deadline := t.poller.after(timeout)
	t.mu.Lock()
	defer t.mu.Unlock()
	c.slot = int32(len(t.conns))
	t.conns = append(t.conns, c)
	t.scheduleLocked(c, deadline)
}

func (t *table) remove(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settleLocked(c)
	last := len(t.conns) - 1
	t.swapLocked(c.slot, int32(last))
	t.conns[last] = nil
	t.conns = t.conns[:last]
	if cap(t.conns) > 1024 && last < cap(t.conns)/4 {
		t.conns = append(make([]*conn, 0, cap(t.conns)/2), t.conns...)
	}
}

// schedule lets c expire after timeout.
func (t *table) schedule(c *conn, timeout time.Duration) {
	deadline := t.poller.after(timeout)
	t.mu.Lock()
	t.scheduleLocked(c, deadline)
	t.mu.Unlock()
}

// settle takes the deadline of c away.
func (t *table) settle(c *conn) {
	t.mu.Lock()
	t.settleLocked(c)
	t.mu.Unlock()
}

func (t *table) scheduleLocked(c *conn, deadline int64) {
	c.deadline = deadline
	if int(c.slot) >= t.timed {
		t.swapLocked(c.slot, int32(t.timed))
		t.timed++
	}
}

func (t *table) settleLocked(c *conn) {
	if int(c.slot) < t.timed {
		t.timed--
		t.swapLocked(c.slot, int32(t.timed))
	}
}

func (t *table) swapLocked(i, j int32) {
	a, b := t.conns[i], t.conns[j]
	t.conns[i], t.conns[j] = b, a
	a.slot, b.slot = j, i
}

// expired appends the connections whose deadline has passed, and takes it away.
func (t *table) expired(dst []*conn, now int64) []*conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := t.timed - 1; i >= 0; i-- {
		if c := t.conns[i]; c.deadline <= now {
			dst = append(dst, c)
			t.settleLocked(c)
		}
	}
	return dst
}

// watched returns the connections that have a deadline, among them all that something waits for.
func (t *table) watched() []*conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]*conn(nil), t.conns[:t.timed]...)
}

// all returns the connections of this moment.
func (t *table) all() []*conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]*conn(nil), t.conns...)
}

// sweep ends what is over its time, until stopped. One goroutine serves all connections.
func (p *Poller) sweep() {
	period := min(p.cfg.HandshakeTimeout, p.cfg.TLSTimeout, p.cfg.CloseTimeout, p.cfg.OutboxTimeout) / 8
	tick := time.NewTicker(min(max(period, minSweep), maxSweep))
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.sweepOnce()
		}
	}
}

func (p *Poller) sweepOnce() {
	now := p.after(0)
	var late []*conn
	for _, t := range p.tables {
		late = t.expired(late[:0], now)
		for _, c := range late {
			c.expire()
		}
	}
}
