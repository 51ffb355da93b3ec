package channels

import "context"

// waitingBytes bounds the frames of all publishers that wait for room, in bytes; beyond it a publisher does not wait.
const waitingBytes = 64 << 20

// waiter stands in a channel's line for room.
type waiter struct {
	size     int64
	admitted chan struct{} // closed when there is room for it
}

// Room reports whether the channel has room for one more frame. Half of Options.PendingBytes is for publishers that
// ask; the other half is for those that do not, and for frames that were asked for at the same moment.
func (h *Hub) Room(app, channel string) bool {
	c := h.crowdedChannel(app, channel)
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !h.delivery.crowdedLocked(c)
}

// WaitForRoom waits until the channel has room for a frame of about size bytes, first come, first served, and reports
// whether it has. False means that ctx has ended, or that so many wait that more must not.
func (h *Hub) WaitForRoom(ctx context.Context, app, channel string, size int) bool {
	c := h.crowdedChannel(app, channel)
	if c == nil {
		return true
	}
	w := &waiter{size: int64(size) + itemCost, admitted: make(chan struct{})}
	if h.delivery.waiting.Add(w.size) > waitingBytes {
		h.delivery.waiting.Add(-w.size)
		return false
	}
	defer h.delivery.waiting.Add(-w.size)
	c.mu.Lock()
	if !h.delivery.crowdedLocked(c) {
		c.mu.Unlock()
		return true
	}
	c.queue.line = append(c.queue.line, w)
	c.mu.Unlock()
	select {
	case <-w.admitted:
		return true
	case <-ctx.Done():
		return !c.leaveLine(w)
	}
}

// crowdedChannel returns the channel if it may be one that has no room: nearly always none is.
func (h *Hub) crowdedChannel(app, channel string) *Channel {
	if h.delivery.crowded.Load() == 0 {
		return nil
	}
	return h.registry.find(app, channel)
}

// crowdedLocked reports whether there is no room, or others wait for it. The caller holds c.mu.
func (d *delivery) crowdedLocked(c *Channel) bool {
	return c.queue != nil && (c.queue.bytes >= d.roomBytes() || len(c.queue.line) > 0)
}

func (d *delivery) roomBytes() int64 { return d.pendingBytes / 2 }

// leaveLine reports whether w was in the line.
func (c *Channel) leaveLine(w *waiter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue == nil {
		return false
	}
	for i, other := range c.queue.line {
		if other == w {
			c.queue.line = append(c.queue.line[:i], c.queue.line[i+1:]...)
			return true
		}
	}
	return false
}

// charge counts n bytes more, or less, in the queue and lets waiters in when there is room. The caller holds
// channel.mu.
func (q *queue) charge(d *delivery, n int64) {
	was := q.bytes >= d.roomBytes()
	q.bytes += n
	d.pending.Add(n)
	if is := q.bytes >= d.roomBytes(); is != was {
		if is {
			d.crowded.Add(1)
		} else {
			d.crowded.Add(-1)
		}
	}
	room := d.roomBytes() - q.bytes
	for n < 0 && len(q.line) > 0 && room > 0 {
		room -= q.line[0].size
		q.admit()
	}
}

// admit lets the first of the line in. The caller holds channel.mu.
func (q *queue) admit() {
	close(q.line[0].admitted)
	q.line[0] = nil
	if q.line = q.line[1:]; len(q.line) == 0 {
		q.line = nil
	}
}
