package cluster

// Remember keeps the last event of a cache channel for those who subscribe later, on any node, and publishes nothing: it is for a relay
// that publishes in its own way. The caller hands the event to this node after it. A client's event is kept by nodes that have somebody in
// the channel.
func (r *Relay) Remember(app, channel string, event []byte, client bool) {
	name := r.names.events(app, channel)
	c := r.interests.find(name)
	if client && (c == nil || !c.occupied.Load()) {
		return
	}
	if c != nil {
		// Under the lock: a fetch that was sent before this does not count any more, and one that is sent after it gets this event.
		c.last.mu.Lock()
		defer c.last.mu.Unlock()
		c.last.changes++
		c.last.client.Store(client)
	}
	store := r.cached.storeCommand(name, event)
	if client {
		store = r.cached.keepCommand(name, event, r.cached.occupant(c), "")
	}
	r.bus.Do(store, nil)
	r.cached.count(app, name, client, event)
}
