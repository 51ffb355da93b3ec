package pulse_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"reverb/config"
	"reverb/laravel/pulse"
	"reverb/metrics"
)

// bench is a recorder with counters that the test turns and a place to write to that the test breaks. Time is
// synctest's, which begins at a full minute.
type bench struct {
	*pulse.Recorder
	log strings.Builder

	mu sync.Mutex
	// Guarded by mu.
	now     metrics.Counts
	got     map[pulse.Count]uint64 // by slot, N = 0
	writes  []time.Time
	broken  error
	unsure  bool
	written uint64
}

func newBench(change func(*config.Pulse)) *bench {
	b := &bench{now: metrics.Counts{App: "1"}, got: map[pulse.Count]uint64{}}
	c := config.Default()
	if change != nil {
		change(&c.Pulse)
	}
	b.Recorder = pulse.NewForTest(pulse.Options{
		Config:  c,
		Counts:  b.counts,
		Metrics: metrics.New("test").Pulse(),
		Log:     slog.New(slog.NewTextHandler(&b.log, nil)),
	}, b.write)
	return b
}

func (b *bench) counts() []metrics.Counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	return []metrics.Counts{b.now}
}

// add counts messages.
func (b *bench) add(sent, received uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Sent += sent
	b.now.Received += received
}

// fail breaks the place that is written to; nil: it works again.
func (b *bench) fail(err error, unsure bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken, b.unsure = err, unsure
}

func (b *bench) write(_ context.Context, counts []pulse.Count, now time.Time) ([]pulse.Count, uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes = append(b.writes, now)
	var total uint64
	for _, c := range counts {
		total += c.N
	}
	if b.broken != nil && b.unsure {
		return nil, total, b.broken
	}
	if b.broken != nil {
		return counts, 0, b.broken
	}
	for _, c := range counts {
		n := c.N
		c.N = 0
		b.got[c] += n
	}
	b.written += total
	return nil, 0, nil
}

// wait lets the recorder run for a while, undisturbed.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestWritesEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, begin := newBench(nil), time.Now()
		b.Start()
		for range 5 {
			b.add(3, 1)
			wait(10 * time.Second)
		}
		b.add(1, 0)
		b.Close()
		want := []time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second, 50 * time.Second}
		if len(b.writes) != len(want) {
			t.Fatalf("wrote at %v", b.writes)
		}
		for i, d := range want {
			if at := b.writes[i].Sub(begin); at != d {
				t.Errorf("write %d after %v, want %v", i, at, d)
			}
		}
		at := begin.Unix()
		if len(b.got) != 2 || b.got[pulse.Count{At: at, Kind: sent, App: "1"}] != 16 || b.got[pulse.Count{At: at, Kind: received, App: "1"}] != 5 {
			t.Errorf("got %v", b.got)
		}
	})
}

// A message belongs to its minute, however seldom is written, and nothing is written when there is nothing.
func TestMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, begin := newBench(func(p *config.Pulse) { p.Interval = 100 * time.Second }), time.Now()
		b.Start()
		for i := range 18 {
			wait(10 * time.Second)
			if i < 9 {
				b.add(1<<(4*(i/6)), 0) // 6 of 1 in the first minute, 3 of 16 in the second
			}
		}
		wait(time.Hour)
		b.Close()
		first, second := pulse.Count{At: begin.Unix(), Kind: sent, App: "1"}, pulse.Count{At: begin.Unix() + 60, Kind: sent, App: "1"}
		if len(b.writes) != 1 || b.got[first]+b.got[second] != 54 || b.got[first] < 5 || b.got[first] > 6 {
			t.Errorf("%d writes: %v", len(b.writes), b.got)
		}
	})
}

func TestSampleRate(t *testing.T) {
	b := newBench(func(p *config.Pulse) { p.SampleRate = 0.3 })
	for range 100 {
		b.add(1, 0)
		b.Flush()
	}
	if b.written < 29 || b.written > 30 {
		t.Errorf("wrote %d of 100", b.written)
	}
}

// A counter that goes back, because a message was being handled, is not counted twice.
func TestCounterGoesBack(t *testing.T) {
	b := newBench(nil)
	for _, n := range []int64{10, -1, 0, 3, -1, 1} {
		b.add(0, uint64(n))
		b.Flush()
	}
	if b.written != 12 {
		t.Errorf("wrote %d, want 12", b.written)
	}
}

// A week without the place to write to costs little memory and nothing but old counts; it is said once when it goes and
// once when it comes back.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(func(p *config.Pulse) { p.Interval = 10 * time.Minute })
		b.fail(errors.New("no route to host"), false)
		b.Start()
		slots := 0
		for range 9 * 24 * 6 {
			b.add(5, 0)
			wait(10 * time.Minute)
		}
		b.fail(nil, false)
		wait(10 * time.Minute)
		for range b.got {
			slots++
		}
		if slots > 4*61 || slots < 100 {
			t.Errorf("%d slots", slots)
		}
		const week, bucket = 7 * 24 * 6 * 5, 17 * 5
		if b.written < week-bucket || b.written > week+bucket {
			t.Errorf("wrote %d, want about %d", b.written, week)
		}
		b.Close()
		text := b.log.String()
		if strings.Count(text, "\n") != 2 || strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "no route to host") ||
			strings.Count(text, "level=INFO") != 1 {
			t.Errorf("the log says\n%s", text)
		}
	})
}

// Entries that may have been written are not written again.
func TestUnsure(t *testing.T) {
	b := newBench(nil)
	b.add(7, 0)
	b.fail(errors.New("broken"), true)
	b.Flush()
	b.add(2, 0)
	b.fail(nil, false)
	b.Flush()
	if waiting, _ := b.Waiting(); b.written != 2 || waiting != 0 {
		t.Errorf("wrote %d, %d wait", b.written, waiting)
	}
}

// Close does not try a place that is down.
func TestCloseWhenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(nil)
		b.fail(errors.New("down"), false)
		b.Start()
		b.add(1, 0)
		wait(20 * time.Second)
		b.add(1, 0)
		b.Close()
		if len(b.writes) != 1 {
			t.Errorf("%d writes", len(b.writes))
		}
	})
}
