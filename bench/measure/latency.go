package measure

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies from 1 µs to 60 s are kept with three digits; what is beyond counts as the limit.
const (
	lowest  = int64(time.Microsecond)
	highest = int64(time.Minute)
	digits  = 3
)

// Summary is a latency distribution in a few numbers.
type Summary struct {
	Count int64         `json:"count"`
	Mean  time.Duration `json:"mean_ns"`
	Min   time.Duration `json:"min_ns"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p999_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Quantile is one point of a distribution's curve: the share At (0 to 1) of all took Value or less.
type Quantile struct {
	At    float64       `json:"at"`
	Value time.Duration `json:"ns"`
}

// Latency is a distribution, filled by several goroutines through a Recorder each.
type Latency struct {
	shards []Recorder
}

// Recorder is one goroutine's part of a Latency. Its lock is there for readers in the meantime, so it is hardly ever waited for.
type Recorder struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram // guarded by mu
	_         [64]byte                // keeps neighbours off its cache line
}

// NewLatency makes a distribution with so many recorders, at least one.
func NewLatency(shards int) *Latency {
	l := &Latency{shards: make([]Recorder, max(shards, 1))}
	for i := range l.shards {
		l.shards[i].histogram = hdrhistogram.New(lowest, highest, digits)
	}
	return l
}

// Shard is the recorder of the n-th goroutine; numbers beyond the last start over.
func (l *Latency) Shard(n int) *Recorder { return &l.shards[n%len(l.shards)] }

// Record adds one latency in ns.
func (r *Recorder) Record(ns int64) { r.RecordN(ns, 1) }

// RecordN adds n times the same latency in ns.
func (r *Recorder) RecordN(ns, n int64) {
}

// Record adds one latency in ns, from any goroutine. Prefer a recorder where it is hot.
func (l *Latency) Record(ns int64) { l.shards[0].Record(ns) }

// Merge adds all of o to l.
func (l *Latency) Merge(o *Latency) {}

// Reset forgets everything recorded, for the end of a warm-up.
func (l *Latency) Reset() {}

// Summary tells the distribution so far.
func (l *Latency) Summary() Summary { return Summary{} }

// Curve tells the distribution as points for a chart, denser toward the slow end.
func (l *Latency) Curve() []Quantile { return nil }
