package channels

import "slices"

// set is the subscribers of one channel, dense, in no order. Each Subscription knows its index, so that removal is
// O(1). Nothing is allocated for the first one. All methods need the channel's lock.
type set struct {
	one  *Subscription // the only one; nil when there are none or many
	many *list         // nil when there are fewer than two
}

type list struct {
	subs []*Subscription

	// lent: a pass walks subs[:n] without the lock. Appending behind that is safe; a removal must copy first.
	lent bool
}

func (s *set) len() int {
	if s.many != nil {
		return len(s.many.subs)
	}
	if s.one != nil {
		return 1
	}
	return 0
}

// at returns the subscription at place i, from 0 to len-1.
func (s *set) at(i int) *Subscription {
	if s.many != nil {
		return s.many.subs[i]
	}
	return s.one
}

// each calls f for every subscription until it returns false.
func (s *set) each(f func(*Subscription) bool) {
	if s.one != nil {
		f(s.one)
		return
	}
	if s.many == nil {
		return
	}
	for _, sub := range s.many.subs {
		if !f(sub) {
			return
		}
	}
}

func (s *set) add(sub *Subscription) {
	switch {
	case s.many != nil:
	case s.one == nil:
		sub.index = 0
		s.one = sub
		return
	default:
		s.many = &list{subs: append(make([]*Subscription, 0, 4), s.one)}
		s.one = nil
	}
	sub.index = int32(len(s.many.subs))
	s.many.subs = append(s.many.subs, sub)
}

// remove takes out sub, which must be in the set.
func (s *set) remove(sub *Subscription) {
	index := sub.index
	sub.index = -1
	if s.many == nil {
		s.one = nil
		return
	}
	l := s.many
	if l.lent {
		l.subs = slices.Clone(l.subs)
		l.lent = false
	}
	last := len(l.subs) - 1
	if int(index) != last {
		moved := l.subs[last]
		moved.index = index
		l.subs[index] = moved
	}
	l.subs[last] = nil
	l.subs = l.subs[:last]
	if last == 1 {
		s.one, s.many = l.subs[0], nil
		return
	}
	if c := cap(l.subs); c > 64 && last < c/4 {
		l.subs = append(make([]*Subscription, 0, 2*last), l.subs...)
	}
}

// lend returns the subscribers for a walk without the lock: a copy in buf if they fit, else the list itself until
// giveBack.
func (s *set) lend(buf []*Subscription) []*Subscription {
	if s.many == nil {
		if s.one == nil {
			return nil
		}
		return append(buf[:0], s.one)
	}
	if len(s.many.subs) <= cap(buf) {
		return append(buf[:0], s.many.subs...)
	}
	s.many.lent = true
	return slices.Clip(s.many.subs)
}

// giveBack ends the loan. There is one at a time for a channel.
func (s *set) giveBack() {
	if s.many != nil {
		s.many.lent = false
	}
}
