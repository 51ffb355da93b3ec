package pulse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"reverb/config"
	"reverb/metrics"
)

const (
	// writeTimeout bounds one attempt to write.
	writeTimeout = 10 * time.Second
	// lastTimeout bounds the one that Close makes.
	lastTimeout = 2 * time.Second
)

// sink is where the counts go. Its methods are called by one goroutine.
type sink interface {
	// write stores the counts. left are those that surely are not stored; unsure is how many messages may be stored or
	// not, because the connection was lost when the answer was due. Both are nothing when err is nil. counts are the
	// callee's.
	write(ctx context.Context, counts []count, now time.Time) (left []count, unsure uint64, err error)
	close()
}

// Options are what a Recorder is made of.
type Options struct {
	Config  *config.Config          // whose Pulse.Enabled is true
	Counts  func() []metrics.Counts // cumulative; called from the Recorder's goroutine
	Metrics *metrics.Pulse
	Log     *slog.Logger
}

// Recorder writes the counts. Start starts it, Close ends it; both are called once.
type Recorder struct {
	// Constant after construction.
	interval time.Duration
	rate     float64
	counts   func() []metrics.Counts
	metrics  *metrics.Pulse
	log      *slog.Logger
	sink     sink
	cancel   context.CancelFunc
	running  sync.WaitGroup

	// Owned by the goroutine of Start, then by Close.
	pending pending
	seen    map[source]seen
	sampled time.Time // when the counters were read last
	failing bool
	failed  time.Time // when failing became true
}

// source is one of the server's counters.
type source struct{ app, kind string }

// seen is how far a counter has been recorded.
type seen struct {
	value uint64
	rest  float64 // of a message, below 1: what the sample rate has left over
}

// New makes a Recorder. It does not connect to anything: an error is one of the configuration.
func New(o Options) (*Recorder, error) {
	s, err := newSink(o.Config)
	if err != nil {
		return nil, fmt.Errorf("pulse: %w", err)
	}
	return newRecorder(o, s), nil
}

func newSink(c *config.Config) (sink, error) {
	if c.Pulse.Driver == config.PulseRedis {
		return newStream(c.Pulse.Redis, c.Laravel.RedisPrefix)
	}
	return newStorage(c.Pulse.Database)
}

func newRecorder(o Options, s sink) *Recorder {
	return &Recorder{
		interval: o.Config.Pulse.Interval,
		rate:     o.Config.Pulse.SampleRate,
		counts:   o.Counts,
		metrics:  o.Metrics,
		log:      o.Log,
		sink:     s,
		pending:  make(pending),
		seen:     make(map[source]seen),
	}
}

// Start begins to count.
func (r *Recorder) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.sampled = time.Now()
	r.running.Go(func() { r.run(ctx) })
}

// Close writes what is left and ends. It does not wait for a place that has been down before.
func (r *Recorder) Close() {
	if r.cancel != nil {
		r.cancel()
		r.running.Wait()
		r.sample()
		if !r.failing {
			r.flush(context.Background(), lastTimeout)
		}
		r.metrics.Lost(r.pending.total())
	}
	r.sink.close()
}

// run reads the counters at each turn of a minute, because there a bucket of Pulse ends, and when it writes.
func (r *Recorder) run(ctx context.Context) {
	flush := r.sampled.Add(r.interval)
	for {
		now := time.Now()
		turn := now.Truncate(time.Minute).Add(time.Minute)
		timer := time.NewTimer(min(flush.Sub(now), turn.Sub(now)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		r.sample()
		if now = time.Now(); !now.Before(flush) {
			r.flush(ctx, writeTimeout)
			flush = now.Add(r.interval)
		}
	}
}

// sample reads the counters. Their growth belongs to the minute of the last reading: a later one was read at its
// beginning.
func (r *Recorder) sample() {
	at := r.sampled.Truncate(time.Minute).Unix()
	r.sampled = time.Now()
	for _, c := range r.counts() {
		r.add(at, source{c.App, typeSent}, c.Sent)
		r.add(at, source{c.App, typeReceived}, c.Received)
	}
	r.metrics.Waiting(r.pending.total())
}

// add records how far a counter has come. One that went back is waited for, see metrics.AppCounts.
func (r *Recorder) add(at int64, from source, value uint64) {
	s := r.seen[from]
	if value <= s.value {
		return
	}
	part := float64(value-s.value)*r.rate + s.rest
	n := uint64(part)
	r.seen[from] = seen{value: value, rest: part - float64(n)}
	r.pending.add(slot{at: at, kind: from.kind, app: from.app}, n)
}

// flush writes the pending entries. Those that cannot be written wait for the next time.
func (r *Recorder) flush(ctx context.Context, limit time.Duration) {
	now := time.Now()
	r.metrics.Lost(r.pending.age(now))
	if len(r.pending) == 0 {
		return
	}
	before := r.pending.total()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	left, unsure, err := r.sink.write(ctx, r.pending.sorted(), now)
	clear(r.pending)
	for _, c := range left {
		r.pending.add(c.slot, c.n)
	}
	waiting := r.pending.total()
	r.metrics.Wrote(before - waiting - unsure)
	r.metrics.Lost(unsure)
	r.metrics.Waiting(waiting)
	r.tell(ctx, err, waiting, unsure)
}

// tell says once that writing fails, and once that it works again.
func (r *Recorder) tell(ctx context.Context, err error, waiting, lost uint64) {
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled): // Close has come between
	case err != nil && !r.failing:
		r.failing, r.failed = true, time.Now()
		r.metrics.Up(false)
		r.log.Warn("the counts for Laravel Pulse cannot be written; they are kept and tried again", "waiting", waiting, "lost", lost, "err", err)
	case err == nil && r.failing:
		r.failing = false
		r.metrics.Up(true)
		r.log.Info("the counts for Laravel Pulse are written again", "after", time.Since(r.failed).Round(time.Second))
	}
}
