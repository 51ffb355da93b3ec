package measure

import (
	"context"
	"sync"
	"time"
)

// Watch is a running series of samples of a Process. Stop must be called, once.
type Watch struct {
	process     *Process
	connections func() int64
	every       time.Duration
	stop        context.CancelFunc
	done        chan struct{} // closed when the sampler has ended

	mu      sync.Mutex
	samples []Usage // guarded by mu
	err     error   // guarded by mu: the first one
}

// Watch samples at once and then at each interval until the watch is stopped. connections tells how many are open; may be nil.
func (p *Process) Watch(every time.Duration, connections func() int64) *Watch {
	ctx, stop := context.WithCancel(context.Background())
	w := &Watch{process: p, connections: connections, every: every, stop: stop, done: make(chan struct{})}
	w.take(ctx)
	go w.run(ctx)
	return w
}

func (w *Watch) run(ctx context.Context) {
	defer close(w.done)
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.take(ctx)
		}
	}
}

// take adds a sample. One that fails leaves a hole.
func (w *Watch) take(ctx context.Context) {
	u, err := w.process.Sample(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		if w.err == nil && ctx.Err() == nil {
			w.err = err
		}
		return
	}
	if w.connections != nil {
		u.Connections = w.connections()
	}
	w.samples = append(w.samples, u)
}

// Samples are the samples so far, in order.
func (w *Watch) Samples() []Usage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Usage(nil), w.samples...)
}

// Stop ends the watch, takes a last sample and returns all of them in order, with the first error if any failed.
func (w *Watch) Stop() ([]Usage, error) {
	w.stop()
	<-w.done
	w.take(context.Background())
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.samples, w.err
}
