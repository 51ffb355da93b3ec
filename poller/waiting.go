package poller

import "time"

// Waiting is how many bytes wait for the socket, each frame counted with its place in the queue. It is for people who look at one
// connection: the handler may ask its Conn whether it has this method.
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
	newTime  = 50 * time.Millisecond // in which one cannot tell yet how fast a client reads
)

// Pace reports whether much waits for the client, and if so, whether the client reads all the same; and whether it is pressed: half of what
// may wait does, and yet the client takes it so fast that it would be through in lateTime. Like Waiting it is not of every Conn.
func (c *conn) Pace() (behind, reads, pressed bool) {
	p := c.table.poller
	lag := min(maxLag, p.cfg.OutboxBytes/16)
	if p.holdings.bytes.Load() <= lag {
		return false, false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.outbox
	if o == nil || o.bytes <= lag {
		return false, false, false
	}
	now := p.now()
	reads = now.since(o.moved) < restTime && o.age(now) < lateTime
	return true, reads, o.bytes > p.cfg.OutboxBytes/2 && o.passing(now)
}

// passing reports whether the socket takes so much that what waits would be gone in lateTime.
func (o *outbox) passing(now stamp) bool {
	elapsed := now.since(o.rate.since)
	taken := o.rate.taken
	if o.rate.former > 0 {
		elapsed, taken = elapsed+rateWindow, taken+o.rate.former
	}
	return elapsed < newTime || float64(o.bytes)*float64(elapsed) < float64(taken)*float64(lateTime)
}
