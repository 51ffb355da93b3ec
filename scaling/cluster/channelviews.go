package cluster

import (
	"hash/maphash"
	"math"
	"sync"
)

// viewShards is in how many parts the views are kept, a power of two.
const viewShards = 256

// channelViews are the presence channels that this node follows, by events name. All of them are gone through part by part, so that no lane waits
// for long. A view is added and removed on its channel's lane.
type channelViews struct {
	seed   maphash.Seed // constant
	shards [viewShards]viewShard
}

type viewShard struct {
	mu sync.Mutex
	// Guarded by mu.
	byEvents map[string]*channelView // nil until there is one
}

func newChannelViews() *channelViews { return &channelViews{seed: maphash.MakeSeed()} }

func (t *channelViews) shard(events string) *viewShard {
	return &t.shards[maphash.String(t.seed, events)%viewShards]
}

// find returns the view of a channel, nil if there is none.
func (t *channelViews) find(events string) *channelView {
	sh := t.shard(events)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.byEvents[events]
}

func (t *channelViews) add(c *channelView) {
	sh := t.shard(c.events)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.byEvents == nil {
		sh.byEvents = make(map[string]*channelView)
	}
	sh.byEvents[c.events] = c
}

func (t *channelViews) remove(c *channelView) {
	sh := t.shard(c.events)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.byEvents, c.events)
}

// some are views of a part, at most n.
func (t *channelViews) some(part, n int) (some []*channelView) {
	sh := &t.shards[part]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, c := range sh.byEvents {
		if len(some) >= n {
			break
		}
		some = append(some, c)
	}
	return some
}

// each calls do for every view, with no lock held.
func (t *channelViews) each(do func(*channelView)) {
	for i := range t.shards {
		for _, c := range t.some(i, math.MaxInt) {
			do(c)
		}
	}
}
