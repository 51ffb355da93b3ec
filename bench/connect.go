package bench

import (
	"context"
	"fmt"
	"time"

	"reverb/bench/client"
	"reverb/bench/measure"
	"reverb/bench/report"
)

// arrivals are connections whose way in is timed.
type arrivals struct {
	crowd
	set        Settings
	shards     int
	connected  *measure.Latency
	subscribed *measure.Latency
	rate       *measure.Rate
}

// arrival is one of them. Its fields are its loop's.
type arrival struct {
	*arrivals
	n   int
	due int64 // when it should have begun, by the clock; 0: as soon as it could
}

// Connected times, and subscribes.
func (a *arrival) Connected(c *client.Client, now int64) {
	if a.due == 0 {
		a.due = c.Began()
	}
	a.connected.Shard(a.n % a.shards).Record(now - a.due)
	c.Subscribe(a.set.channel(a.n%max(a.set.Channels, 1)), "")
}

// Subscribed times.
func (a *arrival) Subscribed(_ *client.Client, _ []byte, now int64) {
	a.subscribed.Shard(a.n % a.shards).Record(now - a.due)
	a.rate.Add(now, 1)
	a.enter()
}

// Event has nothing to come but refusals.
func (a *arrival) Event(_ *client.Client, e client.Event, _ int64) { a.refused(e) }

// runConnect brings everyone in once. With a rate the time they take is bounded by it, so the duration is not looked at.
func runConnect(ctx context.Context, r *rig) error {
	if r.set.Connections == 0 {
		return fmt.Errorf("there is nothing to do for no connections")
	}
	connecting := r.set.Inflight
	if r.set.Rate > 0 {
		connecting = r.set.Connections // the clock bounds them
	}
	f, err := r.fleet(client.Options{Connecting: connecting})
	if err != nil {
		return err
	}
	a := &arrivals{crowd: newCrowd(&r.faults), set: r.set, shards: 1}
	if r.set.Loops > 1 {
		a.shards = shards
	}
	a.connected, a.subscribed = measure.NewLatency(a.shards), measure.NewLatency(a.shards)
	l := r.begin(ctx, f)
	a.rate = measure.NewRate(l.began, time.Hour)
	err = a.bringIn(ctx, r, f, l)
	l.end(ctx)
	l.judge(a.subscribed)
	a.leaving.Store(true)
	in := a.in.Load()
	r.result.Checks = measure.Checks{Expected: int64(r.set.Connections), Delivered: in, Missing: int64(r.set.Connections) - in}
	better := report.Higher
	if r.set.Rate > 0 {
		better = report.Neither
	}
	r.figure("connections", report.Count, float64(in), report.Neither)
	r.figure("connected and subscribed", report.PerSecond, l.perSecond(in), better)
	l.cpu("connection", in)
	r.latency("connected", a.connected)
	r.latency("subscribed", a.subscribed)
	r.result.Series = append(r.result.Series, report.PerSecondSeries("connections", a.rate.PerSecond(client.Now())))
	return err
}

// bringIn dials, by the clock or all at once, and waits until they are in.
func (a *arrivals) bringIn(ctx context.Context, r *rig, f *client.Fleet, l *lap) error {
	bar := r.bar("connect", int64(r.set.Connections))
	defer bar.end()
	clock := schedule{}
	if r.set.Rate > 0 {
		clock = newSchedule(client.Now(), r.set.Rate)
	}
	for n := range r.set.Connections {
		one := &arrival{arrivals: a, n: n}
		if r.set.Rate > 0 {
			one.due = clock.due(int64(n))
			if !clock.wait(ctx, one.due) {
				return ctx.Err()
			}
			l.self.Late(client.Now() - one.due)
			bar.at(a.in.Load())
		}
		f.Dial(one)
	}
	return a.wait(ctx, int64(r.set.Connections), bar)
}
