package subscribe

import (
	"slices"
	"time"

	"github.com/redis/rueidis"

	"reverb/scaling/redis"
)

// maxNames is how many names go into one SUBSCRIBE, and maxSubs about how many into one batch.
const (
	maxNames = 100
	maxSubs  = 1000
)

// stall is how long a subscriber waits before it asks Redis again for what was sent elsewhere.
const stall = 50 * time.Millisecond

// Subscriber keeps the subscriptions of one master as they are wanted.
type Subscriber struct {
	all     *Subscriptions // constant
	changes changes
}

// NewSubscriber makes the subscriber of one master, which is down.
func (all *Subscriptions) NewSubscriber() *Subscriber {
	return &Subscriber{all: all, changes: changes{wake: make(chan struct{}, 1)}}
}

// Ready says whether everything that is wanted is confirmed. From then on a Subscribe waits for the confirmation.
func (s *Subscriber) Ready() bool { return s.changes.ready() }

// Run keeps the subscriptions as they are wanted until the link is lost.
func (h *Hold) Run(l *redis.Link) {
	s := h.subscriber
	seen := 0 // shards of the names; later changes of these are in changes
	for l.Err() == nil {
		wanted, unwanted := s.next(h, &seen)
		if len(wanted)+len(unwanted) == 0 {
			if !s.rest(l, h) {
				return
			}
			continue
		}
		calm, err := s.change(l, h, wanted, unwanted)
		if err != nil {
			l.End(err)
			h.unanswered = wanted
			return
		}
		if !calm && !s.stall(l) {
			return
		}
	}
}

// rest waits for the next change when there is none now, and says whether the link lives.
func (s *Subscriber) rest(l *redis.Link, h *Hold) bool {
	more, news := s.changes.settle(h)
	if more {
		return true
	}
	if news {
		s.all.options.News()
	}
	select {
	case <-s.changes.wake:
		return true
	case <-l.Lost():
		return false
	}
}

// stall waits before Redis is asked again for what it sent elsewhere, and says whether the link lives.
func (s *Subscriber) stall(l *redis.Link) bool {
	timer := time.NewTimer(stall)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.Lost():
		return false
	}
}

// next takes the names to be subscribed and unsubscribed: those that have just changed come before those that are only not confirmed on
// this link yet.
func (s *Subscriber) next(h *Hold, seen *int) (wanted, unwanted []*sub) {
	for _, c := range s.changes.take(nil, maxSubs) {
		sh := s.all.lock(c)
		if c.dirty == h {
			c.dirty = nil
		}
		switch {
		case s.all.subscriberOf(c) != s: // its slot moved: it is another subscriber's
		case c.wanted && c.on != h:
			wanted = append(wanted, c)
		case !c.wanted && c.on == h:
			c.on = nil
			unwanted = append(unwanted, c)
		case !c.wanted:
			sh.forgetLocked(c)
		}
		sh.mu.Unlock()
	}
	for ; len(wanted)+len(unwanted) < maxSubs && *seen < shardCount; *seen++ {
		wanted = s.survey(h, &s.all.shards[*seen], wanted)
	}
	return wanted, unwanted
}

// survey adds the subscriptions of a shard that are wanted and not confirmed, but for those in the list of changes. It forgets those that
// are not wanted.
func (s *Subscriber) survey(h *Hold, sh *shard, wanted []*sub) []*sub {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r := s.all.routes.Load()
	for _, c := range sh.byName {
		switch {
		case r.Of(c.slot) != s || c.on == h || c.dirty == h:
		case c.wanted:
			wanted = append(wanted, c)
		default:
			sh.forgetLocked(c)
		}
	}
	return wanted
}

// change tells Redis. It is not calm when Redis sent something elsewhere, which is to be looked at again. The error ends the link: a name
// that may not be subscribed is nothing that this node can live without.
func (s *Subscriber) change(l *redis.Link, h *Hold, wanted, unwanted []*sub) (calm bool, err error) {
	on, off := s.group(wanted), s.group(unwanted)
	commands := make([]rueidis.Completed, 0, len(on)+len(off))
	for _, group := range on {
		commands = append(commands, s.command(l, group, false))
	}
	for _, group := range off {
		commands = append(commands, s.command(l, group, true))
	}
	results := l.Subscribe(commands...)
	hint := ""
	calm = true
	for i, group := range append(on, off...) {
		failure := results[i].Error()
		refusal, refused := rueidis.IsRedisErr(failure)
		later := refused && redis.Passes(refusal)
		switch {
		case later && i < len(on):
			calm = false
			if to, moved := refusal.IsMoved(); moved {
				hint = l.Address(to)
			}
			s.again(group)
		case failure != nil && !later && !rueidis.IsRedisNil(failure):
			err = failure
		case i < len(on):
			h.confirmed(group)
		default: // later: nobody is subscribed where the slot is no more
			s.ended(group)
		}
	}
	if !calm {
		s.all.options.Look(hint)
	}
	return calm, err
}

// again has the subscriber look again at what Redis did not take, or did not end.
func (s *Subscriber) again(group []*sub) {
	for _, c := range group {
		sh := s.all.lock(c)
		if s.all.subscriberOf(c) == s {
			s.changes.add(c)
		}
		sh.mu.Unlock()
	}
}

// ended forgets what Redis has unsubscribed and is not wanted any more.
func (s *Subscriber) ended(group []*sub) {
	for _, c := range group {
		sh := s.all.lock(c)
		if !c.wanted {
			sh.forgetLocked(c)
		}
		sh.mu.Unlock()
	}
}

// group splits the names into those that may share a command: a limited number, of one slot in a cluster.
func (s *Subscriber) group(all []*sub) (groups [][]*sub) {
	if s.all.options.Cluster {
		slices.SortStableFunc(all, func(x, y *sub) int { return int(x.slot) - int(y.slot) })
	}
	for len(all) > 0 {
		n := 1
		for n < len(all) && n < maxNames && all[n].slot == all[0].slot {
			n++
		}
		groups, all = append(groups, all[:n]), all[n:]
	}
	return groups
}

// command subscribes a group, or ends its subscriptions.
func (s *Subscriber) command(l *redis.Link, group []*sub, end bool) rueidis.Completed {
	names := make([]string, len(group))
	for i, c := range group {
		names[i] = c.name
	}
	switch {
	case s.all.options.Cluster && end:
		return l.B().Sunsubscribe().Channel(names...).Build()
	case s.all.options.Cluster:
		return l.B().Ssubscribe().Channel(names...).Build()
	case end:
		return l.B().Unsubscribe().Channel(names...).Build()
	default:
		return l.B().Subscribe().Channel(names...).Build()
	}
}
