package server

import (
	"iter"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
)

// indexAbove is the number of subscriptions above which a name is looked up in a map instead of compared with each; below it the
// comparison is as fast and most sessions have two or three.
const indexAbove = 16

// subscriptions is the set of one session's subscriptions, in the order they began. Its zero value is empty. With few it costs one
// pointer each; with many every operation takes constant time on average, so that a client with thousands of channels costs no more
// for each than others do.
type subscriptions struct {
	list  []*channels.Subscription // nil where one ended
	holes int32                    // nils in list
	bytes int32                    // their cost. It may overflow when there is no limit, and is right again when they are gone
	index map[string]int           // place in list by channel; nil up to indexAbove
}

// The cost of a subscription for the node, and Redis, beside its name and its channel_data, and how often these are kept in one form or another;
// the room that the garbage collector leaves is included. Measured: e2e/cluster, TestOneConnectionHoldsLittle.
const (
	subscriptionBytes = 1_280
	nameCopies        = 5
	dataCopies        = 8 // as it came, in rosters as JSON inside JSON, with other nodes

	// More of a presence channel: the roster, and what nodes and Redis keep for it.
	presenceBytes  = 3_072
	presenceCopies = 4
)

func subscriptionCost(channel string, data int) int64 {
	cost := int64(subscriptionBytes + nameCopies*len(channel) + dataCopies*data)
	if protocol.KindOf(channel).IsPresence() {
		cost += int64(presenceBytes + presenceCopies*len(channel))
	}
	return cost
}

// costOf is the cost of a subscription that there is; of nil it is 0.
func costOf(sub *channels.Subscription) int32 {
	if sub == nil {
		return 0
	}
	return int32(subscriptionCost(sub.Channel(), rawSize(sub.Data())))
}

func rawSize(data *protocol.MemberData) int {
	if data == nil {
		return 0
	}
	return len(data.Raw)
}

// admits reports whether the limits allow a subscription of the channel at this cost: a new one, beside those that wait, or one with other
// data.
func (s *subscriptions) admits(channel string, cost int64, waiting int, waitingBytes int64, limits *config.Limits) bool {
	old := s.find(channel)
	if most := limits.MaxSubscriptions; most > 0 && old == nil && s.len()+waiting >= most {
		return false
	}
	most := limits.SubscriptionBytes
	return most <= 0 || int64(s.bytes-costOf(old))+waitingBytes+cost <= most
}

func (s *subscriptions) len() int { return len(s.list) - int(s.holes) }

// find returns the subscription of a channel, nil if there is none.
func (s *subscriptions) find(channel string) *channels.Subscription {
	if at := s.place(channel); at >= 0 {
		return s.list[at]
	}
	return nil
}

// put adds sub, or lets it take the place of the one of the same channel, whose cost was before: it may be the same one with other data.
func (s *subscriptions) put(sub *channels.Subscription, before int32) {
	s.bytes += costOf(sub) - before
	if at := s.place(sub.Channel()); at >= 0 {
		s.list[at] = sub
		return
	}
	s.list = append(s.list, sub)
	switch {
	case s.index != nil:
		s.index[sub.Channel()] = len(s.list) - 1
	case len(s.list) > indexAbove:
		s.rebuild()
	}
}

// take removes and returns the subscription of a channel, nil if there is none.
func (s *subscriptions) take(channel string) *channels.Subscription {
	at := s.place(channel)
	if at < 0 {
		return nil
	}
	sub := s.list[at]
	s.list[at] = nil
	s.holes++
	s.bytes -= costOf(sub)
	delete(s.index, channel)
	if int(s.holes) > len(s.list)/2 {
		s.rebuild()
	}
	return sub
}

// all yields the subscriptions in the order they began.
func (s *subscriptions) all() iter.Seq[*channels.Subscription] {
	return func(yield func(*channels.Subscription) bool) {
		for _, sub := range s.list {
			if sub != nil && !yield(sub) {
				return
			}
		}
	}
}

func (s *subscriptions) place(channel string) int {
	if s.index != nil {
		if at, ok := s.index[channel]; ok {
			return at
		}
		return -1
	}
	for at, sub := range s.list {
		if sub != nil && sub.Channel() == channel {
			return at
		}
	}
	return -1
}

// rebuild closes the holes and makes the index anew, or drops it. It costs as much as there are subscriptions and happens when half
// of them are holes or the list outgrew linear search.
func (s *subscriptions) rebuild() {
	kept := make([]*channels.Subscription, 0, s.len())
	for sub := range s.all() {
		kept = append(kept, sub)
	}
	s.list, s.holes, s.index = kept, 0, nil
	if len(kept) <= indexAbove {
		return
	}
	s.index = make(map[string]int, 2*len(kept))
	for at, sub := range kept {
		s.index[sub.Channel()] = at
	}
}
