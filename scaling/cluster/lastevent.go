package cluster

import (
	"sync"
	"time"
)

// lastEvent keeps what this node has cached for a channel equal to what Redis has, though a node has its own events at once and those of
// the others in Redis' order:
//
//   - What was fetched from Redis does not replace what came while it was being fetched.
//   - What came from another node does not replace an own event that is still on its way to Redis, because Redis will put it after.
type lastEvent struct {
	mu sync.Mutex
	// Guarded by mu.
	changes uint64    // grows with every event that was cached
	sent    uint64    // sequence of the last own event that was cached
	echoed  uint64    // sequence of the last own event that came back
	until   time.Time // when sent is taken for lost, if it did not come back
}
