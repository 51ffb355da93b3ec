package bench

import (
	"context"
	"testing"
	"time"

	"reverb/bench/client"
)

func TestScheduleDoesNotDrift(t *testing.T) {
	for _, rate := range []float64{1, 3, 7.5, 1000, 9999} {
		s := newSchedule(100, rate)
		for _, seconds := range []int64{0, 1, 3600} {
			n := int64(rate * float64(seconds))
			want := 100 + int64(float64(n)/rate*float64(time.Second))
			if got := s.due(n); got < want-1 || got > want+1 {
				t.Errorf("rate %v: event %d is due at %d, want %d", rate, n, got, want)
			}
		}
	}
}

func TestScheduleWaits(t *testing.T) {
	s := newSchedule(client.Now(), 1000)
	for n := range int64(10) {
		due := s.due(n)
		if !s.wait(t.Context(), due) || client.Now() < due {
			t.Fatalf("event %d: waited until %d, due at %d", n, client.Now(), due)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if s.wait(ended, client.Now()+int64(time.Hour)) || s.wait(ended, 0) {
		t.Error("went on after the context had ended")
	}
}

func TestWindow(t *testing.T) {
	const ms = int64(time.Millisecond)
	w := newWindow("test", 1000*ms, 2*time.Second, 1)
	for _, e := range []struct{ due, came int64 }{
		{900, 950},   // before it
		{900, 1100},  // due before it, came in it: counted
		{1500, 1501}, // in it
		{2500, 5000}, // due in it, came after it: its latency counts
		{3000, 3001}, // after it
	} {
		w.record(0, e.due*ms, e.came*ms)
	}
	if got := w.count.Load(); got != 2 {
		t.Errorf("%d came in the window, want 2", got)
	}
	if s := w.latency.Summary(); s.Count != 2 || s.Max < 2490*time.Millisecond {
		t.Errorf("latencies %+v, want 2 with the slow one", s)
	}
}
