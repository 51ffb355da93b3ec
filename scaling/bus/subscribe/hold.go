package subscribe

import (
	"sync/atomic"

	"reverb/scaling/redis"
)

// Hold is the time for which a subscriber keeps one link. A subscription is confirmed on a hold: when the link is lost no subscription has
// to be told.
type Hold struct {
	subscriber *Subscriber // constant
	over       atomic.Bool // the link is lost
	unanswered []*sub      // owned by Run, then by End
}

// NewHold is that of a link which is about to be opened.
func (s *Subscriber) NewHold() *Hold { return &Hold{subscriber: s} }

// Begin has a link, on which nothing is confirmed yet.
func (h *Hold) Begin() { h.subscriber.changes.begin(h) }

// Lose is called when the link is lost.
func (h *Hold) Lose() { h.subscriber.changes.lose() }

// End tells the callers that wait for subscriptions of the hold that it is over. It is called when Run has returned.
func (h *Hold) End() {
	for _, c := range h.subscriber.changes.rest(h.unanswered) {
		sh := h.subscriber.all.lock(c)
		var waiting []func(error)
		if c.waiters != nil && c.waiters.on == h {
			waiting = c.takeLocked()
		}
		sh.mu.Unlock()
		tell(waiting, redis.ErrDown)
	}
	h.unanswered = nil // its subscriptions keep a hold
}

// Expelled is called when Redis ended a subscription: when we asked for it, or because the slot moved to another master.
func (h *Hold) Expelled(name string) {
	n := h.subscriber.all
	sh := &n.shards[n.shardOf(name)]
	sh.mu.Lock()
	c := sh.byName[name]
	ended := c != nil && c.wanted && c.on == h
	if ended {
		c.on, c.lapsed = nil, true
		n.subscriberOf(c).changes.add(c)
	}
	sh.mu.Unlock()
	if ended {
		n.options.Look("")
	}
}

// confirmed notes what Redis has subscribed, and tells the waiters.
func (h *Hold) confirmed(group []*sub) {
	s, n, lapsed := h.subscriber, h.subscriber.all, false
	for _, c := range group {
		sh := n.lock(c)
		if n.subscriberOf(c) != s {
			sh.mu.Unlock()
			continue
		}
		moved := c.on != nil && c.on.subscriber != s && !c.on.over.Load()
		c.on = h
		if !c.wanted {
			s.changes.add(c)
			sh.mu.Unlock()
			continue
		}
		if moved || c.lapsed {
			c.lapsed, lapsed = false, true
			n.lapses.add(c.name)
		}
		waiting := c.takeLocked()
		sh.mu.Unlock()
		tell(waiting, nil)
	}
	if lapsed {
		n.options.News()
	}
}
