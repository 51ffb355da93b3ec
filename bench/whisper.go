package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"reverb/bench/client"
	"reverb/bench/measure"
	"reverb/bench/report"
)

const whisperEvent = "client-bench"

// whispers are pairs of connections, each on a private channel of its own. The even one sends, the odd one sends the same back.
type whispers struct {
	crowd
	set     Settings
	shards  int
	checker *measure.Checker // a subscription is a connection, its only publisher is the other one of the pair
	gate    *gate            // of round trips
	pairs   []*client.Client // those that send
	last    []int            // owned by the goroutine that sends: number of the last event of each pair

	there atomic.Pointer[window] // one way; set before anything is sent
	back  atomic.Pointer[window] // there and back
	self  atomic.Pointer[measure.Self]
}

// whisperer is one connection of a pair.
type whisperer struct {
	*whispers
	n       int
	channel string
}

// Connected subscribes.
func (w *whisperer) Connected(c *client.Client, _ int64) { c.Subscribe(w.channel, "") }

// Subscribed counts.
func (w *whisperer) Subscribed(*client.Client, []byte, int64) { w.enter() }

// Event answers, or ends a round trip.
func (w *whisperer) Event(c *client.Client, e client.Event, now int64) {
	_, seq, at, ok := measure.ParsePayload(e.Data)
	if !ok {
		w.refused(e)
		return
	}
	w.checker.Seen(w.n, 0, seq)
	if w.n%2 == 1 {
		w.there.Load().record(w.n%w.shards, at, now)
		c.Trigger(whisperEvent, w.channel, whisperData(seq, at, w.set.Size))
		return
	}
	w.back.Load().record(w.n%w.shards, at, now)
	w.gate.came(1)
}

// whisperData is an object, for that is all that Reverb takes as the data of a client event.
func whisperData(seq int, at int64, size int) string {
	return string(append(measure.AppendPayload([]byte(`{"text":"`), 0, seq, at, size), `"}`...))
}

func runWhisper(ctx context.Context, r *rig) error {
	set := r.set
	if set.Connections < 2 {
		return errors.New("a whisper needs two connections")
	}
	connections := set.Connections &^ 1
	w := &whispers{
		crowd: newCrowd(&r.faults), set: set, shards: 1, checker: measure.NewChecker(connections, 1),
		gate: newGate(int64(max(set.Inflight, 1))), last: make([]int, connections/2),
	}
	if set.Loops > 1 {
		w.shards = shards
	}
	f, err := r.fleet(client.Options{})
	if err != nil {
		return err
	}
	if err := w.gather(ctx, r, f, connections); err != nil {
		return err
	}
	start := client.Now() + int64(10*time.Millisecond)
	w.there.Store(newWindow("one way", start+int64(set.Warmup), set.Duration, w.shards))
	w.back.Store(newWindow("round trip", start+int64(set.Warmup), set.Duration, w.shards))
	l := w.talk(ctx, r, f, start)
	r.drain(func() bool { return w.gate.left() > 0 })
	w.leaving.Store(true)
	r.close()
	r.result.Checks = w.checker.Finish(func(connection, _ int) int { return w.last[connection/2] })
	w.tell(r, l)
	return nil
}

func (w *whispers) gather(ctx context.Context, r *rig, f *client.Fleet, connections int) error {
	bar := r.bar("subscribe", int64(connections))
	defer bar.end()
	for n := range connections {
		c := f.Dial(&whisperer{w, n, fmt.Sprintf("private-bench-%d", n/2)})
		if n%2 == 0 {
			w.pairs = append(w.pairs, c)
		}
	}
	if err := w.wait(ctx, int64(connections), bar); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return nil
}

// talk sends until the time is over, and measures.
func (w *whispers) talk(ctx context.Context, r *rig, f *client.Fleet, start int64) *lap {
	back := w.back.Load()
	stop := back.to.Load()
	limited, cancel := context.WithDeadline(ctx, time.Now().Add(time.Duration(stop-client.Now())))
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.send(limited, start)
	}()
	r.until(ctx, "warm up", back.from)
	l := r.begin(ctx, f)
	w.self.Store(l.self)
	r.until(ctx, "measure", stop)
	l.end(ctx)
	<-done
	return l
}

// send takes the pairs in turn, by the clock or as fast as round trips end.
func (w *whispers) send(ctx context.Context, start int64) {
	clock := schedule{}
	if w.set.Rate > 0 {
		clock = newSchedule(start, w.set.Rate)
	}
	for i := int64(0); ; i++ {
		due := clock.due(i)
		if w.set.Rate == 0 {
			if !w.gate.enter(ctx, 1) {
				return
			}
			due = client.Now()
		} else {
			if !clock.wait(ctx, due) {
				return
			}
			if self := w.self.Load(); self != nil {
				self.Late(client.Now() - due)
			}
			w.gate.owe(1)
		}
		pair := int(i % int64(len(w.pairs)))
		w.last[pair]++
		w.pairs[pair].Trigger(whisperEvent, fmt.Sprintf("private-bench-%d", pair), whisperData(w.last[pair], due, w.set.Size))
	}
}

func (w *whispers) tell(r *rig, l *lap) {
	better := report.Higher
	if w.set.Rate > 0 {
		better = report.Neither
	}
	there, back := w.there.Load(), w.back.Load()
	l.judge(back.latency)
	r.figure("round trips", report.PerSecond, l.perSecond(back.count.Load()), better)
	l.cpu("client event", there.count.Load()+back.count.Load())
	r.latency(back.name, back.latency)
	r.latency(there.name, there.latency)
	r.result.Series = append(r.result.Series, report.PerSecondSeries("round trips", back.rate.PerSecond(client.Now())))
}
