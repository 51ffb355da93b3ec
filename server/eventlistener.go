package server

import "reverb/scaling"

// DeliveredEvent is an event on its way to this node's subscribers.
type DeliveredEvent struct {
	scaling.Message
	Reached bool // the channel has a subscriber on this node, or had one a moment ago
}

// EventListener is told of every event that this node delivers, also of those for channels without subscribers. The
// publisher's goroutine calls it, often an event loop: it must not wait. It may keep the payload, and must not change it.
type EventListener func(DeliveredEvent)

// SetEventListener replaces the listener; nil: there is none. Without one an event costs one atomic load more.
func (i *Inspector) SetEventListener(l EventListener) {
	if l == nil {
		i.events.listener.Store(nil)
		return
	}
	i.events.listener.Store(&l)
}
