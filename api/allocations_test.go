//go:build !race

package api_test

import "testing"

// A publish costs its message, one for each channel that somebody is in, and nothing else. (Under the race detector a
// sync.Pool forgets now and then on purpose.)
func TestPublishAllocations(t *testing.T) {
	all := publishes(t)
	for name, want := range map[string]float64{"event": 1, "three channels": 3, "nobody is there": 0, "batch of ten": 10} {
		if got := testing.AllocsPerRun(1000, all[name]); got > want {
			t.Errorf("%s: %v allocations, want %v", name, got, want)
		}
	}
}
