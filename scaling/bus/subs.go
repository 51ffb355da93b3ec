package bus

import (
	"context"
	"errors"
	"slices"

	"github.com/redis/rueidis"
)

var errLapsed = errors.New("subscriptions moved to another master")

// maxNames is how many names go into one SUBSCRIBE, and maxSubs how many into one batch.
const (
	maxNames = 100
	maxSubs  = 1000
)

// sub is one subscribed name. All of it is guarded by Bus.mu.
type sub struct {
	name    string
	slot    uint16
	shard   *shard // that of its slot
	wanted  bool
	on      *link         // where Redis has confirmed it, nil: nowhere
	dirty   bool          // in the list of its shard
	lapsed  bool          // was confirmed until its slot moved
	waiters []func(error) // called when it is confirmed
}

// Subscribe asks for what is published on name. done, which may be nil, is called once: with nil when Redis has confirmed, with ErrDown at
// once when Redis is down: then the name is subscribed when it is back, before Hooks.Up. done must not wait; it may be called before
// Subscribe returns.
func (b *Bus) Subscribe(name string, done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		done(ErrClosed)
		return
	}
	c := b.subs[name]
	if c == nil {
		c = &sub{name: name}
		if b.options.Cluster {
			c.slot = slotOf(name)
		}
		c.shard = b.shardOfLocked(c)
		b.subs[name] = c
	}
	c.wanted = true
	s := c.shard
	err := ErrDown
	switch {
	case s.link != nil && c.on == s.link:
		err = nil
	case s.ready:
		c.waiters = append(c.waiters, done)
		done = nil
	}
	b.soilLocked(s, c)
	b.mu.Unlock()
	if done != nil {
		done(err)
	}
}

// Unsubscribe ends a subscription. Messages may still come for a moment.
func (b *Bus) Unsubscribe(name string) {
	b.mu.Lock()
	c := b.subs[name]
	if c == nil || !c.wanted {
		b.mu.Unlock()
		return
	}
	c.wanted = false
	waiters := c.waiters
	c.waiters = nil
	if s := c.shard; s.link == nil {
		delete(b.subs, name)
	} else {
		b.soilLocked(s, c)
	}
	b.mu.Unlock()
	for _, done := range waiters {
		done(ErrUnsubscribed)
	}
}

func (b *Bus) shardOfLocked(c *sub) *shard {
	if b.table != nil {
		return b.table[c.slot]
	}
	return b.only
}

// soilLocked has the subscriber look at c, when there is one.
func (b *Bus) soilLocked(s *shard, c *sub) {
	if s.link != nil && !c.dirty {
		c.dirty = true
		s.dirty = append(s.dirty, c)
		poke(s.subWake)
	}
}

// wantAllLocked has the subscriber of a new link look at all that is wanted of its shard.
func (b *Bus) wantAllLocked(s *shard) {
	s.dirty = s.dirty[:0]
	for name, c := range b.subs {
		if c.shard != s {
			continue
		}
		c.dirty, c.on = false, nil
		if c.wanted {
			b.soilLocked(s, c)
		} else {
			delete(b.subs, name)
		}
	}
}

// unconfirmLocked takes the waiters of a lost shard.
func (b *Bus) unconfirmLocked(s *shard) (waiters []func(error)) {
	for _, c := range b.subs {
		if c.shard == s {
			waiters = append(waiters, c.waiters...)
			c.waiters, c.on, c.dirty = nil, nil, false
		}
	}
	return waiters
}

// expelled is called when Redis ended a subscription: when we asked for it, or because the slot moved to another master.
func (b *Bus) expelled(s *shard, name string) {
	b.mu.Lock()
	c := b.subs[name]
	mine := c != nil && c.wanted && c.on != nil && c.on == s.link
	if mine {
		c.on, c.lapsed = nil, true
		b.soilLocked(c.shard, c)
	}
	b.mu.Unlock()
	if mine {
		b.refresh("")
	}
}

