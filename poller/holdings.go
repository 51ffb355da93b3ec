package poller

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// holdings counts what all outboxes hold by what it costs: a frame that waits for a thousand sockets is one frame. A frame is known by
// where it begins, which no other can have while an outbox keeps it alive. Only frames that wait come here: a frame that a socket takes
// at once costs nothing of this.
type holdings struct {
	seed   maphash.Seed // constant
	shards [holdingShards]holdingShard

	bytes atomic.Int64 // of the frames, each once, and frameCost for each place in an outbox
}

// holdingShards is a power of two. Receivers of one frame meet in one shard.
const holdingShards = 64

type holdingShard struct {
	mu     sync.Mutex // a leaf
	frames map[*byte]holding
	_      [48]byte // the next shard's lock has its own cache line
}

// holding is one frame that waits.
type holding struct {
	places int32 // in outboxes
	size   int64 // bytes
}

func (h *holdings) init() {
	h.seed = maphash.MakeSeed()
	for i := range h.shards {
		h.shards[i].frames = make(map[*byte]holding)
	}
}

func (h *holdings) shard(frame []byte) *holdingShard {
	return &h.shards[maphash.Comparable(h.seed, &frame[0])%holdingShards]
}

// hold notes that frame, which is not empty, waits in one outbox more.
func (h *holdings) hold(frame []byte) {
	cost := int64(frameCost)
	s := h.shard(frame)
	s.mu.Lock()
	held := s.frames[&frame[0]]
	if held.places == 0 {
		held.size = int64(len(frame))
		cost += held.size
	}
	held.places++
	s.frames[&frame[0]] = held
	s.mu.Unlock()
	h.bytes.Add(cost)
}

// release notes that frame waits in one outbox less.
func (h *holdings) release(frame []byte) {
	cost := int64(frameCost)
	s := h.shard(frame)
	s.mu.Lock()
	held := s.frames[&frame[0]]
	if held.places--; held.places == 0 {
		cost += held.size
		delete(s.frames, &frame[0])
	} else {
		s.frames[&frame[0]] = held
	}
	s.mu.Unlock()
	h.bytes.Add(-cost)
}
