package channels

import (
	"iter"

	"reverb/protocol"
)

// Place describes one subscription.
type Place struct {
	Channel    string
	Kind       protocol.Kind
	Subscriber Subscriber
	UserID     string // of presence channels; "" for the anonymous
}

// All describes every channel of the app that has a subscriber, in no order. It holds no lock while it yields and needs
// memory for one shard at a time, so that a page may look through a million channels for the fifty it shows.
func (h *Hub) All(app string) iter.Seq[Info] {
	return func(yield func(Info) bool) {
		for c := range h.registry.all(app, "") {
			if info, ok := c.info(); ok && !yield(info) {
				return
			}
		}
	}
}

// Places returns up to most subscriptions of one channel, after the first skip, and how many it has. Their order is
// that of the set: it changes when a subscriber leaves.
func (h *Hub) Places(app, channel string, skip, most int) (places []Place, total int) {
	c := h.registry.find(app, channel)
	if c == nil {
		return nil, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	subs, total := c.subs.slice(), c.subs.len()
	skip = min(max(skip, 0), total)
	for _, s := range subs[skip:min(total, skip+max(most, 0))] {
		places = append(places, s.Place())
	}
	return places, total
}

// slice is the subscribers; valid until the channel's lock is given back.
func (s *set) slice() []*Subscription {
	switch {
	case s.many != nil:
		return s.many.subs
	case s.one != nil:
		return []*Subscription{s.one}
	}
	return nil
}

// Place describes the subscription. The caller keeps Subscribe from changing it meanwhile: a session by its own lock,
// the hub by the channel's.
func (s *Subscription) Place() Place {
	p := Place{Channel: s.channel.name, Kind: s.channel.kind, Subscriber: s.subscriber}
	if s.channel.kind.IsPresence() {
		p.UserID = userID(s.data)
	}
	return p
}
