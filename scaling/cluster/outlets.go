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
	shards [shardCount]outletShard
}

type outletShard struct {
	mu sync.Mutex
	// Guarded by mu.
	byChannel map[channelKey]*outlet
	highest   uint64 // sequence of those that were forgotten
}

type channelKey struct{ app, channel string }

// outlet is one channel. It is guarded by its shard's mutex.
type outlet struct {
	name string // of the Redis channel
	seq  uint64 // of the last event
	used uint32 // the clock then
}

const (
	outletIdle = 60      // seconds after which a channel is forgotten
	outletMany = 1 << 14 // channels that a shard remembers; with more it forgets them all
)

func newOutlets(n names, node nodeID) *outlets {
	t := &outlets{names: n, node: node, seed: maphash.MakeSeed(), start: time.Now()}
	for i := range t.shards {
		t.shards[i].byChannel = make(map[channelKey]*outlet)
	}
	return t
}

// publish gives m its sequence and hands it to the bus.
func (t *outlets) publish(b *bus.Bus, m scaling.Message, keep *bus.Keep) (seq uint64, err error) {
	key := channelKey{m.App, m.Channel}
	sh := &t.shards[maphash.Comparable(t.seed, key)%shardCount]
	e := event{node: t.node, cache: m.Cache, except: m.Except, payload: m.Payload}
	buffer := make([]byte, 0, eventRoom+len(m.Payload))

	sh.mu.Lock()
	defer sh.mu.Unlock()
	o := sh.byChannel[key]
	if o == nil {
		o = t.addLocked(sh, key)
		e.first = true
	}
	o.seq++
	o.used = t.clock.Load()
	e.seq = o.seq
	if b.Publish(bus.Message{Name: o.name, Payload: appendEvent(buffer, e), Keep: keep}) != nil {
		return e.seq, scaling.ErrDropped
	}
	return e.seq, nil
}

func (t *outlets) addLocked(sh *outletShard, key channelKey) *outlet {
	if len(sh.byChannel) >= outletMany {
		sh.forgetLocked(func(*outlet) bool { return true })
	}
	o := &outlet{name: t.names.events(key.app, key.channel), seq: sh.highest}
	sh.byChannel[key] = o
	return o
}

func (sh *outletShard) forgetLocked(old func(*outlet) bool) {
	for key, o := range sh.byChannel {
		if old(o) {
			sh.highest = max(sh.highest, o.seq)
			delete(sh.byChannel, key)
		}
	}
}

// now is the clock: seconds since the start, as of the last sweep.
func (t *outlets) now() uint32 { return t.clock.Load() }

// sweep moves the clock and forgets, once every few seconds, what is idle.
func (t *outlets) sweep(now time.Time) {
	seconds := uint32(now.Sub(t.start) / time.Second)
	if last := t.clock.Swap(seconds); last/10 == seconds/10 {
		return
	}
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		sh.forgetLocked(func(o *outlet) bool { return seconds-o.used > outletIdle })
		sh.mu.Unlock()
	}
}
