package cluster

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"reverb/scaling"
	"reverb/scaling/bus"
)

// outlets are the channels that this node has lately published to, with the sequence of each.
//
// A sequence is taken and its event handed to the bus under one lock, or they would pass each other. Sequences of a shard only grow,
// also when a channel was forgotten in between: a receiver that remembers more than this node never takes a new event for an old one.
type outlets struct {
	// Constant.
	names names
	node  nodeID
	seed  maphash.Seed
	start time.Time

	clock  atomic.Uint32 // seconds since start, as of the last sweep
	shards [outletShards]outletShard
}

// outletShard remembers in two ages: what was published to of late, and what was so before the last turn and will be forgotten at the next.
// A turn costs the same however much is forgotten: an event loop may wait for it.
type outletShard struct {
	mu sync.Mutex
	// Guarded by mu.
	recent map[channelKey]*outlet
	before map[channelKey]*outlet
	top    uint64 // the highest sequence there ever was: a channel that was forgotten begins after it
}

type channelKey struct{ app, channel string }

// outlet is one channel. It is guarded by its shard's mutex.
type outlet struct {
	name string // of the Redis channel
	seq  uint64 // of the last event
}

const (
	outletShards = 64
	outletIdle   = 60      // seconds from turn to turn: a channel is forgotten after one or two of them
	outletMany   = 1 << 13 // channels of an age; with more there is a turn
)

func newOutlets(n names, node nodeID) *outlets {
	t := &outlets{names: n, node: node, seed: maphash.MakeSeed(), start: time.Now()}
	for i := range t.shards {
		t.shards[i].recent = make(map[channelKey]*outlet)
	}
	return t
}

// publish gives m its sequence and hands it to the bus.
func (t *outlets) publish(b *bus.Bus, m scaling.Message, keep *bus.Keep) (seq uint64, err error) {
	key := channelKey{m.App, m.Channel}
	sh := &t.shards[maphash.Comparable(t.seed, key)%outletShards]
	e := event{node: t.node, cache: m.Cache, except: m.Except, payload: m.Payload}
	buffer := make([]byte, 0, eventRoom+len(m.Payload))

	sh.mu.Lock()
	defer sh.mu.Unlock()
	o := sh.recent[key]
	if o == nil {
		o, e.first = sh.addLocked(t.names, key)
	}
	o.seq++
	sh.top = max(sh.top, o.seq)
	e.seq = o.seq
	if b.Publish(bus.Message{Name: o.name, Payload: appendEvent(buffer, e), Keep: keep}) != nil {
		return e.seq, scaling.ErrDropped
	}
	return e.seq, nil
}

// addLocked makes a channel one of the recent, and says whether it is new.
func (sh *outletShard) addLocked(n names, key channelKey) (o *outlet, fresh bool) {
	o = sh.before[key]
	if fresh = o == nil; fresh {
		o = &outlet{name: n.events(key.app, key.channel), seq: sh.top}
	}
	if len(sh.recent) >= outletMany {
		sh.turnLocked()
	}
	sh.recent[key] = o
	return o, fresh
}

// turnLocked forgets what was not published to since the turn before.
func (sh *outletShard) turnLocked() {
	sh.before, sh.recent = sh.recent, make(map[channelKey]*outlet)
}

// now is the clock: seconds since the start, as of the last sweep.
func (t *outlets) now() uint32 { return t.clock.Load() }

// sweep moves the clock, and forgets what is idle.
func (t *outlets) sweep(now time.Time) {
	seconds := uint32(now.Sub(t.start) / time.Second)
	if last := t.clock.Swap(seconds); last/outletIdle == seconds/outletIdle {
		return
	}
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		sh.turnLocked()
		sh.mu.Unlock()
	}
}
