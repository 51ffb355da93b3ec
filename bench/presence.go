package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"reverb/bench/client"
	"reverb/bench/measure"
	"reverb/bench/report"
)

const presenceChannel = "presence-bench"

// presence is a channel with members who stay and watch, and others who join and leave again and again. Each watcher must hear of each join and
// each leave, once and in order.
type presence struct {
	crowd
	shards  int
	checker *measure.Checker // a subscription is a watcher, a publisher is a joiner
	gate    *gate            // of what watchers are told
	free    chan *joiner     // with room for all: they can join

	timing atomic.Pointer[timing]       // set before anyone joins
	self   atomic.Pointer[measure.Self] // told how late joins are, from the moment there is one
}

// timing is what a storm is measured by.
type timing struct {
	notices *window
	joins   *window // from when a join was due to its confirmation
}

// watcher is a member who stays.
type watcher struct {
	*presence
	n int
}

// Connected subscribes.
func (w *watcher) Connected(c *client.Client, _ int64) {
	c.Subscribe(presenceChannel, fmt.Sprintf(`{"user_id":"watcher-%d","user_info":{}}`, w.n))
}

// Subscribed counts.
func (w *watcher) Subscribed(*client.Client, []byte, int64) { w.enter() }

// Event takes a notice. The member's id is the payload, since it is all that a notice of leaving has.
func (w *watcher) Event(_ *client.Client, e client.Event, now int64) {
	n, join, at, ok := measure.ParsePayload(e.Data)
	switch name := string(e.Name); {
	case !ok:
		w.refused(e)
	case name == "pusher_internal:member_added":
		w.checker.Seen(w.n, n, 2*join-1)
		w.timing.Load().notices.record(w.n%w.shards, at, now)
		w.gate.came(1)
	case name == "pusher_internal:member_removed":
		w.checker.Seen(w.n, n, 2*join)
		w.timing.Load().notices.came(now)
		w.gate.came(1)
	}
}

// joiner is a member who comes and goes.
type joiner struct {
	*presence
	n      int
	client *client.Client // set before it is free for the first time
	joined int            // owned by who took it from free: how many times
	due    atomic.Int64   // when it should have joined
}

// Connected makes it ready to join.
func (j *joiner) Connected(c *client.Client, _ int64) {
	j.client = c
	j.enter()
	j.free <- j
}

// Subscribed leaves again.
func (j *joiner) Subscribed(c *client.Client, _ []byte, now int64) {
	j.timing.Load().joins.record(j.n%j.shards, j.due.Load(), now)
	c.Unsubscribe(presenceChannel)
	j.free <- j
}

// Event has only refusals to look for: announcements to others count with the watchers.
func (j *joiner) Event(_ *client.Client, e client.Event, _ int64) { j.refused(e) }

// join subscribes as a member that has never been there.
func (j *joiner) join(due int64) {
	j.joined++
	j.due.Store(due)
	id := measure.AppendPayload(nil, j.n, j.joined, due, 0)
	j.client.Subscribe(presenceChannel, fmt.Sprintf(`{"user_id":"%s","user_info":{}}`, id))
}

func runPresence(ctx context.Context, r *rig) error {
	set := r.set
	if set.Subscribers < 1 || set.Connections < 1 {
		return fmt.Errorf("there is nothing to do for %d watchers and %d who join", set.Subscribers, set.Connections)
	}
	p := &presence{
		crowd: newCrowd(&r.faults), shards: 1, checker: measure.NewChecker(set.Subscribers, set.Connections),
		gate: newGate(2 * int64(min(set.Ahead, set.Inflight)) * int64(set.Subscribers)), free: make(chan *joiner, set.Connections),
	}
	if set.Loops > 1 {
		p.shards = shards
	}
	f, err := r.fleet(client.Options{})
	if err != nil {
		return err
	}
	joiners, err := p.gather(ctx, r, f)
	if err != nil {
		return err
	}
	start := client.Now() + int64(10*time.Millisecond)
	warm := start + int64(set.Warmup)
	t := &timing{
		notices: newWindow("notice of a join", warm, set.Duration, p.shards),
		joins:   newWindow("join", warm, set.Duration, p.shards),
	}
	p.timing.Store(t)
	l := p.storm(ctx, r, f, start)
	r.drain(func() bool { return p.gate.left() > 0 || len(p.free) < len(joiners) })
	p.leaving.Store(true)
	r.close()
	r.result.Checks = p.checker.Finish(func(_, n int) int { return 2 * joiners[n].joined })
	t.tell(r, l)
	return nil
}

