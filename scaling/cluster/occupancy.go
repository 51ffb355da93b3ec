package cluster

import (
	"strconv"
	"time"

	"reverb/outbound"
	"reverb/scaling/bus"
)

// A client's event is kept in a cache channel only while somebody is in it, on whatever node. For such a channel Redis has the nodes that
// vouch for it: see scripts/cached.lua. No other channel costs a command more.

// clientMark begins the value of a client's event in Redis; that of an event of the HTTP API is its JSON.
const clientMark = "\x01"

// cachedCommand runs one of the scripts about the last event of a channel.
func (r *Relay) cachedCommand(s *bus.Script, events string, args ...string) bus.Command {
	return bus.Command{Script: s, Keys: []string{lastEventKey(events), occupantsKey(events)}, Args: args}
}

// keepCommand stores a client's event for an occupant; ifNone "1": unless there is an event already.
func (r *Relay) keepCommand(events string, event []byte, occupant, ifNone string) bus.Command {
	return r.cachedCommand(keepScript, events, string(event), milliseconds(r.opts.Vouch), occupant, ifNone)
}

// storeCommand stores an event of the HTTP API. flags are those of SET.
func (r *Relay) storeCommand(events string, event []byte, flags ...string) bus.Command {
	args := append([]string{string(event), "PX", milliseconds(r.opts.CacheTTL)}, flags...)
	return bus.Command{Name: "SET", Keys: []string{lastEventKey(events)}, Args: args}
}

// self is this node in the list of occupants.
func (r *Relay) self() string { return r.node.process.String() }

// keepClient has a client's event kept if somebody is in the channel; c is nil when this node does not follow it.
func (r *Relay) keepClient(events string, payload []byte, c *interest) *bus.Keep {
	return &bus.Keep{
		Key: lastEventKey(events), Value: payload, TTL: r.opts.Vouch, Script: keepScript, Beside: occupantsKey(events),
		Args: []string{r.occupant(c), ""},
	}
}

// occupant is this node if it has somebody in the channel, else empty. A caller that says so to Redis must have it ended: see vacate.
func (r *Relay) occupant(c *interest) string {
	if c == nil || !c.occupied.Load() {
		return ""
	}
	c.vouched.Store(true)
	return r.self()
}

// vouch tells Redis that this node has somebody in a channel with a client's event, which is given back if Redis has lost it.
func (r *Relay) vouch(c *interest) {
	r.bus.Do(r.cachedCommand(vouchScript, c.name, r.self(), milliseconds(r.opts.Vouch)), func(reply bus.Reply) {
		if n, err := reply.Int(); err == nil && n == 0 {
			r.lanes.run(c.name, func() { r.restore(c) })
		}
	})
}

// vouchAgain does so for all channels that Redis was told of, before their time is over.
func (r *Relay) vouchAgain() {
	r.interests.each(func(c *interest) bool { return c.vouched.Load() && c.occupied.Load() }, r.vouch)
}

// vacate is the end of that. It may be called under the lock of the interests, so that a Join that comes next asks Redis after this.
func (r *Relay) vacate(c *interest) {
	if !c.vouched.Swap(false) {
		return
	}
	r.bus.Do(r.cachedCommand(vacateScript, c.name, r.self()), nil)
	r.kept.remove(owner{c.app, true}, c.name)
	r.lanes.run(c.name, func() {
		if c.held && !c.occupied.Load() {
			c.last.clear(func() { r.handler.Cached(c.app, c.channel, outbound.Message{}, false) })
		}
	})
}

// resume opens a channel again that nobody was in for a while. A client's event is kept if somebody is in the channel on another node: only
// Redis knows. It is called under the lock of the interests and reports whether there is anything to wait for.
func (r *Relay) resume(c *interest) bool {
	if !c.last.client.Load() {
		return false
	}
	c.opening.Store(1)
	r.lanes.run(c.name, func() {
		c.last.clear(func() { r.handler.Cached(c.app, c.channel, outbound.Message{}, false) })
		r.fetch(c, false, func(found) { c.ready() })
	})
	return true
}

// count bounds what Redis keeps for an app: the oldest events make room.
func (r *Relay) count(app, events string, client bool, payload []byte) {
	size := len(payload)
	if client {
		size += len(clientMark)
	}
	gone := r.kept.add(owner{app, client}, keptEvent{events, size, time.Now().Add(r.opts.CacheTTL)}, r.opts.CacheLimit(app, client))
	for _, e := range gone {
		r.opts.Evicted(app, client)
		r.bus.Do(r.cachedCommand(evictScript, e.name, strconv.Itoa(e.size)), nil)
	}
}
