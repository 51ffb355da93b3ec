package bus

import (
	"context"
	"slices"

	"github.com/redis/rueidis"
)

// maxNames is how many names go into one SUBSCRIBE, and maxSubs about how many into one batch.
const (
	maxNames = 100
	maxSubs  = 1000
)

// subscriber keeps the subscriptions of a shard as they are wanted, until the link is lost. It returns those it was about to change.
func (b *Bus) subscriber(s *shard, l *link, h *hold) (unanswered []*sub) {
	seen := 0 // parts of the names; later changes of these are in the shard's changes
	for l.reason() == nil {
		wanted, unwanted := b.nextSubs(s, h, &seen)
		if len(wanted)+len(unwanted) == 0 {
			if !b.settled(s, l, h) {
				return nil
			}
			continue
		}
		calm, err := b.change(s, l, h, wanted, unwanted)
		if err != nil {
			l.end(err)
			return wanted
		}
		if !calm && !pause(b.ctx, stall) {
			return nil
		}
	}
	return nil
}

// settled waits for the next change when there is none now, and says whether the link lives.
func (b *Bus) settled(s *shard, l *link, h *hold) bool {
	more, news := s.changes.settle(h)
	if more {
		return true
	}
	if news {
		poke(b.events)
	}
	select {
	case <-s.changes.wake:
		return true
	case <-l.lost:
		return false
	}
}

// nextSubs takes the names to be subscribed and unsubscribed: those that have just changed come before those that are only not confirmed on
// this link yet.
func (b *Bus) nextSubs(s *shard, h *hold, seen *int) (wanted, unwanted []*sub) {
	for _, c := range s.changes.take(nil, maxSubs) {
		p := b.names.lock(c)
		if c.dirty == h {
			c.dirty = nil
		}
		switch {
		case b.routes.Load().of(c.slot) != s: // its slot moved: it is another subscriber's
		case c.wanted && c.on != h:
			wanted = append(wanted, c)
		case !c.wanted && c.on == h:
			c.on = nil
			unwanted = append(unwanted, c)
		case !c.wanted:
			p.forgetLocked(c)
		}
		p.mu.Unlock()
	}
	for ; len(wanted)+len(unwanted) < maxSubs && *seen < partCount; *seen++ {
		wanted = b.survey(s, h, &b.names.parts[*seen], wanted)
	}
	return wanted, unwanted
}

// survey adds the subscriptions of a part that are wanted and not confirmed, but for those in the list of changes. It forgets what nobody
// wants.
func (b *Bus) survey(s *shard, h *hold, p *part, wanted []*sub) []*sub {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := b.routes.Load()
	for _, c := range p.byName {
		switch {
		case r.of(c.slot) != s || c.on == h || c.dirty == h:
		case c.wanted:
			wanted = append(wanted, c)
		default:
			p.forgetLocked(c)
		}
	}
	return wanted
}

// change tells Redis. It is not calm when Redis sent something elsewhere, which is to be looked at again. The error ends the link: a name
// that may not be subscribed is nothing that this node can live without.
func (b *Bus) change(s *shard, l *link, h *hold, wanted, unwanted []*sub) (calm bool, err error) {
	on, off := b.group(wanted), b.group(unwanted)
	commands := make([]rueidis.Completed, 0, len(on)+len(off))
	for _, group := range on {
		commands = append(commands, b.subCommand(l, group, false))
	}
	for _, group := range off {
		commands = append(commands, b.subCommand(l, group, true))
	}
	results := l.subs.DoMulti(context.Background(), commands...)
	hint := ""
	calm = true
	for i, group := range append(on, off...) {
		failure := results[i].Error()
		refusal, refused := rueidis.IsRedisErr(failure)
		switch {
		case refused && isLater(refusal.Error()):
			if i >= len(on) { // nobody is subscribed where the slot is no more
				b.unsubscribed(group)
				continue
			}
			calm = false
			if to, moved := refusal.IsMoved(); moved {
				hint = l.address(to)
			}
			b.again(s, group)
		case failure != nil && !rueidis.IsRedisNil(failure):
			err = failure
		case i < len(on):
			b.subscribed(s, h, group)
		default:
			b.unsubscribed(group)
		}
	}
	if !calm {
		b.refresh(hint)
	}
	return calm, err
}

// again has the subscriber look again at what Redis did not take.
func (b *Bus) again(s *shard, group []*sub) {
	for _, c := range group {
		p := b.names.lock(c)
		if b.routes.Load().of(c.slot) == s {
			s.changes.add(c)
		}
		p.mu.Unlock()
	}
}

// subscribed notes what Redis confirmed, and tells the waiters.
func (b *Bus) subscribed(s *shard, h *hold, group []*sub) {
	lapsed := false
	for _, c := range group {
		p := b.names.lock(c)
		if b.routes.Load().of(c.slot) != s {
			p.mu.Unlock()
			continue
		}
		moved := c.on != nil && c.on.shard != s && !c.on.over.Load()
		c.on = h
		if !c.wanted {
			s.changes.add(c)
			p.mu.Unlock()
			continue
		}
		if moved || c.lapsed {
			c.lapsed, lapsed = false, true
			b.lapses.add(c.name)
		}
		waiting := c.takeLocked()
		p.mu.Unlock()
		for _, done := range waiting {
			done(nil)
		}
	}
	if lapsed {
		poke(b.events)
	}
}

// unsubscribed forgets what is not wanted any more.
func (b *Bus) unsubscribed(group []*sub) {
	for _, c := range group {
		p := b.names.lock(c)
		if !c.wanted {
			p.forgetLocked(c)
		}
		p.mu.Unlock()
	}
}

// group splits the names into those that may share a command: a limited number, of one slot in a cluster.
func (b *Bus) group(all []*sub) (groups [][]*sub) {
	if !b.options.Cluster {
		for chunk := range slices.Chunk(all, maxNames) {
			groups = append(groups, chunk)
		}
		return groups
	}
	slices.SortStableFunc(all, func(x, y *sub) int { return int(x.slot) - int(y.slot) })
	for len(all) > 0 {
		n := 1
		for n < len(all) && n < maxNames && all[n].slot == all[0].slot {
			n++
		}
		groups, all = append(groups, all[:n]), all[n:]
	}
	return groups
}

func (b *Bus) subCommand(l *link, group []*sub, off bool) rueidis.Completed {
	names := make([]string, len(group))
	for i, c := range group {
		names[i] = c.name
	}
	build := l.subs.B()
	switch {
	case b.options.Cluster && off:
		return build.Sunsubscribe().Channel(names...).Build()
	case b.options.Cluster:
		return build.Ssubscribe().Channel(names...).Build()
	case off:
		return build.Unsubscribe().Channel(names...).Build()
	default:
		return build.Subscribe().Channel(names...).Build()
	}
}
