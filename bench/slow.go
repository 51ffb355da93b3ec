package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"reverb/bench/client"
	"reverb/bench/report"
)

// sleepers are subscribers that stop reading. Their deliveries are not checked: nothing is promised to them.
type sleepers struct {
	crowd
	channel string
	clients []*client.Client
	ended   atomic.Int64 // by the server
}

// Connected subscribes.
func (s *sleepers) Connected(c *client.Client, _ int64) { c.Subscribe(s.channel, "") }

// Subscribed counts.
func (s *sleepers) Subscribed(*client.Client, []byte, int64) { s.enter() }

// Event has nothing to look for but refusals.
func (s *sleepers) Event(_ *client.Client, e client.Event, _ int64) { s.refused(e) }

// Closed counts those that the server ended, which is what it should do once they sleep.
func (s *sleepers) Closed(c *client.Client, err error) {
	if s.in.Load() < s.want.Load() {
		s.crowd.Closed(c, err)
		return
	}
	if !errors.Is(err, client.ErrClosed) {
		s.ended.Add(1)
	}
}

// runSlow broadcasts by the clock: in the first half of the time everyone reads, in the second the sleepers do not.
func runSlow(ctx context.Context, r *rig) error {
	set := r.set
	if set.Rate == 0 || set.Slow == 0 || set.Slow >= set.Subscribers {
		return errors.New("slow needs a rate, subscribers that stop reading, and some that do not")
	}
	reading := set.Subscribers - set.Slow
	a, err := newAudience(r, 1, reading, reading, set.publishers(), 1)
	if err != nil {
		return err
	}
	awake, err := r.fleet(client.Options{})
	if err != nil {
		return err
	}
	asleep, err := r.fleet(client.Options{})
	if err != nil {
		return err
	}
	if err := a.gather(ctx, r, awake); err != nil {
		return err
	}
	s := &sleepers{crowd: newCrowd(&r.faults), channel: set.channel(0)}
	for range set.Slow {
		s.clients = append(s.clients, asleep.Dial(s))
	}
	if err := s.wait(ctx, int64(set.Slow), nil); err != nil {
		return fmt.Errorf("subscribe those who stop reading: %w", err)
	}
	t := newTraffic(r, a)
	half := t.warm + int64(set.Duration/2)
	all := a.open(newWindow("delivery", t.warm, set.Duration, a.shards))
	calm := a.open(newWindow("all reading", t.warm, set.Duration/2, a.shards))
	slow := a.open(newWindow("some not reading", half, set.Duration/2, a.shards))
	t.launch(ctx)
	r.until(ctx, "warm up", t.warm)
	l := r.begin(ctx, awake)
	t.self.Store(l.self)
	r.until(ctx, "all reading", half)
	before := r.sample(ctx)
	paused := time.Now()
	for _, c := range s.clients {
		c.Pause()
	}
	r.until(ctx, "some not reading", t.stop)
	l.end(ctx)
	t.drain(r)
	s.wakeUp(r)
	a.leaving.Store(true)
	r.close()
	r.result.Checks = t.check()
	s.tell(r, r.peak(paused)-before.RSS, calm, slow)
	t.tell(r, l, all)
	return nil
}

// wakeUp lets them read again, so that they see the end the server gave them.
func (s *sleepers) wakeUp(r *rig) {
	for _, c := range s.clients {
		c.Resume()
	}
	deadline := time.Now().Add(min(r.set.Drain, time.Second))
	r.drain(func() bool { return s.ended.Load() < int64(len(s.clients)) && time.Now().Before(deadline) })
}

// tell compares the halves. added is how much memory the server took more at most.
func (s *sleepers) tell(r *rig, added int64, calm, slow *window) {
	was, is := calm.latency.Summary(), slow.latency.Summary()
	if was.P99 > 0 && is.Count > 0 {
		r.figure("p99 with slow readers / without", report.Times, float64(is.P99)/float64(was.P99), report.Lower)
	}
	r.figure("slow readers ended by the server", report.Count, float64(s.ended.Load()), report.Neither)
	if r.process != nil {
		r.figure("memory for each slow reader, at most", report.Bytes, float64(max(added, 0))/float64(len(s.clients)), report.Lower)
	}
	r.latency(calm.name, calm.latency)
	r.latency(slow.name, slow.latency)
}
