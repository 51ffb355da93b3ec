package server

import "reverb/scaling"

// Seen is an event on its way to this node's subscribers.
type Seen struct {
	scaling.Message
	Reached bool // the channel has a subscriber on this node, or had one a moment ago
}

// Watch is told of every event that this node delivers, also of those for channels without subscribers. The publisher's
// goroutine calls it, often an event loop: it must not wait. It may keep the payload, and must not change it.
type Watch func(Seen)

// SetWatch sets the viewer of events; nil: there is none. Without one an event costs one atomic load more.
func (i *Inspector) SetWatch(w Watch) {
	if w == nil {
		i.events.watch.Store(nil)
		return
	}
	i.events.watch.Store(&w)
}
