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
	maxLag   = 1 << 20         // bytes that may wait for a client that keeps up, or a sixteenth of OutboxBytes if that is less
	restTime = time.Second     // in which a client that reads takes something
	lateTime = 2 * time.Second // that no byte waits for a client that reads
)

// Pace reports whether much waits for the client, and if so, whether the client reads all the same. Like Waiting it is not of every Conn.
func (c *conn) Pace() (behind, reads bool) {
	p := c.table.poller
	lag := min(maxLag, p.cfg.OutboxBytes/16)
	if p.holdings.bytes.Load() <= lag {
		return false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.outbox
	if o == nil || o.bytes <= lag {
		return false, false
	}
	now := p.now()
	return true, now.since(o.moved) < restTime && o.age(now) < lateTime
}
