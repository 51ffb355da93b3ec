package cluster

import (
	"time"

	"reverb/protocol"
	"reverb/scaling"
)

// Join makes ready for one more subscription of this node; see scaling.Joiner.
func (r *Relay) Join(j scaling.Join, done func(error)) {
	name := r.names.events(j.App, j.Channel)
	create := func() *interest {
		return &interest{app: j.App, channel: j.Channel, name: name, kind: j.Kind, opened: r.interests.open}
	}
	enter := func(err error) {
		if err != nil {
			done(err)
			return
		}
		r.enter(name, j, done)
	}
	switch open, ok := r.interests.acquire(name, create, r.subscribe, enter); {
	case !ok:
		done(ErrClosed)
	case open:
		r.enter(name, j, done)
	}
}

// enter brings the member, if there is one, into the roster of an open channel.
func (r *Relay) enter(name string, j scaling.Join, done func(error)) {
	if !hasMember(j.Kind, j.Member) {
		done(nil)
		return
	}
	r.presence.join(j.App, j.Channel, j.Member, j.MaxMembers, func(err error) {
		if err != nil {
			r.interests.drop(name, time.Now())
		}
		done(err)
	})
}

// Leave gives back a Join. The channel is kept for a while: a page that is loaded again should find it.
func (r *Relay) Leave(l scaling.Leave) {
	if hasMember(l.Kind, l.Member) {
		r.presence.leave(l.App, l.Channel, l.Member, l.Grace)
	}
	r.interests.drop(r.names.events(l.App, l.Channel), time.Now())
}

// hasMember reports whether there is somebody for the roster: those without user id are in none.
func hasMember(k protocol.Kind, m *protocol.MemberData) bool {
	return k.IsPresence() && m != nil && m.UserID != ""
}

// subscribe asks Redis for the channel. It is called under the lock of the interests.
func (r *Relay) subscribe(c *interest) {
	r.bus.Subscribe(c.name, func(error) {
		// An error says that Redis is down: the bus subscribes when it is back, and until then this node is alone.
		r.lanes.run(c.name, func() { r.hold(c) })
	})
}

// hold puts the channel into the hub and fetches what the cluster knows of it. It runs on the channel's lane, after the subscription is
// confirmed: whatever is published from now on comes after what is fetched.
func (r *Relay) hold(c *interest) {
	r.handler.Hold(c.app, c.channel)
	c.held = true
	parts := int32(1)
	if c.kind.IsCache() {
		parts++
	}
	if c.kind.IsPresence() {
		parts++
	}
	c.opening.Store(parts)
	if c.kind.IsCache() {
		r.cached.fetch(c, false, func(found) { c.ready() })
	}
	if c.kind.IsPresence() {
		r.presence.open(c.app, c.channel, c.ready)
	}
	c.ready()
}

// release lets go of a channel that has been idle. It is called under the lock of the interests, so that a Join that comes next asks
// Redis after this.
func (r *Relay) release(c *interest) {
	r.bus.Unsubscribe(c.name)
	r.cached.vacate(c)
	r.lanes.run(c.name, func() {
		c.held = false
		if c.kind.IsPresence() {
			r.presence.close(c.app, c.channel)
		}
		r.handler.Release(c.app, c.channel)
	})
}
