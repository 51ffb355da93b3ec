package cluster

import (
	"container/list"
	"sync/atomic"
	"time"

	"reverb/protocol"
)

// interest is one channel that this node needs, from the first Join until some time after the last Leave.
//
// Its way: subscribed (Redis was asked) → held (Redis has confirmed, or is down; the channel is in the hub) → open (the cached event and
// the roster are in the hub too; what waited is let in) → idle (nobody needs it) → released.
type interest struct {
	// Constant after construction.
	app, channel string
	name         string // of the Redis channel
	kind         protocol.Kind
	opened       func(*interest) // called once, when everything that hold has begun is ready

	// Atomic.
	opening  atomic.Int32 // how many things must be ready before it is open
	stale    atomic.Bool  // a message was dropped: the cached event and the roster are about to be fetched again
	occupied atomic.Bool  // there are Joins; written with the mutex of its shard of interests held
	vouched  atomic.Bool  // Redis was told so, or may have been

	last lastEvent

	// Owned by the channel's lane.
	gaps gapFinder
	held bool

	// Guarded by the mutex of its shard of interests.
	refs    int // Joins that were not given back
	open    bool
	waiting []func(error) // Joins that came before it was open
	since   time.Time     // when it became idle
	idle    *list.Element // in the list of its shard; nil: it is needed
}

// ready tells that one of the things that the opening waits for is there. It may be called from any goroutine, with no lock held.
func (c *interest) ready() {
	if c.opening.Add(-1) == 0 {
		c.opened(c)
	}
}
