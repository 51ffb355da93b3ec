package cluster

import (
	"bytes"
	"log/slog"
	"time"

	"reverb/scaling"
)

// receive takes one message of a channel, on the channel's lane.
func (r *Relay) receive(name string, payload []byte) {
	c := r.interests.find(name)
	if c == nil || !c.held {
		r.counters.unwant() // on its way while the channel was released, or before it was held
		return
	}
	if delta, ok := bytes.CutPrefix(payload, []byte(deltaHeader)); ok {
		if c.kind.IsPresence() {
			r.presence.delta(name, delta)
		}
		return
	}
	e, ok := decodeEvent(payload)
	switch {
	case !ok:
		r.counters.malform()
	case e.node == r.node.process:
		r.echo(c, &e)
	default:
		r.deliver(c, &e)
	}
}

// deliver brings an event of another node to this node's subscribers, once.
func (r *Relay) deliver(c *interest, e *event) {
	fresh, lost := c.gaps.check(e, r.sequencer.now())
	if lost > 0 {
		r.counters.lose(lost)
	}
	if !fresh {
		r.counters.duplicate()
		return
	}
	r.counters.receive()
	m := scaling.Message{App: c.app, Channel: c.channel, Payload: e.payload, Except: e.except, Cache: e.cache, Client: e.client}
	if e.cache && c.kind.IsCache() {
		c.last.mu.Lock()
		defer c.last.mu.Unlock()
		m.Cache = c.last.takesLocked(time.Now(), e.client)
		if e.client && c.occupied.Load() && !c.vouched.Swap(true) {
			r.cached.vouch(c)
		}
	}
	if err := r.handler.Deliver(m); err != nil {
		r.opts.Dropped(droppedBacklog, 1)
		r.trouble.Log(slog.LevelWarn, "", "deliver a message of another node",
			slog.String("app", c.app), slog.String("channel", c.channel), slog.Any("err", err))
	}
}

// echo takes an own event that came back. This node's subscribers have had it.
func (r *Relay) echo(c *interest, e *event) {
	r.counters.own.Add(1)
	if e.cache && c.kind.IsCache() {
		c.last.echo(e.seq, e.client, func() { r.handler.Cached(c.app, c.channel, e.payload, e.client) })
	}
}

// overflow notes that a message of the channel found its lane full. Subscribers who miss it are counted by the gap that the next one shows.
func (r *Relay) overflow(name string) {
	r.opts.Dropped(droppedQueue, 1)
	r.trouble.Log(slog.LevelWarn, "", "messages of other nodes come faster than they can be taken", slog.String("name", name))
	r.refreshLater(name)
}

// refreshLater fetches again what messages that were lost would have changed. It may be called for each of them.
func (r *Relay) refreshLater(name string) {
	c := r.interests.find(name)
	if c == nil || !c.kind.IsPresence() && !c.kind.IsCache() || !c.stale.CompareAndSwap(false, true) {
		return
	}
	r.lanes.run(name, func() {
		c.stale.Store(false)
		if !c.held {
			return
		}
		if c.kind.IsPresence() {
			r.presence.lost(name)
		}
		if c.kind.IsCache() {
			r.cached.refetch(c)
		}
	})
}
