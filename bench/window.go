package bench

import (
	"math"
	"sync/atomic"
	"time"

	"reverb/bench/measure"
)

// window is a stretch of time that deliveries are counted in. Any goroutine may record.
type window struct {
	name    string
	from    int64        // on the clock of client.Now
	to      atomic.Int64 // far off as long as it is not known
	count   atomic.Int64 // deliveries that came in it
	latency *measure.Latency
	rate    *measure.Rate // nil: no series is wanted
}

// newWindow begins at from and lasts for length; 0 leaves it open until to is set.
func newWindow(name string, from int64, length time.Duration, shards int) *window {
	w := &window{name: name, from: from, latency: measure.NewLatency(shards)}
	w.to.Store(math.MaxInt64)
	if length > 0 {
		w.to.Store(from + int64(length))
		w.rate = measure.NewRate(from, length)
	}
	return w
}

// record takes a delivery of an event: at is when it was due, now when it came. It is counted by when it came, and its latency by when it was
// due: else the slowest of a window would be left out of it.
func (w *window) record(shard int, at, now int64) {
	if at >= w.from && at < w.to.Load() {
		w.latency.Shard(shard).Record(now - at)
	}
	w.came(now)
}

// came counts a delivery whose latency nobody knows.
func (w *window) came(now int64) {
	if now < w.from || now >= w.to.Load() {
		return
	}
	w.count.Add(1)
	if w.rate != nil {
		w.rate.Add(now, 1)
	}
}
