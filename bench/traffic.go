package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"reverb/bench/client"
	"reverb/bench/measure"
)

// backOff follows a publish that failed, so that a server that is gone is not asked in a tight loop.
const backOff = 10 * time.Millisecond

// traffic publishes to an audience: by the clock, when there is a rate, whatever becomes of earlier events; else as fast as it goes,
// bounded by the requests in flight and by how far the audience is behind.
//
// Each worker is one publisher with one request under way at a time, so its events have an order that can be checked.
type traffic struct {
	// Constant after construction.
	audience *audience
	set      Settings
	post     *client.Publisher
	schedule schedule // of all workers together; with a rate only
	start    int64
	warm     int64 // when measuring begins
	stop     int64 // when publishing ends
	answers  *window

	self     atomic.Pointer[measure.Self] // told how late events are, from the moment there is one
	accepted atomic.Int64                 // events that the server took since warm
	requests atomic.Int64                 // answered since warm
	unsent   atomic.Int64                 // requests that were due and whose turn never came
	over     atomic.Bool                  // nothing more is sent
	workers  []*worker
	running  sync.WaitGroup
}

// worker is one publisher. Its fields are its goroutine's until traffic.running is done.
type worker struct {
	t       *traffic
	n       int
	last    []uint32 // number of the last event on each channel
	picked  []int    // channels of the request at hand
	random  *rand.Rand
	body    []byte
	replied int64 // when the last answer came
}

// publishers is how many workers the settings ask for.
func (s *Settings) publishers() int {
	if s.Rate > 0 {
		return s.Publishers
	}
	return max(s.Inflight, 1)
}

// newTraffic plans it; a.checker knows as many publishers as set.publishers. It runs for warmup and duration.
func newTraffic(r *rig, a *audience) *traffic {
	start := client.Now() + int64(10*time.Millisecond)
	t := &traffic{
		audience: a, set: r.set, start: start,
		post: client.NewPublisher(r.api, r.set.publishers(), r.set.KeepAlive),
		warm: start + int64(r.set.Warmup), stop: start + int64(r.set.Warmup+r.set.Duration),
	}
	t.answers = newWindow("publish", t.warm, r.set.Duration, r.set.publishers())
	if r.set.Rate > 0 {
		t.schedule = newSchedule(start, r.set.Rate/float64(r.set.Batch))
	}
	for n := range r.set.publishers() {
		t.workers = append(t.workers, &worker{t: t, n: n, last: make([]uint32, a.channels), random: rand.New(rand.NewPCG(1, uint64(n)))})
	}
	return t
}

// launch starts the workers; they end at stop or with ctx.
func (t *traffic) launch(ctx context.Context) {
	for _, w := range t.workers {
		t.running.Go(func() {
			if t.set.Rate > 0 {
				w.byClock(ctx)
			} else {
				w.asFastAsItGoes(ctx)
			}
		})
	}
}

// drain waits until the workers have ended and everything that was accepted has been delivered, for each as long as the settings say: a
// server that does not answer would hold up a worker for the time-out of every request that is due.
func (t *traffic) drain(r *rig) {
	ended := make(chan struct{})
	go func() {
		t.running.Wait()
		close(ended)
	}()
	limit := time.NewTimer(t.set.Drain)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C:
	case <-r.hard.Done():
	}
	t.over.Store(true)
	t.post.Close()
	<-ended
	if n := t.unsent.Load(); n > 0 {
		r.faults.add("publish: %d requests were due and never sent, because the server did not answer those before", n)
	}
	r.drain(func() bool { return t.audience.gate.left() > 0 })
}

// check tells what the audience had of all that was published. No handler may run any more.
func (t *traffic) check() measure.Checks {
	return t.audience.checker.Finish(func(subscription, publisher int) int {
		return int(t.workers[publisher].last[subscription/t.audience.subscribers])
	})
}

// byClock publishes every event of this worker's turn when it is due.
func (w *worker) byClock(ctx context.Context) {
	t := w.t
	for i := int64(w.n); ; i += int64(len(t.workers)) {
		due := t.schedule.due(i)
		if due >= t.stop || !t.schedule.wait(ctx, due) {
			return
		}
		if t.over.Load() {
			t.unsent.Add(1 + int64(float64(t.stop-1-due)/(t.schedule.period*float64(len(t.workers)))))
			return
		}
		if self := t.self.Load(); self != nil {
			// A request that is answered late holds the next one up, which is the server's doing. It counts in the latency and not here.
			self.Late(client.Now() - max(due, w.replied))
		}
		t.audience.gate.owe(w.deliveries())
		w.send(ctx, due)
	}
}

// asFastAsItGoes publishes whenever the gate lets it.
func (w *worker) asFastAsItGoes(ctx context.Context) {
	t := w.t
	limited, cancel := context.WithDeadline(ctx, time.Now().Add(time.Duration(t.stop-client.Now())))
	defer cancel()
	if !delay(limited, time.Duration(t.start-client.Now())) {
		return
	}
	for t.audience.gate.enter(limited, w.deliveries()) {
		w.send(ctx, client.Now())
	}
}

// deliveries are owed for each request.
func (w *worker) deliveries() int64 { return int64(w.t.set.Batch) * int64(w.t.audience.subscribers) }

// send publishes the events of one request, which was due at due.
func (w *worker) send(ctx context.Context, due int64) {
	t := w.t
	w.compose(due)
	post := t.post.Publish
	if t.set.Batch > 1 {
		post = t.post.PublishBatch
	}
	status, err := post(w.body)
	w.replied = client.Now()
	switch {
	case errors.Is(err, client.ErrClosed):
		t.audience.faults.add("publish: no answer when the time to drain was over")
	case err != nil: // the events may be on their way, or not
		t.audience.faults.add("publish: %v", err)
		delay(ctx, backOff)
	case status != http.StatusOK:
		t.audience.faults.add("publish: answered with status %d", status)
		for _, channel := range w.picked {
			w.last[channel]--
		}
		t.audience.gate.refund(w.deliveries())
		delay(ctx, backOff)
	default:
		t.answers.record(w.n, due, w.replied)
		if w.replied >= t.warm && w.replied < t.stop {
			t.requests.Add(1)
			t.accepted.Add(int64(len(w.picked)))
		}
	}
}

// compose writes the body as Pusher's server libraries do.
func (w *worker) compose(due int64) {
	t := w.t
	w.picked = w.picked[:0]
	b := w.body[:0]
	if t.set.Batch > 1 {
		b = append(b, `{"batch":[`...)
	}
	for n := range t.set.Batch {
		channel := 0
		if t.audience.channels > 1 {
			channel = w.random.IntN(t.audience.channels)
		}
		w.last[channel]++
		w.picked = append(w.picked, channel)
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":"bench",`...)
		if t.set.Batch > 1 {
			b = fmt.Appendf(b, `"channel":%q,"data":"`, t.audience.name(channel))
		} else {
			b = fmt.Appendf(b, `"channels":[%q],"data":"`, t.audience.name(channel))
		}
		b = measure.AppendPayload(b, w.n, int(w.last[channel]), due, t.set.Size)
		b = append(b, `"}`...)
	}
	if t.set.Batch > 1 {
		b = append(b, `]}`...)
	}
	w.body = b
}
