package cluster

import (
	"strconv"

	"reverb/scaling/bus"
)

// Remember keeps the last event of a cache channel for those who subscribe later, on any node, and publishes nothing: it is for a relay
// that publishes in its own way. The caller hands the event to this node after it.
func (r *Relay) Remember(app, channel string, event []byte) {
	name := r.names.events(app, channel)
	store := bus.Command{
		Name: "SET",
		Keys: []string{lastEventKey(name)},
		Args: []string{string(event), "PX", strconv.FormatInt(r.opts.CacheTTL.Milliseconds(), 10)},
	}
	c := r.interests.find(name)
	if c == nil {
		r.bus.Do(store, nil)
		return
	}
	// Under the lock: a fetch that was sent before this does not count any more, and one that is sent after it gets this event.
	c.last.mu.Lock()
	defer c.last.mu.Unlock()
	c.last.changes++
	r.bus.Do(store, nil)
}
