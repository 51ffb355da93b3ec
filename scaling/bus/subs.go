package bus

import (
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

var errLapsed = errors.New("subscriptions moved to another master")

// partCount is in how many parts the names are kept, a power of two: of a million names a part has a thousand, which one goes through in
// about 0.1 ms.
const partCount = 1024

// names are the subscribed names, in parts: a walk over all of them, as after a loss of Redis, holds one part at a time, and a Subscribe waits
// for no more than that. A part's lock may be held when that of a shard's changes is taken.
type names struct {
	seed  maphash.Seed // constant
	parts [partCount]part
}

type part struct {
	mu sync.Mutex
	// Guarded by mu.
	byName map[string]*sub // nil until there is one
}

// hold is the time for which a shard keeps one link. A subscription is confirmed on a hold: when the link is lost no subscription has to be
// told.
type hold struct {
	shard *shard      // constant
	over  atomic.Bool // the link is lost
}

// sub is one subscribed name. There may be millions.
type sub struct {
	// Constant.
	name string
	part uint16
	slot uint16

	// Guarded by the mutex of the part.
	wanted  bool
	lapsed  bool     // was confirmed until Redis ended it
	on      *hold    // where Redis has confirmed it; nil: nowhere
	dirty   *hold    // where the subscriber is about to look at it
	waiters *waiters // nil: none
}

// waiters are called when a subscription is confirmed, or the hold it was asked for on is over.
type waiters struct {
	on   *hold
	done []func(error)
}

func newNames() *names { return &names{seed: maphash.MakeSeed()} }

func (n *names) partOf(name string) uint16 { return uint16(maphash.String(n.seed, name) % partCount) }

// lock locks the part of a subscription and returns it.
func (n *names) lock(c *sub) *part {
	p := &n.parts[c.part]
	p.mu.Lock()
	return p
}

// forgetLocked takes out a subscription.
func (p *part) forgetLocked(c *sub) {
	if p.byName[c.name] == c {
		delete(p.byName, c.name)
	}
}

// takeLocked returns the callbacks that wait for the subscription.
func (c *sub) takeLocked() (done []func(error)) {
	if c.waiters != nil {
		done, c.waiters = c.waiters.done, nil
	}
	return done
}

// Subscribe asks for what is published on name. done, which may be nil, is called once: with nil when Redis has confirmed, with ErrDown at
// once when Redis is down: then the name is subscribed when it is back, before Hooks.Up. done must not wait; it may be called before
// Subscribe returns.
func (b *Bus) Subscribe(name string, done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	if b.closed.Load() {
		done(ErrClosed)
		return
	}
	i := b.names.partOf(name)
	p := &b.names.parts[i]
	p.mu.Lock()
	c := p.byName[name]
	if c == nil {
		c = &sub{name: name, part: i}
		if b.options.Cluster {
			c.slot = slotOf(name)
		}
		if p.byName == nil {
			p.byName = make(map[string]*sub)
		}
		p.byName[name] = c
	}
	c.wanted = true
	waits, err := b.routes.Load().of(c.slot).changes.want(c, done)
	p.mu.Unlock()
	if !waits {
		done(err)
	}
}

// Unsubscribe ends a subscription. Messages may still come for a moment.
func (b *Bus) Unsubscribe(name string) {
	p := &b.names.parts[b.names.partOf(name)]
	p.mu.Lock()
	c := p.byName[name]
	if c == nil || !c.wanted {
		p.mu.Unlock()
		return
	}
	c.wanted = false
	waiting := c.takeLocked()
	if !b.routes.Load().of(c.slot).changes.add(c) {
		p.forgetLocked(c)
	}
	p.mu.Unlock()
	for _, done := range waiting {
		done(ErrUnsubscribed)
	}
}

// expelled is called when Redis ended a subscription: when we asked for it, or because the slot moved to another master.
func (b *Bus) expelled(h *hold, name string) {
	p := &b.names.parts[b.names.partOf(name)]
	p.mu.Lock()
	c := p.byName[name]
	ended := c != nil && c.wanted && c.on == h
	if ended {
		c.on, c.lapsed = nil, true
		b.routes.Load().of(c.slot).changes.add(c)
	}
	p.mu.Unlock()
	if ended {
		b.refresh("")
	}
}

// moveSubs gives every subscription whose shard is another one than before to that one's subscriber.
func (b *Bus) moveSubs(before, now *routes) {
	var lost []func(error)
	for i := range b.names.parts {
		p := &b.names.parts[i]
		p.mu.Lock()
		for _, c := range p.byName {
			s := now.of(c.slot)
			if before.of(c.slot) == s {
				continue
			}
			if !s.changes.add(c) && !c.wanted {
				p.forgetLocked(c)
			}
			if c.waiters != nil && !s.changes.adopt(c.waiters) {
				lost = append(lost, c.takeLocked()...)
			}
		}
		p.mu.Unlock()
		for _, done := range lost {
			done(ErrDown)
		}
		lost = lost[:0]
	}
}

// tellOver tells the waiters for subscriptions of a hold that it is over.
func (b *Bus) tellOver(h *hold, lists ...[]*sub) {
	for _, list := range lists {
		for _, c := range list {
			p := b.names.lock(c)
			var waiting []func(error)
			if c.waiters != nil && c.waiters.on == h {
				waiting = c.takeLocked()
			}
			p.mu.Unlock()
			for _, done := range waiting {
				done(ErrDown)
			}
		}
	}
}

// lapses are the names that were subscribed again after Redis had ended their subscriptions.
type lapses struct {
	mu sync.Mutex
	// Guarded by mu.
	names []string
}

func (l *lapses) add(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = append(l.names, name)
}

func (l *lapses) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := l.names
	l.names = nil
	return names
}
