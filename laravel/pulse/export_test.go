package pulse

import (
	"context"
	"time"

	"reverb/config"
)

// Count is one count as a sink gets it.
type Count struct {
	At        int64
	Kind, App string
	N         uint64
}

// Sink is where a recorder of a test writes to.
type Sink func(ctx context.Context, counts []Count, now time.Time) (left []Count, unsure uint64, err error)

func (f Sink) write(ctx context.Context, counts []count, now time.Time) ([]count, uint64, error) {
	left, unsure, err := f(ctx, outside(counts), now)
	return inside(left), unsure, err
}

func (f Sink) close() {}

// NewForTest makes a recorder with a sink of the test's own.
func NewForTest(o Options, s Sink) *Recorder { return newRecorder(o, s) }

// Flush reads the counters and writes, on the caller's goroutine, without Start.
func (r *Recorder) Flush() {
	if r.sampled.IsZero() {
		r.sampled = time.Now()
	}
	r.sample()
	r.flush(context.Background(), writeTimeout)
}

// CloseForTest ends a recorder that was not started.
func (r *Recorder) CloseForTest() { r.sink.close() }

// Waiting is how many messages are counted and not written.
func (r *Recorder) Waiting() (messages uint64, slots int) { return r.pending.total(), len(r.pending) }

// Write writes counts to the place that the configuration says.
func Write(ctx context.Context, c *config.Config, now time.Time, counts ...Count) (left []Count, unsure uint64, err error) {
	s, err := newSink(c)
	if err != nil {
		return counts, 0, err
	}
	defer s.close()
	l, unsure, err := s.write(ctx, inside(counts), now)
	return outside(l), unsure, err
}

// Entry is what a message is in the stream.
func Entry(c Count) string {
	return string(appendEntry(nil, slot{c.At, c.Kind, c.App}, repeated(int(c.N))))
}

func outside(counts []count) (all []Count) {
	for _, c := range counts {
		all = append(all, Count{c.at, c.kind, c.app, c.n})
	}
	return all
}

func inside(counts []Count) (all []count) {
	for _, c := range counts {
		all = append(all, count{slot{c.At, c.Kind, c.App}, c.N})
	}
	return all
}
