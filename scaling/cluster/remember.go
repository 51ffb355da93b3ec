package cluster

import (
	"strconv"

	"reverb/scaling/bus"
)

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
	r.bus.Do(r.remembering(name, event, c, client), nil)
	r.count(app, name, client, event)
}

// remembering is the command for it.
func (r *Relay) remembering(name string, event []byte, c *interest, client bool) bus.Command {
	if client {
		return r.cachedCommand(keepScript, name, string(event), milliseconds(r.opts.Vouch), r.occupant(c), "")
	}
	return bus.Command{
		Name: "SET",
		Keys: []string{lastEventKey(name)},
		Args: []string{string(event), "PX", strconv.FormatInt(r.opts.CacheTTL.Milliseconds(), 10)},
	}
}
