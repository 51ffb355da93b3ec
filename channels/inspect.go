package channels

import (
	"iter"

	"reverb/protocol"
)

// chunk is how many subscriptions are looked at under one hold of a channel's lock.
const chunk = 256

// Place is one subscription, for people who look.
type Place struct {
	Channel    string
	Kind       protocol.Kind
	Subscriber Subscriber
	UserID     string // of presence channels; "" for the anonymous
}

// All yields what is known of every channel of the app that has a subscriber, in no order. It holds no lock while it yields and needs
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

// PlacesOf yields the subscriptions of one subscriber of the app. Subscribers keep their own list for their own goroutine; this one
// is for everybody else, and looks at every subscription of the app to find them.
func (h *Hub) PlacesOf(app string, sub Subscriber) iter.Seq[Place] {
	return func(yield func(Place) bool) {
		for c := range h.registry.all(app, "") {
			if p, ok := c.placeOf(sub); ok && !yield(p) {
				return
			}
		}
	}
}

// Places returns up to most subscriptions of one channel, after the first skip, and how many it has. Their order is that of the
// set: it changes when somebody leaves.
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
		places = append(places, s.placeLocked())
	}
	return places, total
}

// placeOf looks for a subscriber from the end of the set, some at a time. Whoever leaves meanwhile has his place taken by the last
// of the set, which is looked at already or was in the part that is: nobody is overlooked.
func (c *Channel) placeOf(sub Subscriber) (Place, bool) {
	id := sub.SocketID()
	for at := int(^uint(0) >> 1); at > 0; {
		c.mu.Lock()
		subs := c.subs.slice()
		at = min(at, len(subs))
		low := max(0, at-chunk)
		for _, s := range subs[low:at] {
			if s.id == id && s.subscriber == sub {
				p := s.placeLocked()
				c.mu.Unlock()
				return p, true
			}
		}
		at = low
		c.mu.Unlock()
	}
	return Place{}, false
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

// placeLocked needs the channel's lock.
func (s *Subscription) placeLocked() Place {
	p := Place{Channel: s.channel.name, Kind: s.channel.kind, Subscriber: s.subscriber}
	if s.channel.kind.IsPresence() {
		p.UserID = userID(s.data)
	}
	return p
}
