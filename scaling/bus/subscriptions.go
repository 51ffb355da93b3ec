package bus

import (
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"reverb/scaling/redis"
)

var errLapsed = errors.New("subscriptions moved to another master")

// shardCount is in how many shards the names are kept, a power of two: of a million names a shard has a thousand, which one goes through in
// about 0.1 ms.
const shardCount = 1024

// subscriptions are the subscribed names, in shards: a walk over all of them, as after a loss of Redis, holds one shard at a time, and
// subscribe waits for no more than that. A shard's lock may be held when that of the changes of a subscriber is taken. All methods may be
// called from any goroutine.
type subscriptions struct {
	// Constant after construction.
	cluster  bool
	scout    *scout
	news     chan struct{} // woken when a subscriber has all that is wanted, and when names lapsed
	unserved *subscriber   // of the names of which it is not known which master they are for
	seed     maphash.Seed

	closed atomic.Bool
	routes atomic.Pointer[routes[*subscriber]]
	lapses lapses
	shards [shardCount]shard
}

// shard is one part of the names.
type shard struct {
	mu sync.Mutex
	// Guarded by mu.
	byName map[string]*sub // nil until there is one
}

// hold is the time for which a subscriber keeps one link. A subscription is confirmed on a hold: when the link is lost no subscription has
// to be told.
type hold struct {
	subscriber *subscriber // constant
	over       atomic.Bool // the link is lost
}

// sub is one subscribed name. There may be millions.
type sub struct {
	// Constant.
	name  string
	shard uint16
	slot  uint16

	// Guarded by the mutex of the shard.
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

func newSubscriptions(cluster bool, s *scout) *subscriptions {
	n := &subscriptions{cluster: cluster, scout: s, news: make(chan struct{}, 1), seed: maphash.MakeSeed()}
	n.unserved = newSubscriber(n)
	n.routes.Store(&routes[*subscriber]{only: n.unserved})
	return n
}

func (n *subscriptions) shardOf(name string) uint16 {
	return uint16(maphash.String(n.seed, name) % shardCount)
}

// subscriberOf is the one that has to see to a subscription.
func (n *subscriptions) subscriberOf(c *sub) *subscriber { return n.routes.Load().of(c.slot) }

// lock locks the shard of a subscription and returns it.
func (n *subscriptions) lock(c *sub) *shard {
	sh := &n.shards[c.shard]
	sh.mu.Lock()
	return sh
}

// forgetLocked takes out a subscription.
func (sh *shard) forgetLocked(c *sub) {
	if sh.byName[c.name] == c {
		delete(sh.byName, c.name)
	}
}

// takeLocked returns the callbacks that wait for the subscription.
func (c *sub) takeLocked() (done []func(error)) {
	if c.waiters != nil {
		done, c.waiters = c.waiters.done, nil
	}
	return done
}

func (n *subscriptions) subscribe(name string, done func(error)) {
	if n.closed.Load() {
		done(ErrClosed)
		return
	}
	i := n.shardOf(name)
	sh := &n.shards[i]
	sh.mu.Lock()
	c := sh.byName[name]
	if c == nil {
		c = &sub{name: name, shard: i}
		if n.cluster {
			c.slot = redis.SlotOf(name)
		}
		if sh.byName == nil {
			sh.byName = make(map[string]*sub)
		}
		sh.byName[name] = c
	}
	c.wanted = true
	waits, err := n.subscriberOf(c).changes.want(c, done)
	sh.mu.Unlock()
	if !waits {
		done(err)
	}
}

func (n *subscriptions) unsubscribe(name string) {
	sh := &n.shards[n.shardOf(name)]
	sh.mu.Lock()
	c := sh.byName[name]
	if c == nil || !c.wanted {
		sh.mu.Unlock()
		return
	}
	c.wanted = false
	waiting := c.takeLocked()
	if !n.subscriberOf(c).changes.add(c) {
		sh.forgetLocked(c)
	}
	sh.mu.Unlock()
	tell(waiting, ErrUnsubscribed)
}

func tell(waiting []func(error), err error) {
	for _, done := range waiting {
		done(err)
	}
}

// expelled is called when Redis ended a subscription: when we asked for it, or because the slot moved to another master.
func (n *subscriptions) expelled(h *hold, name string) {
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
		n.scout.look("")
	}
}

// move gives every subscription of which the subscriber is another one than before to that one.
func (n *subscriptions) move(now *routes[*subscriber]) {
	before := n.routes.Swap(now)
	for i := range n.shards {
		tell(n.moveShard(&n.shards[i], before, now), ErrDown)
	}
}

// moveShard is move for one shard. It returns the callbacks that would wait in vain.
func (n *subscriptions) moveShard(sh *shard, before, now *routes[*subscriber]) (lost []func(error)) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, c := range sh.byName {
		s := now.of(c.slot)
		if before.of(c.slot) == s {
			continue
		}
		if !s.changes.add(c) && !c.wanted {
			sh.forgetLocked(c)
		}
		if c.waiters != nil && !s.changes.adopt(c.waiters) {
			lost = append(lost, c.takeLocked()...)
		}
	}
	return lost
}

// again has the subscriber look again at what Redis did not take, or did not end.
func (n *subscriptions) again(s *subscriber, group []*sub) {
	for _, c := range group {
		sh := n.lock(c)
		if n.subscriberOf(c) == s {
			s.changes.add(c)
		}
		sh.mu.Unlock()
	}
}

// confirmed notes what Redis has subscribed, and tells the waiters.
func (n *subscriptions) confirmed(h *hold, group []*sub) {
	s, lapsed := h.subscriber, false
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
		poke(n.news)
	}
}

// ended forgets what Redis has unsubscribed and is not wanted any more.
func (n *subscriptions) ended(group []*sub) {
	for _, c := range group {
		sh := n.lock(c)
		if !c.wanted {
			sh.forgetLocked(c)
		}
		sh.mu.Unlock()
	}
}

// over tells the waiters for subscriptions of a hold that it is over.
func (n *subscriptions) over(h *hold, all []*sub) {
	for _, c := range all {
		sh := n.lock(c)
		var waiting []func(error)
		if c.waiters != nil && c.waiters.on == h {
			waiting = c.takeLocked()
		}
		sh.mu.Unlock()
		tell(waiting, ErrDown)
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
