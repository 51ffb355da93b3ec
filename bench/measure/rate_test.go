package measure_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"reverb/bench/measure"
)

func TestRate(t *testing.T) {
	const start, second = int64(1000), int64(time.Second)
	r := measure.NewRate(start, 3*time.Second)
	for _, add := range []struct{ at, n int64 }{
		{start - 5, 1}, {start, 2}, {start + second - 1, 3}, {start + second, 4}, {start + 2*second, 5}, {start + 3*second, 6}, {start + 99*second, 7},
	} {
		r.Add(add.at, add.n)
	}
	if got := r.Total(); got != 28 {
		t.Errorf("total is %d", got)
	}
	for _, c := range []struct {
		now  int64
		want []int64
	}{
		{start - second, nil},
		{start + second - 1, nil},
		{start + second, []int64{6}},
		{start + 2*second + 1, []int64{6, 4}},
		{start + 4*second, []int64{6, 4, 5, 6}},
		{start + 1000*second, []int64{6, 4, 5, 6}}, // what came too late has no second of its own
	} {
		if got := r.PerSecond(c.now); !slices.Equal(got, c.want) {
			t.Errorf("at %d: %v, want %v", c.now, got, c.want)
		}
	}
}

func TestRateManyGoroutines(t *testing.T) {
	r := measure.NewRate(0, time.Second)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range int64(1000) {
				r.Add(i*int64(time.Millisecond)*3, 1)
			}
		})
	}
	all.Go(func() { _ = r.PerSecond(int64(time.Hour)) })
	all.Wait()
	if got := r.Total(); got != 4000 {
		t.Errorf("total is %d", got)
	}
}
