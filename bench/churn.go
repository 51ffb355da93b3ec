package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"reverb/bench/client"
	"reverb/bench/measure"
	"reverb/bench/report"
)

const (
	pauseBetween = 500 * time.Millisecond // storms, so that each begins in calm
	churnTurn    = 16                     // events of the churners' loop at a time: a fifth of a millisecond
)

// churners are connections that are cut and come back. They have loops of their own, so that their work does not delay the measuring of the others.
type churners struct {
	crowd
	channel string
	clients []*client.Client
	times   []time.Duration // of the storms, from the cut to the last one back
}

// Connected subscribes.
func (c *churners) Connected(one *client.Client, _ int64) { one.Subscribe(c.channel, "") }

// Subscribed counts.
func (c *churners) Subscribed(*client.Client, []byte, int64) { c.enter() }

// Event has nothing to come but refusals.
func (c *churners) Event(_ *client.Client, e client.Event, _ int64) { c.refused(e) }

// runChurn broadcasts by the clock: the first half of the time is calm, in the second the churners reconnect again and again.
func runChurn(ctx context.Context, r *rig) error {
	set := r.set
	if set.Rate == 0 || set.Connections == 0 {
		return errors.New("churn needs a rate, and connections that reconnect")
	}
	a, err := newAudience(r, 1, set.Subscribers, set.Subscribers, set.publishers(), 1)
	if err != nil {
		return err
	}
	stay, err := r.fleet(client.Options{})
	if err != nil {
		return err
	}
	come, err := r.fleet(client.Options{Connecting: max(set.Inflight, 1), Turn: churnTurn})
	if err != nil {
		return err
	}
	if err := a.gather(ctx, r, stay); err != nil {
		return err
	}
	c := &churners{crowd: newCrowd(&r.faults), channel: set.channel(1)}
	if err := c.comeIn(ctx, r, come); err != nil {
		return err
	}
	t := newTraffic(r, a)
	all := a.open(newWindow("delivery", t.warm, set.Duration, a.shards))
	calm := a.open(newWindow("calm", t.warm, set.Duration/2, a.shards))
	t.launch(ctx)
	r.until(ctx, "warm up", t.warm)
	l := r.begin(ctx, stay)
	t.self.Store(l.self)
	r.until(ctx, "calm", t.warm+int64(set.Duration/2))
	storm, err := c.storms(ctx, r, come, a, t.stop)
	l.end(ctx)
	t.drain(r)
	a.leaving.Store(true)
	c.leaving.Store(true)
	r.close()
	r.result.Checks = t.check()
	c.tell(r, calm.latency, storm)
	t.tell(r, l, all)
	return err
}

// comeIn connects all of them and returns when they are subscribed.
func (c *churners) comeIn(ctx context.Context, r *rig, f *client.Fleet) error {
	bar := r.bar("connect", int64(r.set.Connections))
	defer bar.end()
	c.clients = c.clients[:0]
	want := c.in.Load() + int64(r.set.Connections)
	for range r.set.Connections {
		c.clients = append(c.clients, f.Dial(c))
	}
	if err := c.wait(ctx, want, bar); err != nil {
		return fmt.Errorf("connect those who reconnect: %w", err)
	}
	return nil
}

// storms cuts them all and lets them come back, until stop; the latency of deliveries due meanwhile is returned.
func (c *churners) storms(ctx context.Context, r *rig, f *client.Fleet, a *audience, stop int64) (*measure.Latency, error) {
	latency := measure.NewLatency(a.shards)
	for client.Now() < stop && ctx.Err() == nil {
		began := client.Now()
		w := newWindow("storm", began, 0, 1)
		w.latency = latency
		a.open(w)
		for _, one := range c.clients {
			one.Kill()
		}
		err := c.comeIn(ctx, r, f)
		w.to.Store(min(client.Now(), stop))
		if err != nil {
			return latency, err
		}
		c.times = append(c.times, time.Duration(client.Now()-began))
		delay(ctx, min(pauseBetween, time.Duration(stop-client.Now())))
	}
	return latency, nil
}

// tell compares the storms with the calm.
func (c *churners) tell(r *rig, calm, storm *measure.Latency) {
	before, during := calm.Summary(), storm.Summary()
	if before.P99 > 0 && during.Count > 0 {
		r.figure("p99 in a storm / calm", report.Times, float64(during.P99)/float64(before.P99), report.Lower)
	}
	if len(c.times) > 0 {
		slices.Sort(c.times)
		median := c.times[len(c.times)/2]
		r.figure("storms", report.Count, float64(len(c.times)), report.Neither)
		r.figure("all back after", report.Seconds, median.Seconds(), report.Lower)
		r.figure("reconnected", report.PerSecond, float64(r.set.Connections)/median.Seconds(), report.Higher)
	}
	r.latency("calm", calm)
	r.latency("storm", storm)
}
