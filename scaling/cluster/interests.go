package cluster

import (
	"container/list"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// interestShards is in how many parts the interests are kept, a power of two: of a million a part has a thousand, and a walk over all of
// them holds one part at a time.
const interestShards = 1024

// releasedAtOnce is how many interests are released before the lock of their part is given back, for which an event loop may wait.
const releasedAtOnce = 64

// interests are the channels that this node needs, by the name of the Redis channel.
//
// The mutex of a shard is taken before that of a lane or of the bus: both are asked under it, because what one channel asks for must
// reach them in the order in which it was decided here. Neither calls back under it.
type interests struct {
	seed   maphash.Seed         // constant
	resume func(*interest) bool // constant: called for the first Join of an open channel; true: it opens again later. nil: no
	idled  func(*interest)      // constant: called for the last Leave of a channel; may be nil
	end    func(*interest)      // constant: called for a channel that nobody has needed for a while
	most   int64                // constant: bytes of the idle ones
	shards [interestShards]interestShard

	idle atomic.Int64 // bytes of the idle ones
}

type interestShard struct {
	mu sync.RWMutex
	// Guarded by mu.
	byName map[string]*interest
	idle   list.List // of *interest, in the order in which they became idle
	closed bool
}

// The cost of an interest beside its name, which several tables have, in bytes; Redis' part and the room of the garbage collector included.
const (
	interestBytes = 1 << 10
	presenceBytes = 4 << 10 // more, for the roster
	nameCopies    = 3
)

func (c *interest) cost() int64 {
	cost := int64(interestBytes + nameCopies*len(c.name))
	if c.kind.IsPresence() {
		cost += presenceBytes
	}
	return cost
}

// newInterests makes a table that keeps idle channels for most bytes. end is called, under the lock, for a channel that is let go.
func newInterests(most int64, end func(*interest)) *interests {
	t := &interests{seed: maphash.MakeSeed(), most: most, end: end}
	for i := range t.shards {
		t.shards[i].byName = make(map[string]*interest)
	}
	return t
}

func (t *interests) shard(name string) *interestShard {
	return &t.shards[maphash.String(t.seed, name)%interestShards]
}

// find returns the interest in a Redis channel, nil if there is none.
func (t *interests) find(name string) *interest {
	sh := t.shard(name)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.byName[name]
}

// acquire counts one more Join of the channel and reports whether it is open; if not, enter is called when it is, or with an error when
// it never will be. create makes the interest if there is none, and begin is called for it, under the lock. ok is false when the table
// is closed.
func (t *interests) acquire(name string, create func() *interest, begin func(*interest), enter func(error)) (open, ok bool) {
	sh := t.shard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return false, false
	}
	c := sh.byName[name]
	if c == nil {
		c = create()
		sh.byName[name] = c
		begin(c)
	}
	c.refs++
	if c.refs == 1 {
		c.occupied.Store(true)
		t.wakeLocked(sh, c)
		if c.open && t.resume != nil && t.resume(c) {
			c.open = false
		}
	}
	if !c.open {
		c.waiting = append(c.waiting, enter)
	}
	return c.open, true
}

// open lets in what waited.
func (t *interests) open(c *interest) {
	sh := t.shard(c.name)
	sh.mu.Lock()
	c.open = true
	waiting := c.waiting
	c.waiting = nil
	sh.mu.Unlock()
	for _, enter := range waiting {
		enter(nil)
	}
}

// drop gives back what one acquire has taken.
func (t *interests) drop(name string, now time.Time) {
	sh := t.shard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	c := sh.byName[name]
	if c == nil || c.refs == 0 {
		return
	}
	c.refs--
	if c.refs > 0 {
		return
	}
	c.occupied.Store(false)
	if t.idled != nil {
		t.idled(c)
	}
	c.since, c.idle = now, sh.idle.PushBack(c)
	for t.idle.Add(c.cost()); t.idle.Load() > t.most && sh.idle.Len() > 0; {
		t.endLocked(sh, sh.idle.Front().Value.(*interest))
	}
}

// wakeLocked takes an interest that is needed again off the list of the idle ones.
func (t *interests) wakeLocked(sh *interestShard, c *interest) {
	if c.idle != nil {
		sh.idle.Remove(c.idle)
		c.idle = nil
		t.idle.Add(-c.cost())
	}
}

// endLocked lets go of an idle interest.
func (t *interests) endLocked(sh *interestShard, c *interest) {
	t.wakeLocked(sh, c)
	delete(sh.byName, c.name)
	t.end(c)
}

// release lets go of what has been idle since before.
func (t *interests) release(before time.Time) {
	for i := range t.shards {
		for t.releaseSome(&t.shards[i], before) {
			continue
		}
	}
}

// releaseSome lets go of at most releasedAtOnce, and says whether there may be more.
func (t *interests) releaseSome(sh *interestShard, before time.Time) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n := 0
	for ; n < releasedAtOnce && sh.idle.Len() > 0; n++ {
		first := sh.idle.Front().Value.(*interest)
		if first.since.After(before) {
			return false
		}
		t.endLocked(sh, first)
	}
	return n == releasedAtOnce
}

// each calls do, with no lock held, for every interest that is wanted.
func (t *interests) each(wanted func(*interest) bool, do func(*interest)) {
	var some []*interest
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.RLock()
		for _, c := range sh.byName {
			if wanted(c) {
				some = append(some, c)
			}
		}
		sh.mu.RUnlock()
		for _, c := range some {
			do(c)
		}
		some = some[:0]
	}
}

// count is how many interests there are.
func (t *interests) count() (n int) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.RLock()
		n += len(sh.byName)
		sh.mu.RUnlock()
	}
	return n
}

// close refuses further Joins and returns those that wait for a channel that will not open any more.
func (t *interests) close() (waiting []func(error)) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		sh.closed = true
		for _, c := range sh.byName {
			waiting = append(waiting, c.waiting...)
			c.waiting = nil
		}
		sh.mu.Unlock()
	}
	return waiting
}
