package channels

import (
	"reverb/outbound"
	"reverb/protocol"
)

// This file has the methods by which a relay tells the hub of a node among others (Options.Replicated): rosters are
// those of the cluster, copied here, and a channel is kept while the node follows it, with or without subscribers of
// its own.

// Hold makes the channel if there is none and keeps it, with its roster and its cached event, until Release. Of o only
// Kind and StringIDs count.
func (h *Hub) Hold(app, channel string, o JoinOptions) {
	c := h.registry.openLocked(app, channel, o.Kind)
	c.held = true
	c.openRosterLocked(o.StringIDs)
	c.mu.Unlock()
}

// Release ends Hold: the channel vanishes with its last subscriber, now if there is none.
func (h *Hub) Release(app, channel string) {
	c := h.registry.find(app, channel)
	if c == nil {
		return
	}
	c.mu.Lock()
	vacated := c.held && c.subs.len() == 0
	c.held = false
	if vacated {
		h.vacateLocked(c)
	}
	c.mu.Unlock()
	if vacated {
		c.home.remove(c)
	}
}

// AddMember brings a user with an id into the roster of a presence channel and announces it to the subscribers of this
// node. The data of a user that is in it is replaced silently. Nothing happens when there is no such channel.
func (h *Hub) AddMember(app, channel string, d *protocol.MemberData) {
	if userID(d) == "" {
		return
	}
	h.changeRoster(app, channel, func(c *Channel, t *tally) {
		if m := c.roster.find(d.UserID); m != nil {
			c.roster.replace(m, d)
			return
		}
		c.roster.join(d)
		h.delivery.announceLocked(c, c.roster.added(c.name, d), protocol.SocketID{}, t)
	})
}

// RemoveMember takes a user out of the roster of a presence channel and announces it to the subscribers of this node,
// if it was there.
func (h *Hub) RemoveMember(app, channel, user string) {
	h.changeRoster(app, channel, func(c *Channel, t *tally) {
		m := c.roster.find(user)
		if m == nil {
			return
		}
		if c.roster.leave(m.data) {
			h.delivery.announceLocked(c, c.roster.removed(c.name, m.data), protocol.SocketID{}, t)
		}
	})
}

// changeRoster calls change with the channel's lock held, if the channel is there and has a roster.
func (h *Hub) changeRoster(app, channel string, change func(*Channel, *tally)) {
	c := h.registry.find(app, channel)
	if c == nil {
		return
	}
	var t tally
	c.mu.Lock()
	if c.roster != nil {
		change(c, &t)
	}
	c.mu.Unlock()
	h.delivery.report(c, t)
}

// SetCache replaces the cached event of a cache channel that is held or has subscribers; the zero message: it has none.
// client says that it is a client's.
func (h *Hub) SetCache(app, channel string, event outbound.Message, client bool) {
	c := h.registry.find(app, channel)
	if c == nil {
		return
	}
	c.mu.Lock()
	switch {
	case c.gone:
	case event.IsZero():
		c.forgetCachedLocked()
	default:
		c.storeLocked(event, client)
	}
	c.mu.Unlock()
}

// Roster returns the users of a presence channel in the order they came, those with an id, also when the channel has no
// subscriber. Nothing of them is to be changed.
func (h *Hub) Roster(app, channel string) []*protocol.MemberData {
	c := h.registry.find(app, channel)
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.roster == nil {
		return nil
	}
	members := make([]*protocol.MemberData, len(c.roster.order))
	for i, m := range c.roster.order {
		members[i] = m.data
	}
	return members
}

// enterReplicatedLocked is the subscription of a presence channel whose roster is a copy: its members were decided
// before and told by AddMember, but for the anonymous ones, which are counted and announced here. The caller holds
// c.mu.
func (h *Hub) enterReplicatedLocked(c *Channel, o JoinOptions, t *tally) error {
	if userID(o.Data) != "" {
		return nil
	}
	if !c.roster.admitsAnonymous(o.MaxMembers) {
		return ErrMembers
	}
	if h.delivery.fullLocked(c) {
		return ErrBacklog
	}
	c.roster.anonymous++
	h.delivery.announceLocked(c, c.roster.added(c.name, o.Data), protocol.SocketID{}, t)
	return nil
}

// renewReplicatedLocked is a second subscribe of s, which has its new data already. The caller holds c.mu.
func (h *Hub) renewReplicatedLocked(c *Channel, s *Subscription, former *protocol.MemberData, t *tally) {
	c.roster.exitReplicated(former)
	if userID(s.data) == "" {
		c.roster.anonymous++
		h.delivery.announceLocked(c, c.roster.added(c.name, s.data), s.id, t)
	}
}

// exitReplicated is the end of a subscription, which only counts of the anonymous.
func (r *roster) exitReplicated(d *protocol.MemberData) {
	if userID(d) == "" {
		r.anonymous--
	}
}

// admitsAnonymous reports whether subscriptions without user id may be among at most limit users (0: any number).
func (r *roster) admitsAnonymous(limit int) bool {
	return limit <= 0 || r.anonymous > 0 || len(r.order) < limit
}

// admitsAgain reports whether a subscription with the data former may go on with those of o.
func (h *Hub) admitsAgain(r *roster, former *protocol.MemberData, o JoinOptions) bool {
	if h.replicated {
		return userID(o.Data) != "" || r.admitsAnonymous(o.MaxMembers)
	}
	return r.admits(o.Data, former, o.MaxMembers)
}

// openRosterLocked makes the roster of a presence channel. The caller holds c.mu.
func (c *Channel) openRosterLocked(stringIDs bool) {
	if c.roster == nil && c.kind.IsPresence() {
		c.roster = &roster{stringIDs: stringIDs}
	}
}
