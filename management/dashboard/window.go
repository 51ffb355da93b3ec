package dashboard

import (
	"math"

	"reverb/metrics"
)

// window tells how long things took lately: the difference between a histogram now and some samples ago.
type window struct {
	most int
	kept [][]metrics.Bucket // ascending in time
}

// add takes the newest reading and returns the 50th, 95th and 99th percentile of what came within the window, in
// seconds.
func (w *window) add(now []metrics.Bucket) (p50, p95, p99 number) {
	w.kept = append(w.kept, now)
	if len(w.kept) > w.most+1 {
		w.kept[0] = nil
		w.kept = w.kept[1:]
	}
	recent := subtract(now, w.kept[0])
	return quantile(recent, .50), quantile(recent, .95), quantile(recent, .99)
}

// merge adds up two histograms of the same buckets.
func merge(a, b []metrics.Bucket) []metrics.Bucket {
	if a == nil {
		return append([]metrics.Bucket(nil), b...)
	}
	for i := range min(len(a), len(b)) {
		a[i].Count += b[i].Count
	}
	return a
}

// subtract is what came into the buckets since before, of which nothing may be known.
func subtract(now, before []metrics.Bucket) []metrics.Bucket {
	recent := append([]metrics.Bucket(nil), now...)
	for i := range min(len(recent), len(before)) {
		recent[i].Count -= min(recent[i].Count, before[i].Count)
	}
	return recent
}

// quantile estimates as Prometheus does, by a straight line within the bucket. What is over the last bound is told as
// that bound.
func quantile(buckets []metrics.Bucket, q float64) number {
	if len(buckets) == 0 {
		return unknown
	}
	last := buckets[len(buckets)-1]
	if last.Count == 0 {
		return unknown
	}
	rank := q * float64(last.Count)
	low, below := 0.0, uint64(0)
	for _, b := range buckets {
		if float64(b.Count) >= rank {
			if math.IsInf(b.Most, 1) || b.Count == below {
				return number(low)
			}
			return number(low + (b.Most-low)*(rank-float64(below))/float64(b.Count-below))
		}
		low, below = b.Most, b.Count
	}
	return number(low)
}
