package server

import (
	"slices"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
)

// indexAbove is the number of subscriptions above which a set has an index; below it the comparison of names is as fast
// and most sessions have two or three.
const indexAbove = 16

// subscriptionSet is the subscriptions of one session, in the order they began. Its zero value is empty. One costs
// nothing more than the subscription; with many every operation takes constant time on average, so that a client with
// thousands of channels costs no more for each than others do.
type subscriptionSet struct {
	one  *channels.Subscription // the only one
	many *subscriptionList      // instead of one, since there were two
}

// subscriptionList is a set of several subscriptions.
type subscriptionList struct {
	list  []*channels.Subscription // nil where one ended, if there is an index
	index *subscriptionIndex       // nil up to indexAbove
}

// subscriptionIndex finds one of many subscriptions without a look at each.
type subscriptionIndex struct {
	places map[string]int // in the list, by channel
	holes  int            // nils in the list
	bytes  int64          // the cost of all
}

// The cost of a subscription for the node, and Redis, beside its name and its channel_data, and how often these are
// kept in one form or another; the room that the garbage collector leaves is included. Measured: e2e/cluster,
// TestOneConnectionHoldsLittle.
const (
	subscriptionBytes = 1_280
	nameCopies        = 5
	dataCopies        = 8 // as it came, in rosters as JSON inside JSON, with other nodes

	// More of a presence channel: the roster, and the records of nodes and Redis.
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
func costOf(sub *channels.Subscription) int64 {
	if sub == nil {
		return 0
	}
	return subscriptionCost(sub.Channel(), rawSize(sub.Data()))
}

func rawSize(data *protocol.MemberData) int {
	if data == nil {
		return 0
	}
	return len(data.Raw)
}

// admits reports whether the limits allow a subscription of the channel at this cost: a new one, beside those that
// wait, or one with other data.
func (s *subscriptionSet) admits(channel string, cost int64, waiting int, waitingBytes int64, limits *config.Limits) bool {
	old := s.find(channel)
	if most := limits.MaxSubscriptions; most > 0 && old == nil && s.len()+waiting >= most {
		return false
	}
	most := limits.SubscriptionBytes
	return most <= 0 || s.bytes()-costOf(old)+waitingBytes+cost <= most
}

func (s *subscriptionSet) len() int {
	switch {
	case s.many != nil:
		return s.many.len()
	case s.one != nil:
		return 1
	}
	return 0
}

// bytes is the cost of all.
func (s *subscriptionSet) bytes() int64 {
	if s.many != nil {
		return s.many.bytes()
	}
	return costOf(s.one)
}

// find returns the subscription of a channel, nil if there is none.
func (s *subscriptionSet) find(channel string) *channels.Subscription {
	switch {
	case s.many != nil:
		if at := s.many.place(channel); at >= 0 {
			return s.many.list[at]
		}
	case s.one != nil && s.one.Channel() == channel:
		return s.one
	}
	return nil
}

// put adds sub, or lets it take the place of the one of the same channel, whose cost was before: it may be the same one
// with other data.
func (s *subscriptionSet) put(sub *channels.Subscription, before int64) {
	switch {
	case s.many != nil:
		s.many.put(sub, before)
	case s.one == nil || s.one.Channel() == sub.Channel():
		s.one = sub
	default:
		s.many = &subscriptionList{list: []*channels.Subscription{s.one, sub}}
		s.one = nil
	}
}

// take removes and returns the subscription of a channel, nil if there is none.
func (s *subscriptionSet) take(channel string) *channels.Subscription {
	if s.many == nil {
		sub := s.find(channel)
		if sub != nil {
			s.one = nil
		}
		return sub
	}
	sub := s.many.take(channel)
	if s.many.len() == 0 {
		s.many = nil
	}
	return sub
}

// each calls visit for the subscriptions in the order they began.
func (s *subscriptionSet) each(visit func(*channels.Subscription)) {
	if s.one != nil {
		visit(s.one)
	}
	if s.many == nil {
		return
	}
	for _, sub := range s.many.list {
		if sub != nil {
			visit(sub)
		}
	}
}

func (l *subscriptionList) len() int {
	if l.index == nil {
		return len(l.list)
	}
	return len(l.list) - l.index.holes
}

func (l *subscriptionList) bytes() int64 {
	if l.index != nil {
		return l.index.bytes
	}
	var bytes int64
	for _, sub := range l.list {
		bytes += costOf(sub)
	}
	return bytes
}

func (l *subscriptionList) put(sub *channels.Subscription, before int64) {
	at := l.place(sub.Channel())
	if at >= 0 {
		l.list[at] = sub
	} else {
		l.list = append(l.list, sub)
	}
	switch {
	case l.index != nil:
		l.index.bytes += costOf(sub) - before
		if at < 0 {
			l.index.places[sub.Channel()] = len(l.list) - 1
		}
	case len(l.list) > indexAbove:
		l.rebuild()
	}
}

func (l *subscriptionList) take(channel string) *channels.Subscription {
	at := l.place(channel)
	if at < 0 {
		return nil
	}
	sub := l.list[at]
	if l.index == nil {
		l.list = slices.Delete(l.list, at, at+1)
		return sub
	}
	l.list[at] = nil
	l.index.holes++
	l.index.bytes -= costOf(sub)
	delete(l.index.places, channel)
	if l.index.holes > len(l.list)/2 {
		l.rebuild()
	}
	return sub
}

func (l *subscriptionList) place(channel string) int {
	if l.index != nil {
		if at, ok := l.index.places[channel]; ok {
			return at
		}
		return -1
	}
	return slices.IndexFunc(l.list, func(sub *channels.Subscription) bool { return sub.Channel() == channel })
}

// rebuild closes the holes and makes the index anew, or drops it. It costs as much as there are subscriptions and
// happens when half of them are holes or the list outgrew linear search.
func (l *subscriptionList) rebuild() {
	bytes := l.bytes()
	kept := make([]*channels.Subscription, 0, l.len())
	for _, sub := range l.list {
		if sub != nil {
			kept = append(kept, sub)
		}
	}
	l.list, l.index = kept, nil
	if len(kept) <= indexAbove {
		return
	}
	l.index = &subscriptionIndex{places: make(map[string]int, 2*len(kept)), bytes: bytes}
	for at, sub := range kept {
		l.index.places[sub.Channel()] = at
	}
}
