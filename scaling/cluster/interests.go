package cluster

import (
	"hash/maphash"
	"sync"
	"time"
)

// interestShards is in how many parts the interests are kept, a power of two: of a million a part has a thousand, and whoever goes through
// all of them holds one part at a time.
const interestShards = 1024

// releasedAtOnce is how many interests are released before the lock of their part is given back, for which an event loop may wait.
const releasedAtOnce = 64

// interests are the channels that this node needs, by the name of the Redis channel.
//
// The mutex of a shard is taken before that of a lane or of the bus: both are asked under it, because what one channel asks for must
// reach them in the order in which it was decided here. Neither calls back under it.
type interests struct {
	seed   maphash.Seed // constant
	shards [interestShards]interestShard
}

type interestShard struct {
	mu sync.RWMutex
	// Guarded by mu.
	byName map[string]*interest
	idle   []idleInterest // in the order in which they became idle
	closed bool
}

// idleInterest says that c became idle at a time; it is no longer true if c.idle has changed.
type idleInterest struct {
	c  *interest
	at time.Time
}

func newInterests() *interests {
	t := &interests{seed: maphash.MakeSeed()}
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
	if c.refs == 0 {
		c.idle = now
		sh.idle = append(sh.idle, idleInterest{c, now})
	}
}

// release takes out what has been idle since before and calls end for each, under the lock.
func (t *interests) release(before time.Time, end func(*interest)) {
	for i := range t.shards {
		for t.shards[i].releaseSome(before, end) {
			continue
		}
	}
}

// releaseSome releases at most releasedAtOnce, and says whether there may be more.
func (sh *interestShard) releaseSome(before time.Time, end func(*interest)) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n := 0
	for ; n < min(len(sh.idle), releasedAtOnce) && !sh.idle[n].at.After(before); n++ {
		c := sh.idle[n].c
		if c.refs == 0 && c.idle.Equal(sh.idle[n].at) && sh.byName[c.name] == c {
			delete(sh.byName, c.name)
			end(c)
		}
	}
	clear(sh.idle[:n])
	if sh.idle = sh.idle[n:]; len(sh.idle) == 0 {
		sh.idle = nil
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
