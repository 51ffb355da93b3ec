package measure

import (
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies from 1 µs to 60 s are kept with three digits; a longer one counts as the limit.
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
	ns = min(max(ns, 0), highest)
	r.mu.Lock()
	_ = r.histogram.RecordValues(ns, n) // fails beyond its bounds only
	r.mu.Unlock()
}

// Record adds one latency in ns, from any goroutine. Prefer a recorder where it is hot.
func (l *Latency) Record(ns int64) { l.shards[0].Record(ns) }

// Merge adds all of o to l.
func (l *Latency) Merge(o *Latency) {
	sum := o.sum() // before the lock: o may be merging l
	r := &l.shards[0]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.histogram.Merge(sum)
}

// Reset forgets everything, for the end of a warm-up.
func (l *Latency) Reset() {
	for i := range l.shards {
		r := &l.shards[i]
		r.mu.Lock()
		r.histogram.Reset()
		r.mu.Unlock()
	}
}

// Summary tells the distribution so far.
func (l *Latency) Summary() Summary {
	h := l.sum()
	if h.TotalCount() == 0 {
		return Summary{}
	}
	at := h.ValueAtPercentiles([]float64{50, 90, 99, 99.9})
	return Summary{
		Count: h.TotalCount(),
		Mean:  time.Duration(h.Mean()),
		Min:   time.Duration(h.Min()),
		P50:   time.Duration(at[50]),
		P90:   time.Duration(at[90]),
		P99:   time.Duration(at[99]),
		P999:  time.Duration(at[99.9]),
		Max:   time.Duration(h.Max()),
	}
}

// curveSteps is how many points a curve has for each further nine: 0 % to 90 %, 90 % to 99 %, and so on.
const curveSteps = 12

// Curve tells the distribution as points for a chart, as dense from 99 % to 99.9 % as from 0 % to 90 %. The last point is the maximum.
func (l *Latency) Curve() []Quantile {
	h := l.sum()
	count := h.TotalCount()
	if count == 0 {
		return nil
	}
	var at []float64
	for step := 0; ; step++ {
		rest := math.Pow(10, -float64(step)/curveSteps)
		if rest*float64(count) < 1 {
			break
		}
		at = append(at, 100*(1-rest))
	}
	values := h.ValueAtPercentiles(at) // sorts them, which they are
	curve := make([]Quantile, 0, len(at)+1)
	for _, percent := range at {
		curve = append(curve, Quantile{At: percent / 100, Value: time.Duration(values[percent])})
	}
	return append(curve, Quantile{At: 1, Value: time.Duration(h.Max())})
}

// sum is a copy of all that was recorded.
func (l *Latency) sum() *hdrhistogram.Histogram {
	sum := hdrhistogram.New(lowest, highest, digits)
	for i := range l.shards {
		r := &l.shards[i]
		r.mu.Lock()
		sum.Merge(r.histogram)
		r.mu.Unlock()
	}
	return sum
}
