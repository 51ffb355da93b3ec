package channels

import (
	"math"
	"sync"

	"reverb/outbound"
	"reverb/protocol"
)

// Channel is one channel of one app while it has a subscriber.
//
// Most channels have one subscriber and nothing else (Laravel: one private channel for each user), so the parts that
// only some need hang on pointers: 80 bytes here are 80 MB at a million users.
type Channel struct {
	// Constant after construction.
	home *bucket
	name string

	// mu is held for short: never for a walk of more than inlineMax subscribers.
	mu sync.Mutex

	// Guarded by mu.
	subs   set
	roster *roster // presence channels only
	queue  *queue  // frames that wait; nil until some had to
	cache  *cached // cache channels with an event only
	kind   protocol.Kind
	busy   bool // a pass runs or is scheduled: an event that is published now must queue
	gone   bool // the last subscriber has left and none can join; a new channel may have the name
	held   bool // kept without subscribers (Hub.Hold)
	missed bool // a subscriber found no cached event since there was one
}

// never is a Subscription.from that no frame reaches.
const never = math.MaxUint64

// Subscription is one socket's place in one channel. Its methods are for the session's goroutine.
type Subscription struct {
	// Constant after construction.
	channel    *Channel
	subscriber Subscriber
	id         protocol.SocketID

	// Written by the session's own calls under channel.mu; read by them, or under channel.mu.
	data *protocol.MemberData

	// Guarded by channel.mu.
	index    int32 // place in channel.subs, -1 when out of it
	replying bool  // the reply to a second subscribe waits for a pass

	// mu makes a delivery by a pass and the end of the subscription exclude each other.
	mu   sync.Mutex
	from uint64 // the first waiting frame that is meant for it, by number; guarded by mu
}

// Channel returns the name of the channel.
func (s *Subscription) Channel() string { return s.channel.name }

// Kind returns the kind of the channel.
func (s *Subscription) Kind() protocol.Kind { return s.channel.kind }

// Data returns the decoded channel_data, or nil when none was sent.
func (s *Subscription) Data() *protocol.MemberData { return s.data }

// replyLocked gives send the messages that a socket gets about its own subscribe and returns how many there are. The
// caller holds c.mu.
func (c *Channel) replyLocked(send func(outbound.Message)) int {
	if c.roster != nil {
		send(c.roster.succeeded(c.name))
	} else {
		send(protocol.SubscriptionSucceededMessage(c.name))
	}
	if !c.kind.IsCache() {
		return 1
	}
	send(c.cachedLocked())
	return 2
}

// answer gives a subscriber one message about its own subscribe.
func answer(to Subscriber, m outbound.Message) { to.Answer(m.In(to.Encoding())) }

// vacateLocked ends a channel without subscribers. The frames that wait are dropped. The caller holds c.mu.
func (h *Hub) vacateLocked(c *Channel) {
	c.gone = true
	c.forgetCachedLocked()
	c.roster = nil
	if q := c.queue; q != nil {
		for i := range q.items {
			h.delivery.forgetClient(&q.items[i])
		}
		q.items = nil
		q.charge(&h.delivery, -q.bytes)
		for len(q.line) > 0 {
			q.admit()
		}
	}
}
