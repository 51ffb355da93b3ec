package measure

import (
	"sync/atomic"
	"time"
)

// Rate counts what happened in each second since start. Any goroutine may add.
type Rate struct {
	start   int64
	seconds []atomic.Int64 // the last one takes all that comes too late
}

// NewRate counts from start (ns on the monotonic clock) for the length expected; later ones are in Total but not in PerSecond.
func NewRate(start int64, length time.Duration) *Rate {
	return &Rate{start: start, seconds: make([]atomic.Int64, int(length/time.Second)+2)}
}

// Add counts n at now. What is before start counts as the first second.
func (r *Rate) Add(now, n int64) {
}

// Total is all that was counted.
func (r *Rate) Total() int64 { return 0 }

// PerSecond is the count of each whole second before now.
func (r *Rate) PerSecond(now int64) []int64 { return nil }
