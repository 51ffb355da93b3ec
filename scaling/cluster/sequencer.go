package cluster

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"reverb/scaling"
	"reverb/scaling/bus"
)

// sequencer numbers what this node publishes. It remembers the channels that the node has lately published to, with the sequence of each.
//
// A sequence is taken and its event handed to the bus under one lock, or they would pass each other. Sequences of a shard only grow,
// also when a channel was forgotten in between: a receiver that remembers more than this node never takes a new event for an old one.
type sequencer struct {
	// Constant.
	names names
	node  nodeID
	seed  maphash.Seed
	start time.Time
	most  [2]int64 // bytes of an age of a shard, by publishers

	clock  atomic.Uint32 // seconds since start, as of the last sweep
	shards [sequencerShards]sequencerShard
}

type sequencerShard struct {
	mu sync.Mutex
	// Guarded by mu.
	ages [2]sequenceAges // by publishers
	top  uint64          // the highest sequence there ever was: a channel that was forgotten begins after it
}

// sequenceAges remember in two ages: the channels that were published to of late, and those before the last turn, which the next one forgets.
// A turn costs the same however much is forgotten: an event loop may wait for it.
type sequenceAges struct {
	recent map[channelKey]*sequence
	before map[channelKey]*sequence
	bytes  int64 // of recent
}

// publishers tell who publishes to a channel: the HTTP API, perhaps among others, or clients alone, which must not make this node remember much.
type publishers int

const (
	theAPI publishers = iota
	clientsAlone
)

type channelKey struct{ app, channel string }

// sequence is one channel. It is guarded by its shard's mutex.
type sequence struct {
	name string // of the Redis channel
	seq  uint64 // of the last event
}

const (
	sequencerShards = 64
	sequenceIdle    = 60  // seconds from turn to turn: a channel is forgotten after one or two of them
	sequenceBytes   = 256 // what a channel costs beside its two names
)

func (o *sequence) cost() int64 { return int64(sequenceBytes + 2*len(o.name)) }

// newSequencer makes a table that remembers as many channels as fit into so many bytes, by publishers; with more there is a turn.
func newSequencer(n names, node nodeID, bytes [2]int64) *sequencer {
	t := &sequencer{names: n, node: node, seed: maphash.MakeSeed(), start: time.Now()}
	for by, all := range bytes {
		t.most[by] = all / 2 / sequencerShards
	}
	for i := range t.shards {
		for by := range t.shards[i].ages {
			t.shards[i].ages[by].turnLocked()
		}
	}
	return t
}

// publish gives m its sequence and hands it to the bus.
func (t *sequencer) publish(b *bus.Bus, m scaling.Message, keep *bus.Keep) (seq uint64, err error) {
	key := channelKey{m.App, m.Channel}
	sh := &t.shards[maphash.Comparable(t.seed, key)%sequencerShards]
	e := event{node: t.node, cache: m.Cache, client: m.Client, except: m.Except, payload: m.Payload}
	buffer := make([]byte, 0, eventRoom+m.Payload.Size())

	sh.mu.Lock()
	defer sh.mu.Unlock()
	o := sh.ages[theAPI].recent[key]
	if o == nil && m.Client {
		o = sh.ages[clientsAlone].recent[key]
	}
	if o == nil {
		o, e.first = t.addLocked(sh, key, m.Client)
	}
	o.seq++
	sh.top = max(sh.top, o.seq)
	e.seq = o.seq
	if b.Publish(bus.Message{Name: o.name, Payload: appendEvent(buffer, e), Keep: keep, Yields: m.Client}) != nil {
		return e.seq, scaling.ErrDropped
	}
	return e.seq, nil
}

// addLocked makes a channel one of the recent, and says whether it is new.
func (t *sequencer) addLocked(sh *sequencerShard, key channelKey, client bool) (o *sequence, fresh bool) {
	api, alone := &sh.ages[theAPI], &sh.ages[clientsAlone]
	ages, most := api, t.most[theAPI]
	o = api.before[key]
	if o == nil && client {
		ages, most = alone, t.most[clientsAlone]
		o = alone.before[key]
	}
	if o == nil && !client { // it was the clients' until now
		if o = alone.recent[key]; o != nil {
			delete(alone.recent, key)
			alone.bytes -= o.cost()
		} else {
			o = alone.before[key]
		}
	}
	if fresh = o == nil; fresh {
		o = &sequence{name: t.names.events(key.app, key.channel), seq: sh.top}
	}
	if ages.bytes+o.cost() > most {
		ages.turnLocked()
	}
	ages.recent[key] = o
	ages.bytes += o.cost()
	return o, fresh
}

// turnLocked forgets what was not published to since the turn before.
func (a *sequenceAges) turnLocked() {
	a.before, a.recent, a.bytes = a.recent, make(map[channelKey]*sequence), 0
}

// now is the clock: seconds since the start, as of the last sweep.
func (t *sequencer) now() uint32 { return t.clock.Load() }

// sweep moves the clock, and forgets what is idle.
func (t *sequencer) sweep(now time.Time) {
	seconds := uint32(now.Sub(t.start) / time.Second)
	if last := t.clock.Swap(seconds); last/sequenceIdle == seconds/sequenceIdle {
		return
	}
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		for by := range sh.ages {
			sh.ages[by].turnLocked()
		}
		sh.mu.Unlock()
	}
}
