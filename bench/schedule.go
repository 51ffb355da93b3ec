package bench

import (
	"context"
	"runtime"
	"time"

	"reverb/bench/client"
)

const (
	// farther away than this, a Go timer waits, which is up to a millisecond late; the rest is for pause.
	timerGrain = 3 * time.Millisecond
	// The kernel wakes a sleeper this much late, so the end of a wait is spent looking at the clock.
	spinLimit = 70 * time.Microsecond
	// spinShare of the time between two events is spent so at most: 5 % of a core.
	spinShare = 20
)

// schedule says when each event is due: by the clock alone, so that a server that slows down is not sent less. Latency is counted from
// that time.
type schedule struct {
	start  int64   // on the clock of client.Now, ns
	period float64 // ns
}

// newSchedule has rate events a second from start on.
func newSchedule(start int64, rate float64) schedule {
	return schedule{start: start, period: float64(time.Second) / rate}
}

// due is when the n-th event is due, from 0 up. It is reckoned from the start each time, so that no rounding adds up.
func (s schedule) due(n int64) int64 { return s.start + int64(float64(n)*s.period) }

// wait returns when the clock has come to due; false when ctx ended first. It is some microseconds late on an idle machine.
func (s schedule) wait(ctx context.Context, due int64) bool {
	if left := time.Duration(due - client.Now()); left > timerGrain && !delay(ctx, left-timerGrain) {
		return false
	}
	spin := min(int64(spinLimit), int64(s.period)/spinShare)
	for left := due - client.Now() - spin; left > 0; left = due - client.Now() - spin {
		pause(time.Duration(left))
	}
	for client.Now() < due {
		runtime.Gosched() // the loops come first
	}
	return ctx.Err() == nil
}

// delay waits for d; false when ctx ended first.
func delay(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
