package channels

import (
	"reverb/outbound"
	"reverb/protocol"
)

// Event is one event for the subscribers of a channel.
type Event struct {
	Message outbound.Message
	Except  protocol.SocketID // the socket that does not get it; zero: none
	Cache   bool              // to be kept if this is a cache channel
	Client  bool              // a client's event: a channel that is only held does not keep it

	// Order, if not nil, has Pass called when the event gets its place in the channel's order. Pass runs with the
	// channel's lock held: it must be quick, must not wait or call the hub. It is not called with ErrBacklog, nor for a
	// channel that this node does not have.
	Order interface{ Pass() }
}

// Broadcast delivers e to all subscribers of the channel but the excepted one, in the same order for all of them. It
// reports whether the channel has a subscriber.
//
// It never waits for a socket: it walks a few subscribers itself when nothing waits, else the frame is queued for the
// workers. ErrBacklog when too much waits; nothing is delivered or cached then.
func (h *Hub) Broadcast(app, channel string, e Event) (bool, error) {
	c := h.registry.find(app, channel)
	if c == nil {
		return false, nil
	}
	c.mu.Lock()
	n := c.subs.len()
	if n == 0 {
		if e.Cache && c.held && !e.Client {
			c.storeLocked(e.Message, false)
		}
		e.passLocked()
		c.mu.Unlock()
		return false, nil
	}
	wait := c.busy || n > inlineMax
	if h.delivery.fullLocked(c) || e.Client && wait && h.delivery.clientsFull() {
		c.mu.Unlock()
		return true, ErrBacklog
	}
	if e.Cache {
		c.storeLocked(e.Message, e.Client)
	}
	e.passLocked()
	if wait {
		h.delivery.enqueueLocked(c, item{message: e.Message, except: e.Except, client: e.Client})
		c.mu.Unlock()
		return true, nil
	}
	c.busy = true
	var few [inlineMax]*Subscription
	subs := c.subs.lend(few[:0])
	c.mu.Unlock()

	t := h.delivery.walk(subs, e.Message, e.Except)

	c.mu.Lock()
	h.delivery.settleLocked(c) // frames that came meanwhile are not this caller's work
	c.mu.Unlock()
	h.delivery.report(c, t)
	return true, nil
}

// passLocked tells that the event has its place. The caller holds the channel's lock.
func (e *Event) passLocked() {
	if e.Order != nil {
		e.Order.Pass()
	}
}
