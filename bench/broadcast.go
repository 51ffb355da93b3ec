package bench

import (
	"context"
	"time"

	"reverb/bench/client"
	"reverb/bench/report"
)

// runBroadcast publishes to one channel; with publish it is the requests that count.
func runBroadcast(ctx context.Context, r *rig) error {
	return runTraffic(ctx, r, 1, r.set.Subscribers, r.set.Subscribers)
}

// runChannels publishes to channels at random. Without a number of connections each subscription has its own.
func runChannels(ctx context.Context, r *rig) error {
	connections := r.set.Connections
	if connections == 0 {
		connections = r.set.Channels * r.set.Subscribers
	}
	return runTraffic(ctx, r, r.set.Channels, r.set.Subscribers, connections)
}

func runTraffic(ctx context.Context, r *rig, channels, subscribers, connections int) error {
	a, err := newAudience(r, channels, subscribers, connections, r.set.publishers(), max(r.set.Ahead, r.set.Batch))
	if err != nil {
		return err
	}
	f, err := r.fleet(client.Options{})
	if err != nil {
		return err
	}
	if err := a.gather(ctx, r, f); err != nil {
		return err
	}
	t := newTraffic(r, a)
	w := a.open(newWindow("delivery", t.warm, r.set.Duration, a.shards))
	p := newProbe(r, t)
	t.launch(ctx)
	p.launch(ctx)
	l := t.measure(ctx, r, f)
	p.end(r)
	t.drain(r)
	a.leaving.Store(true)
	r.close()
	r.result.Checks = t.check()
	t.tell(r, l, w)
	p.tell(r)
	return nil
}

// measure watches from the end of the warm-up to the end of publishing, or until ctx ends.
func (t *traffic) measure(ctx context.Context, r *rig, f *client.Fleet) *lap {
	r.until(ctx, "warm up", t.warm)
	l := r.begin(ctx, f)
	t.self.Store(l.self)
	r.until(ctx, "measure", t.stop)
	l.end(ctx)
	return l
}

// keptUp is the share of the rate below which the server is said to have fallen behind.
const keptUp = 0.95

// tell adds the figures of a window of deliveries.
func (t *traffic) tell(r *rig, l *lap, w *window) {
	better := report.Higher
	if t.set.Rate > 0 {
		better = report.Neither // the clock decides it
	}
	r.figure("deliveries", report.PerSecond, l.perSecond(w.count.Load()), better)
	r.figure("events", report.PerSecond, l.perSecond(t.accepted.Load()), better)
	if t.set.Batch > 1 || t.set.Scenario == "publish" {
		r.figure("requests", report.PerSecond, l.perSecond(t.requests.Load()), better)
	}
	l.judge(w.latency)
	if took := l.perSecond(t.accepted.Load()); t.set.Rate > 0 && took < keptUp*t.set.Rate {
		r.note("the server took %.3g of %.3g events a second: what waited is in the latency", took, t.set.Rate)
	}
	if t.audience.subscribers > 1 {
		l.cpu("delivery", w.count.Load())
	} else {
		l.cpu("event", t.accepted.Load())
	}
	r.latency(w.name, w.latency)
	r.latency("publish", t.answers.latency)
	r.result.Series = append(r.result.Series, report.PerSecondSeries("deliveries", w.rate.PerSecond(client.Now())))
}

// until waits for a moment of the clock, with a bar.
func (r *rig) until(ctx context.Context, what string, moment int64) {
	length := moment - client.Now()
	if length < int64(2*time.Second) {
		delay(ctx, time.Duration(length))
		return
	}
	bar := r.bar(what, length)
	defer bar.end()
	for left := length; left > 0 && delay(ctx, time.Duration(min(left, int64(200*time.Millisecond)))); left = moment - client.Now() {
		bar.at(length - left)
	}
}
