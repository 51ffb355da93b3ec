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

// Add counts n at now. Events before start count as of the first second.
func (r *Rate) Add(now, n int64) {
	second := min(max(now-r.start, 0)/int64(time.Second), int64(len(r.seconds)-1))
	r.seconds[second].Add(n)
}

// Total is all that was counted.
func (r *Rate) Total() int64 {
	var sum int64
	for i := range r.seconds {
		sum += r.seconds[i].Load()
	}
	return sum
}

// PerSecond is the count of each whole second before now, as far as the length expected.
func (r *Rate) PerSecond(now int64) []int64 {
	counts := make([]int64, min(max(now-r.start, 0)/int64(time.Second), int64(len(r.seconds)-1)))
	for i := range counts {
		counts[i] = r.seconds[i].Load()
	}
	return counts
}
