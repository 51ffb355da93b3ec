package cluster

import (
	"sync"
	"sync/atomic"
	"time"
)

// lastEvent keeps what this node has cached for a channel equal to what Redis has, though a node has its own events at once and those of
// the others in Redis' order:
//
//   - What was fetched from Redis does not replace what came while it was being fetched.
//   - What was fetched or came from another node does not replace an own event that is still on its way to Redis, because Redis will put
//     that after it.
//
// Its lock is held while an event is handed to the node, which is else against the rules: between the decision and the deed nothing may
// come.
type lastEvent struct {
	client atomic.Bool // the last event is a client's; written with mu held

	mu sync.Mutex
	// Guarded by mu.
	changes uint64    // grows with every event that was cached
	sent    uint64    // sequence of the last own event that was cached
	echoed  uint64    // sequence of the last own event that came back
	until   time.Time // when sent is taken for lost if it has not come back
}

// version is what fetched needs to know whether something came in between.
func (l *lastEvent) version() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes
}

// fetched calls store if what was fetched since version is the latest, and reports whether something came in between.
func (l *lastEvent) fetched(version uint64, now time.Time, client bool, store func()) (overtaken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changes == version && !l.pendingLocked(now) {
		l.client.Store(client)
		store()
	}
	return l.changes != version
}

// pendingLocked reports whether an own event is on its way to Redis.
func (l *lastEvent) pendingLocked(now time.Time) bool {
	return l.sent > l.echoed && now.Before(l.until)
}

// sentLocked notes an own event that was cached and is on its way. The caller holds mu since before it was cached.
func (l *lastEvent) sentLocked(seq uint64, until time.Time) {
	l.changes++
	l.sent, l.until = seq, until
}

// clear calls forget if the last event is a client's.
func (l *lastEvent) clear(forget func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client.Load() {
		forget()
	}
}

// takesLocked reports whether an event of another node is to be cached, and notes it. The caller holds mu until it is cached.
func (l *lastEvent) takesLocked(now time.Time, client bool) bool {
	if l.pendingLocked(now) {
		return false
	}
	l.changes++
	l.client.Store(client)
	return true
}

// echo notes that an own event came back. It calls store if that event was published just before this node needed the channel, so that
// nobody has cached it here.
func (l *lastEvent) echo(seq uint64, client bool, store func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq > l.sent {
		l.changes++
		l.client.Store(client)
		l.sent = seq
		store()
	}
	l.echoed = max(l.echoed, seq)
}
