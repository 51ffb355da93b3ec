package cluster

import (
	"hash/maphash"
	"math"
	"sync"
)

// replicaShards is in how many parts the replicas are kept, a power of two.
const replicaShards = 256

// replicas are the rosters that this node follows, by events name. All of them are gone through part by part, so that no lane waits for
// long. A replica is added and removed on its channel's lane.
type replicas struct {
	seed   maphash.Seed // constant
	shards [replicaShards]replicaShard
}

type replicaShard struct {
	mu sync.Mutex
	// Guarded by mu.
	byEvents map[string]*replica // nil until there is one
}

func newReplicas() *replicas { return &replicas{seed: maphash.MakeSeed()} }

func (t *replicas) shard(events string) *replicaShard {
	return &t.shards[maphash.String(t.seed, events)%replicaShards]
}

// find returns the replica of a channel, nil if there is none.
func (t *replicas) find(events string) *replica {
	sh := t.shard(events)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.byEvents[events]
}

func (t *replicas) add(r *replica) {
	sh := t.shard(r.events)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.byEvents == nil {
		sh.byEvents = make(map[string]*replica)
	}
	sh.byEvents[r.events] = r
}

func (t *replicas) remove(r *replica) {
	sh := t.shard(r.events)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.byEvents, r.events)
}

// some are replicas of a part, at most n.
func (t *replicas) some(part, n int) (some []*replica) {
	sh := &t.shards[part]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, r := range sh.byEvents {
		if len(some) >= n {
			break
		}
		some = append(some, r)
	}
	return some
}

// each calls do for every replica, with no lock held.
func (t *replicas) each(do func(*replica)) {
	for i := range t.shards {
		for _, r := range t.some(i, math.MaxInt) {
			do(r)
		}
	}
}