// gather brings in the watchers, who are members, and then the joiners, who are not.
func (p *presence) gather(ctx context.Context, r *rig, f *client.Fleet) ([]*joiner, error) {
	bar := r.bar("connect", int64(r.set.Subscribers+r.set.Connections))
	defer bar.end()
	for n := range r.set.Subscribers {
		f.Dial(&watcher{p, n})
	}
	if err := p.wait(ctx, int64(r.set.Subscribers), bar); err != nil {
		return nil, fmt.Errorf("subscribe the watchers: %w", err)
	}
	joiners := make([]*joiner, r.set.Connections)
	for n := range joiners {
		joiners[n] = &joiner{presence: p, n: n}
		f.Dial(joiners[n])
	}
	if err := p.wait(ctx, int64(r.set.Subscribers+r.set.Connections), bar); err != nil {
		return nil, fmt.Errorf("connect those who join: %w", err)
	}
	return joiners, nil
}

// storm lets members join until the time is over, and measures.
func (p *presence) storm(ctx context.Context, r *rig, f *client.Fleet, start int64) *lap {
	t := p.timing.Load()
	stop := t.notices.to.Load()
	limited, cancel := context.WithDeadline(ctx, time.Now().Add(time.Duration(stop-client.Now())))
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.keepJoining(limited, r.set, start)
	}()
	r.until(ctx, "warm up", t.notices.from)
	l := r.begin(ctx, f)
	p.self.Store(l.self)
	r.until(ctx, "measure", stop)
	l.end(ctx)
	<-done
	return l
}

// keepJoining sends one joiner after the other, by the clock or as fast as it goes.
func (p *presence) keepJoining(ctx context.Context, set Settings, start int64) {
	clock := schedule{}
	if set.Rate > 0 {
		clock = newSchedule(start, set.Rate)
	}
	told := int64(2 * set.Subscribers) // a join and a leave
	ready := int64(0)                  // when the last joiner was found
	for i := int64(0); ; i++ {
		due := clock.due(i)
		if set.Rate > 0 {
			if !clock.wait(ctx, due) {
				return
			}
			if self := p.self.Load(); self != nil {
				self.Late(client.Now() - max(due, ready))
			}
			p.gate.owe(told)
		} else if !p.gate.enter(ctx, told) {
			return
		}
		select {
		case j := <-p.free:
			ready = client.Now()
			if set.Rate == 0 {
				due = ready
			}
			j.join(due)
		case <-ctx.Done():
			p.gate.refund(told)
			return
		}
	}
}

func (t *timing) tell(r *rig, l *lap) {
	better := report.Higher
	if r.set.Rate > 0 {
		better = report.Neither
	}
	l.judge(t.notices.latency)
	r.figure("joins", report.PerSecond, l.perSecond(t.joins.count.Load()), better)
	r.figure("notices", report.PerSecond, l.perSecond(t.notices.count.Load()), better)
	l.cpu("notice", t.notices.count.Load())
	r.latency(t.joins.name, t.joins.latency)
	r.latency(t.notices.name, t.notices.latency)
	r.result.Series = append(r.result.Series, report.PerSecondSeries("notices", t.notices.rate.PerSecond(client.Now())))
}
