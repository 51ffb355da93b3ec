package measure_test

import (
	"sync"
	"testing"
	"time"

	"reverb/bench/measure"
)

// about reports whether a duration is within a thousandth and the histogram's grain of another.
func about(got, want time.Duration) bool {
	return got >= want-want/1000-time.Microsecond && got <= want+want/1000+time.Microsecond
}

func TestLatencySummary(t *testing.T) {
	l := measure.NewLatency(4)
	for i := range 10_000 {
		l.Shard(i).Record(int64(time.Duration(i+1) * 10 * time.Microsecond))
	}
	s := l.Summary()
	for _, c := range []struct {
		name      string
		got, want time.Duration
	}{
		{"min", s.Min, 10 * time.Microsecond},
		{"mean", s.Mean, 50_005 * time.Microsecond},
		{"p50", s.P50, 50 * time.Millisecond},
		{"p90", s.P90, 90 * time.Millisecond},
		{"p99", s.P99, 99 * time.Millisecond},
		{"p99.9", s.P999, 99_900 * time.Microsecond},
		{"max", s.Max, 100 * time.Millisecond},
	} {
		if !about(c.got, c.want) {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
	if s.Count != 10_000 {
		t.Errorf("count is %d", s.Count)
	}
}

func TestLatencyBounds(t *testing.T) {
	l := measure.NewLatency(0)
	l.Record(-5)
	l.Shard(7).RecordN(int64(10*time.Hour), 2)
	s := l.Summary()
	if s.Count != 3 || s.Min != 0 || !about(s.Max, time.Minute) {
		t.Errorf("got %+v", s)
	}
}

func TestLatencyEmpty(t *testing.T) {
	l := measure.NewLatency(2)
	if got := l.Summary(); got != (measure.Summary{}) {
		t.Errorf("summary of nothing is %+v", got)
	}
	if got := l.Curve(); got != nil {
		t.Errorf("curve of nothing is %v", got)
	}
}

func TestLatencyResetAndMerge(t *testing.T) {
	a, b := measure.NewLatency(2), measure.NewLatency(3)
	a.Shard(0).Record(int64(time.Second))
	a.Reset()
	a.Shard(1).Record(int64(time.Millisecond))
	b.Shard(2).RecordN(int64(3*time.Millisecond), 9)
	a.Merge(b)
	a.Merge(measure.NewLatency(1))
	if s := a.Summary(); s.Count != 10 || !about(s.Max, 3*time.Millisecond) || !about(s.Min, time.Millisecond) || !about(s.P50, 3*time.Millisecond) {
		t.Errorf("got %+v", s)
	}
	if s := b.Summary(); s.Count != 9 {
		t.Errorf("what was merged changed: %+v", s)
	}
}

func TestLatencyCurve(t *testing.T) {
	l := measure.NewLatency(1)
	for i := range 100_000 {
		l.Record(int64(i) * 100)
	}
	curve := l.Curve()
	if n := len(curve); n < 5*10 || n > 5*20 {
		t.Fatalf("%d points over five nines", n)
	}
	if first := curve[0]; first.At != 0 {
		t.Errorf("begins at %v", first.At)
	}
	if end, most := curve[len(curve)-1], l.Summary().Max; end.At != 1 || end.Value != most {
		t.Errorf("ends with %+v, want the maximum %v", end, most)
	}
	for i := 1; i < len(curve); i++ {
		if curve[i].At <= curve[i-1].At || curve[i].Value < curve[i-1].Value {
			t.Fatalf("point %d falls back: %+v after %+v", i, curve[i], curve[i-1])
		}
	}
	for _, p := range curve[1 : len(curve)-1] {
		if want := time.Duration(p.At * 100_000 * 100); !about(p.Value, want) {
			t.Errorf("at %v: %v, want %v", p.At, p.Value, want)
		}
	}
}

func TestLatencyManyGoroutines(t *testing.T) {
	l, other := measure.NewLatency(3), measure.NewLatency(2)
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			for range 1000 {
				l.Shard(n).Record(1000)
			}
		})
	}
	all.Go(func() {
		for range 20 {
			_, _ = l.Summary(), l.Curve()
		}
	})
	all.Go(func() { other.Merge(l) })
	all.Go(func() { l.Merge(measure.NewLatency(1)) })
	all.Wait()
	if got := l.Summary().Count; got != 6000 {
		t.Errorf("%d of 6000 recorded", got)
	}
}
