package cluster

import (
	"reverb/outbound"
	"reverb/scaling/bus"
)

// A client's event is kept in a cache channel only while somebody is in it, on whatever node. For such a channel Redis has the nodes that
// vouch for it: see scripts/cached.lua. No other channel costs a command more.

// clientMark begins the value of a client's event in Redis; that of an event of the HTTP API is its JSON.
const clientMark = "\x01"

// keepClient has a client's event kept if somebody is in the channel; c is nil when this node does not follow it.
func (e *cachedEvents) keepClient(events string, payload []byte, c *interest) *bus.Keep {
	return &bus.Keep{
		Key: lastEventKey(events), Value: payload, TTL: e.opts.Vouch, Script: keepScript, Beside: occupantsKey(events),
		Args: []string{e.occupant(c), ""},
	}
}

// occupant is this node if it has somebody in the channel, else empty. A caller that says so to Redis must have it ended: see vacate.
func (e *cachedEvents) occupant(c *interest) string {
	if c == nil || !c.occupied.Load() {
		return ""
	}
	c.vouched.Store(true)
	return e.self()
}

// vouch tells Redis that this node has somebody in a channel with a client's event, which is given back if Redis has lost it.
func (e *cachedEvents) vouch(c *interest) {
	e.bus.Do(e.cachedCommand(vouchScript, c.name, e.self(), milliseconds(e.opts.Vouch)), func(reply bus.Reply) {
		if n, err := reply.Int(); err == nil && n == 0 {
			e.lanes.run(c.name, func() { e.restore(c) })
		}
	})
}

// vouchAgain does so for all channels that Redis was told of, before their time is over.
func (e *cachedEvents) vouchAgain() {
	e.interests.each(func(c *interest) bool { return c.vouched.Load() && c.occupied.Load() }, e.vouch)
}

// vacate is the end of that. It may be called under the lock of the interests, so that a Join that comes next asks Redis after this.
func (e *cachedEvents) vacate(c *interest) {
	if !c.vouched.Swap(false) {
		return
	}
	e.bus.Do(e.cachedCommand(vacateScript, c.name, e.self()), nil)
	e.kept.remove(owner{c.app, true}, c.name)
	e.lanes.run(c.name, func() {
		if c.held && !c.occupied.Load() {
			c.last.clear(func() { e.handler.Cached(c.app, c.channel, outbound.Message{}, false) })
		}
	})
}

// resume opens a channel again that nobody was in for a while. A client's event is kept if somebody is in the channel on another node: only
// Redis knows. It is called under the lock of the interests and reports whether there is anything to wait for.
func (e *cachedEvents) resume(c *interest) bool {
	if !c.last.client.Load() {
		return false
	}
	c.opening.Store(1)
	e.lanes.run(c.name, func() {
		c.last.clear(func() { e.handler.Cached(c.app, c.channel, outbound.Message{}, false) })
		e.fetch(c, false, func(found) { c.ready() })
	})
	return true
}
