package server

import (
	"iter"

	"reverb/channels"
)

// indexAbove is the number of subscriptions above which a name is looked up in a map instead of compared with each; below it the
// comparison is as fast and most sessions have two or three.
const indexAbove = 16

// subscriptions is the set of one session's subscriptions, in the order they began. Its zero value is empty. With few it costs one
// pointer each; with many every operation takes constant time on average, so that a client with thousands of channels costs no more
// for each than others do.
type subscriptions struct {
	list  []*channels.Subscription // nil where one ended
	holes int                      // nils in list
	index map[string]int           // place in list by channel; nil up to indexAbove
}

func (s *subscriptions) len() int { return len(s.list) - s.holes }

// find returns the subscription of a channel, nil if there is none.
func (s *subscriptions) find(channel string) *channels.Subscription {
	if at := s.place(channel); at >= 0 {
		return s.list[at]
	}
	return nil
}

// put adds sub, or lets it take the place of the one of the same channel.
func (s *subscriptions) put(sub *channels.Subscription) {
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
	delete(s.index, channel)
	if s.holes > len(s.list)/2 {
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
