package poller

import (
	"time"

	"reverb/transport"
)

// Waiting implements transport.Conn.
func (c *conn) Waiting() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outbox == nil {
		return 0
	}
	return c.outbox.bytes
}

// Bounds of a client that is behind.
const (
	maxLag   = 1 << 20               // bytes that may wait for a client that keeps up, or a sixteenth of OutboxBytes if that is less
	restTime = time.Second           // in which a client that reads takes something
	lateTime = 2 * time.Second       // that no byte waits for a client that reads
	passTime = 4 * time.Second       // in which a client that is pressed would have taken all: one of 200 that share two cores under TLS needs two
	newTime  = 50 * time.Millisecond // in which one cannot tell yet how fast a client reads
)

// Pace implements transport.Conn. Answers do not count: publishers must not wait for a client that asks for much. A
// client is pressed when half of the bytes that may wait do, and it takes them so fast that it would be through in
// passTime.
func (c *conn) Pace() transport.Pace {
	p := c.table.poller
	lag := min(maxLag, p.outboxBytes.Load()/16)
	if p.holdings.bytes.Load() <= lag {
		return transport.KeepsUp
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.outbox
	if o == nil || o.events() <= lag {
		return transport.KeepsUp
	}
	now := p.now()
	switch {
	case o.events() > p.outboxBytes.Load()/2 && o.passing(now):
		return transport.Pressed
	case now.since(o.moved) < restTime && o.age(now) < lateTime:
		return transport.Behind
	default:
		return transport.Stalled
	}
}

// passing reports whether the socket takes so much that what waits would be gone in passTime.
func (o *outbox) passing(now stamp) bool {
	elapsed := now.since(o.rate.since)
	taken := o.rate.taken
	if o.rate.former > 0 {
		elapsed, taken = elapsed+rateWindow, taken+o.rate.former
	}
	return elapsed < newTime || float64(o.bytes)*float64(elapsed) < float64(taken)*float64(passTime)
}