// subscriber keeps the subscriptions of a shard as they are wanted, until the link is lost.
func (b *Bus) subscriber(s *shard, l *link) {
	for {
		wanted, unwanted := b.nextSubs(s, l)
		if len(wanted)+len(unwanted) == 0 {
			select {
			case <-s.subWake:
				continue
			case <-l.lost:
				return
			}
		}
		calm, err := b.change(s, l, wanted, unwanted)
		if err != nil {
			l.end(err)
			return
		}
		if !calm && !pause(b.ctx, stall) {
			return
		}
	}
}

// nextSubs takes what is to be subscribed and unsubscribed. When it is nothing, all that is wanted is confirmed.
func (b *Bus) nextSubs(s *shard, l *link) (wanted, unwanted []*sub) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.link != l {
		return nil, nil
	}
	n := min(len(s.dirty), maxSubs)
	for _, c := range s.dirty[:n] {
		if c.shard != s { // its slot moved: it is another subscriber's
			continue
		}
		c.dirty = false
		switch {
		case c.wanted && c.on != l:
			wanted = append(wanted, c)
		case !c.wanted && c.on == l:
			c.on = nil
			unwanted = append(unwanted, c)
		case !c.wanted:
			delete(b.subs, c.name)
		}
	}
	s.dirty = slices.Delete(s.dirty, 0, n)
	if len(wanted)+len(unwanted) == 0 && len(s.dirty) == 0 && !s.confirmed {
		s.confirmed = true
		poke(b.events)
	}
	if len(s.dirty) > 0 {
		poke(s.subWake)
	}
	return wanted, unwanted
}

// change tells Redis. It is not calm when Redis sent something elsewhere, which is dirty again. The error ends the link: a name that may
// not be subscribed is nothing that this node can live without.
func (b *Bus) change(s *shard, l *link, wanted, unwanted []*sub) (calm bool, err error) {
	on, off := b.group(wanted), b.group(unwanted)
	commands := make([]rueidis.Completed, 0, len(on)+len(off))
	for _, group := range on {
		commands = append(commands, b.subCommand(l, group, false))
	}
	for _, group := range off {
		commands = append(commands, b.subCommand(l, group, true))
	}
	results := l.subs.DoMulti(context.Background(), commands...)
	var waiters []func(error)
	hint := ""
	calm = true
	b.mu.Lock()
	for i, group := range append(on, off...) {
		failure := results[i].Error()
		refusal, refused := rueidis.IsRedisErr(failure)
		switch {
		case refused && isLater(refusal.Error()):
			if i >= len(on) { // nobody is subscribed where the slot is no more
				b.unsubscribedLocked(group)
				continue
			}
			calm = false
			if to, moved := refusal.IsMoved(); moved {
				hint = l.address(to)
			}
			b.soilAllLocked(s, group)
		case failure != nil && !rueidis.IsRedisNil(failure):
			err = failure
		case i < len(on):
			waiters = append(waiters, b.subscribedLocked(s, l, group)...)
		default:
			b.unsubscribedLocked(group)
		}
	}
	b.mu.Unlock()
	for _, done := range waiters {
		done(nil)
	}
	if !calm {
		b.refresh(hint)
	}
	return calm, err
}

func (b *Bus) soilAllLocked(s *shard, group []*sub) {
	for _, c := range group {
		if c.shard == s {
			b.soilLocked(s, c)
		}
	}
}

// subscribedLocked notes what Redis confirmed, and returns who waited for it.
func (b *Bus) subscribedLocked(s *shard, l *link, group []*sub) (waiters []func(error)) {
	for _, c := range group {
		if c.shard != s || s.link != l {
			continue
		}
		c.on = l
		if !c.wanted {
			b.soilLocked(s, c)
			continue
		}
		if c.lapsed {
			c.lapsed = false
			b.lapsed = append(b.lapsed, c.name)
			poke(b.events)
		}
		waiters = append(waiters, c.waiters...)
		c.waiters = nil
	}
	return waiters
}

// unsubscribedLocked forgets what is not wanted any more.
func (b *Bus) unsubscribedLocked(group []*sub) {
	for _, c := range group {
		if !c.wanted && b.subs[c.name] == c {
			delete(b.subs, c.name)
		}
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
