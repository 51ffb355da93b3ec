package bench

import (
	"context"
	"sync"
	"sync/atomic"
)

// gate bounds how far publishers run ahead of the subscribers. A server answers a publish before it has delivered, so requests in
// flight alone would not hold anyone back: its queues would grow until something drops. Any goroutine may call.
type gate struct {
	limit int64 // deliveries that may be owed at once

	done    atomic.Int64  // deliveries that came
	waiting atomic.Int64  // callers of enter that found no room
	wake    chan struct{} // of capacity 1: there may be room

	mu   sync.Mutex
	owed int64 // guarded by mu: deliveries promised, with those that came
}

func newGate(limit int64) *gate {
	return &gate{limit: limit, wake: make(chan struct{}, 1)}
}

// enter waits until n more deliveries may be owed, and owes them; false when ctx ended first. A number that would never fit alone may go
// when nothing else is owed.
func (g *gate) enter(ctx context.Context, n int64) bool {
	for ctx.Err() == nil {
		if g.take(n) {
			g.pass()
			return true
		}
		g.waiting.Add(1)
		if g.take(n) { // room may have been made before we were seen to wait
			g.waiting.Add(-1)
			g.pass()
			return true
		}
		select {
		case <-g.wake:
		case <-ctx.Done():
		}
		g.waiting.Add(-1)
	}
	return false
}

// owe adds n deliveries whether there is room or not: an event that is due by the clock does not wait.
func (g *gate) owe(n int64) {
	g.mu.Lock()
	g.owed += n
	g.mu.Unlock()
}

// refund takes back n deliveries that the server refused.
func (g *gate) refund(n int64) {
	g.owe(-n)
	g.pass()
}

// came counts n deliveries.
func (g *gate) came(n int64) {
	g.done.Add(n)
	if g.waiting.Load() != 0 {
		g.pass()
	}
}

// left is how many deliveries are owed and have not come.
func (g *gate) left() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.owed - g.done.Load()
}

func (g *gate) take(n int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.owed - g.done.Load()
	if out > 0 && out+n > g.limit {
		return false
	}
	g.owed += n
	return true
}

// pass wakes one waiter, if there is room, and that waiter wakes the next.
func (g *gate) pass() {
	if g.waiting.Load() == 0 || g.left() >= g.limit {
		return
	}
	select {
	case g.wake <- struct{}{}:
	default:
	}
}
