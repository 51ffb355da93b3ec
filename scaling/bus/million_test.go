package bus_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

// longestWait is how long a call may take that is made on event loops, also while all names are subscribed again.
const longestWait = 2 * time.Millisecond

// A node with a million subscriptions loses Redis and gets it back: no event loop waits for the work that this is. A machine that is busy
// with other things holds up a call too, but not in each of five rounds.
func TestPublishWaitsForNoSubscription(t *testing.T) {
	const rounds = 5
	redis := redistest.Start(t)
	redis.Kill()
	o := at(redis)
	o.Settle, o.BufferAge = -1, 2*time.Second
	p := connect(t, o)
	for i := range interests {
		p.Subscribe(fmt.Sprint("name", i), nil)
	}
	for round := range rounds {
		comes := worstCall(p, func() {
			redis.Restart()
			p.awaitFor(time.Minute, "up", p.Up)
		})
		goes := worstCall(p, func() {
			redis.Kill()
			p.await("down", func() bool { return !p.Up() })
		})
		t.Logf("%d subscriptions: the longest call took %v while Redis came, %v while it went", interests, comes, goes)
		if max(comes, goes) <= longestWait {
			return
		}
		if round == rounds-1 {
			t.Errorf("a call took %v, at most %v is allowed", max(comes, goes), longestWait)
		}
	}
}

// The work on subscriptions may stand still altogether, and publications still go where Redis is.
func TestPublishNeedsNoSubscriptionLock(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	o := at(redis)
	o.Settle = -1
	p := up(t, o)
	p.subscribe("x")
	release := p.HoldNames()
	publish := func(from, to int) {
		t.Helper()
		published := make(chan error, 1)
		go func() {
			var err error
			for _, number := range numbers(to)[from:] {
				err = errors.Join(err, p.Publish(bus.Message{Name: "x", Payload: []byte(number)}))
			}
			published <- err
		}()
		if err := receive(t, published); err != nil {
			t.Error(err)
		}
	}
	redis.Kill()
	p.await("down", func() bool { return !p.Up() })
	publish(0, 100)
	redis.Restart()
	p.await("the node's connections", func() bool { return redis.Clients() > 0 })
	publish(100, 200)
	if p.Up() {
		t.Error("up, and nothing is subscribed")
	}
	release()
	p.await("all messages", func() bool { return p.count("x") == 200 })
	if got := p.messages("x"); !slices.Equal(got, numbers(200)) {
		t.Errorf("out of order: %v", got)
	}
}

// worstCall publishes, subscribes and unsubscribes all the time while do runs, and returns how long the longest call took.
func worstCall(p *peer, do func()) time.Duration {
	stop, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		var worst time.Duration
		tick := time.NewTicker(100 * time.Microsecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				longest <- worst
				return
			case <-tick.C:
			}
			for _, call := range []func(){
				func() { _ = p.Publish(bus.Message{Name: "other", Payload: []byte("m")}) }, // a full buffer is an answer as well
				func() { p.Subscribe("other", nil) },
				func() { p.Unsubscribe("other") },
			} {
				start := time.Now()
				call()
				worst = max(worst, time.Since(start))
			}
		}
	}()
	do()
	close(stop)
	return <-longest
}
