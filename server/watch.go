package server

import "reverb/scaling"

// Seen is an event on its way to this node's subscribers.
type Seen struct {
	scaling.Message
	Reached bool // somebody on this node is subscribed to the channel, or was a moment ago
}

// Watch is told of every event that this node delivers, also of those that nobody is subscribed to. It is called by whoever
// publishes, often on an event loop: it must not wait. It may keep the payload, and must not change it.
type Watch func(Seen)

// SetWatch says who watches; nil: nobody. While nobody does, an event costs one atomic load more.
func (i *Inspector) SetWatch(w Watch) {
	if w == nil {
		i.events.watch.Store(nil)
		return
	}
	i.events.watch.Store(&w)
}
