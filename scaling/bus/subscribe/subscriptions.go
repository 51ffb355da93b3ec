package subscribe

import (
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"reverb/scaling/redis"
)

// ErrUnsubscribed says that the name was unsubscribed before Redis confirmed its subscription.
var ErrUnsubscribed = errors.New("unsubscribed meanwhile")

// shardCount is in how many shards the names are kept, a power of two: of a million names a shard has a thousand, which one goes through in
// about 0.1 ms.
const shardCount = 1024

// Subscriptions are the subscribed names, in shards: a walk over all of them, as after a loss of Redis, holds one shard at a time, and
// Subscribe waits for no more than that. A shard's lock may be held when that of the changes of a subscriber is taken. All methods may be
// called from any goroutine.
type Subscriptions struct {
	// Constant after construction.
	options  Options
	unserved *Subscriber // of the names of which it is not known which master they are for
	seed     maphash.Seed

	closed atomic.Bool
	routes atomic.Pointer[redis.Routes[*Subscriber]]
	lapses lapses
	shards [shardCount]shard
}

// Options of Subscriptions.
type Options struct {
	Cluster bool              // channels are sharded
	Look    func(hint string) // has the masters looked for, at this server first when it is not empty; it does not wait
	News    func()            // is called when a subscriber has all that is wanted, and when names lapsed; it does not wait
}

// shard is one part of the names.
type shard struct {
	mu sync.Mutex
	// Guarded by mu.
	byName map[string]*sub // nil until there is one
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
	on      *Hold    // where Redis has confirmed it; nil: nowhere
	dirty   *Hold    // where the subscriber is about to look at it
	waiters *waiters // nil: none
}

// waiters are called when a subscription is confirmed, or the hold it was asked for on is over.
type waiters struct {
	on   *Hold
	done []func(error)
}

// New makes subscriptions that know no master yet.
func New(o Options) *Subscriptions {
	n := &Subscriptions{options: o, seed: maphash.MakeSeed()}
	n.unserved = n.NewSubscriber()
	n.routes.Store(redis.NewRoutes(nil, o.Cluster, n.unserved, nil))
	return n
}

func (n *Subscriptions) shardOf(name string) uint16 {
	return uint16(maphash.String(n.seed, name) % shardCount)
}

// subscriberOf is the one that has to see to a subscription.
func (n *Subscriptions) subscriberOf(c *sub) *Subscriber { return n.routes.Load().Of(c.slot) }

// lock locks the shard of a subscription and returns it.
func (n *Subscriptions) lock(c *sub) *shard {
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

// Subscribe asks for a name. done is called once: with nil when Redis has confirmed, with redis.ErrDown at once when Redis is down: then the
// name is subscribed when it is back.
func (n *Subscriptions) Subscribe(name string, done func(error)) {
	if n.closed.Load() {
		done(redis.ErrClosed)
		return
	}
	i := n.shardOf(name)
	sh := &n.shards[i]
	sh.mu.Lock()
	c := sh.byName[name]
	if c == nil {
		c = &sub{name: name, shard: i}
		if n.options.Cluster {
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

// Unsubscribe ends a subscription.
func (n *Subscriptions) Unsubscribe(name string) {
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

// Move makes the subscribers those of other masters, by their addresses: every subscription goes to the one that has its slot now.
func (n *Subscriptions) Move(masters []redis.Master, of func(addr string) *Subscriber) {
	now := redis.NewRoutes(masters, n.options.Cluster, n.unserved, of)
	before := n.routes.Swap(now)
	for i := range n.shards {
		tell(n.moveShard(&n.shards[i], before, now), redis.ErrDown)
	}
}

// moveShard is move for one shard. It returns the callbacks that would wait in vain.
func (n *Subscriptions) moveShard(sh *shard, before, now *redis.Routes[*Subscriber]) (lost []func(error)) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, c := range sh.byName {
		s := now.Of(c.slot)
		if before.Of(c.slot) == s {
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

// Lapsed takes the names that were subscribed again after their subscriptions had ended because their slot moved to another master.
func (n *Subscriptions) Lapsed() []string { return n.lapses.take() }

// Close refuses what is subscribed from now on.
func (n *Subscriptions) Close() { n.closed.Store(true) }

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
