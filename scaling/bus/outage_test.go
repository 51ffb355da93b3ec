package bus_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

func TestComesBackAfterRestart(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	from, to := up(t, at(redis)), up(t, at(redis))
	to.subscribe("x")
	from.publish("x", "before")
	to.await("the first message", func() bool { return to.count("x") == 1 })

	redis.Kill()
	to.await("down", func() bool { return !to.Up() && !from.Up() })
	if r := from.do(bus.Command{Name: "GET", Keys: []string{"k"}}); !isDown(r.Err()) {
		t.Errorf("command while down: got %v", r.Err())
	}
	failed := make(chan error, 2)
	from.PublishCount("x", nil, func(_ int, err error) { failed <- err })
	to.Subscribe("y", func(err error) { failed <- err })
	for range 2 {
		if err := receive(t, failed); !isDown(err) {
			t.Errorf("while down: got %v", err)
		}
	}
	want := []string{"before"}
	for i := range 100 {
		from.publish("x", fmt.Sprint(i))
		from.publish("y", fmt.Sprint(i))
		want = append(want, fmt.Sprint(i))
	}
	if s := from.State(); s.Up || s.Err == nil || s.Waiting != 200 {
		t.Errorf("while down: %+v", s)
	}
	redis.Restart()
	to.await("what waited", func() bool { return to.count("x") == 101 && to.count("y") == 100 })
	if got := to.messages("x"); !slices.Equal(got, want) {
		t.Errorf("out of order: %v", got)
	}
	if got := from.history(); got != "up, down, up" {
		t.Errorf("told %q", got)
	}
	if s := from.State(); !s.Up || s.Err != nil {
		t.Errorf("after: %+v", s)
	}
}

func TestConnectsWhenRedisComes(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	p := connect(t, at(redis))
	done := make(chan error, 1)
	p.Subscribe("x", func(err error) { done <- err })
	if err := receive(t, done); !isDown(err) {
		t.Errorf("got %v", err)
	}
	p.publish("x", "early")
	p.await("an error", func() bool { return p.State().Err != nil })
	redis.Restart()
	p.await("the message that waited", func() bool { return p.count("x") == 1 })
}

// What waited must not be sent before Redis has confirmed every subscription again, and Up was told.
func TestSubscribesAgainBeforeItSends(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	o := at(redis)
	o.Settle = -1
	p := up(t, o)
	names := make([]string, 3000)
	for i := range names {
		names[i] = fmt.Sprint("n", i)
	}
	p.subscribe(names...)
	for range 3 {
		redis.Kill()
		p.await("down", func() bool { return !p.Up() })
		before := make(map[string]int, len(names))
		for _, name := range names {
			before[name] = p.count(name)
			p.publish(name, "m")
		}
		redis.Restart()
		p.await("every message that waited", func() bool {
			return !slices.ContainsFunc(names, func(name string) bool { return p.count(name) != before[name]+1 })
		})
	}
}

// A batch in flight when the connection is lost is sent again: nothing is missing and the order holds; what Redis had executed comes twice.
func TestRepeatsTheBatchThatWasLost(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	proxy := redistest.NewProxy(t, redis.Addr)
	from, to := up(t, bus.Options{Addrs: []string{proxy.Addr}, Settle: -1}), up(t, at(redis))
	to.subscribe("x")
	const n = 20_000
	cuts := 0
	for i := range n {
		from.publish("x", fmt.Sprint(i))
		if i%4000 == 2000 {
			from.await("some to arrive", func() bool { return to.count("x") > i/2 })
			proxy.Cut()
			cuts++
			from.await("down", func() bool { return !from.Up() })
			proxy.Heal()
		}
	}
	last := fmt.Sprint(n - 1)
	to.await("the last message", func() bool { got := to.messages("x"); return len(got) > 0 && got[len(got)-1] == last })
	seen := make(map[string]bool, n)
	next, again := 0, 0
	for _, m := range to.messages("x") {
		if seen[m] {
			again++
			continue
		}
		seen[m] = true
		if m != fmt.Sprint(next) {
			t.Fatalf("got %s after %d", m, next-1)
		}
		next++
	}
	if next != n {
		t.Errorf("got %d of %d", next, n)
	}
	if cuts == 0 || again > cuts*1000 {
		t.Errorf("%d messages came twice after %d cuts", again, cuts)
	}
}

func TestNoticesABlackHole(t *testing.T) {
	t.Parallel()
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprintf("busy=%v", busy), func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			proxy := redistest.NewProxy(t, redis.Addr)
			p := up(t, bus.Options{Addrs: []string{proxy.Addr}, ConnectTimeout: time.Second})
			p.subscribe("x")
			proxy.Blackhole()
			if busy {
				p.publish("x", "m")
			}
			p.await("down", func() bool { return !p.Up() }) // after 4 s: two gaps and the timeout
			proxy.Heal()
			p.await("up again", p.Up)
			if busy {
				p.await("the message", func() bool { return p.count("x") == 1 })
			}
		})
	}
}

func TestStoppedRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := up(t, bus.Options{Addrs: []string{redis.Addr}, ReplyTimeout: 500 * time.Millisecond, ConnectTimeout: 500 * time.Millisecond})
	p.subscribe("x")
	redis.Pause()
	p.publish("x", "m")
	p.await("down", func() bool { return !p.Up() })
	redis.Resume()
	p.await("the message", func() bool { return p.count("x") >= 1 })
}

func TestBufferIsBounded(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	o := at(redis)
	o.BufferBytes, o.BufferAge, o.Settle = 10*(160+100), 1500*time.Millisecond, -1
	p := up(t, o)
	redis.Kill()
	p.await("down", func() bool { return !p.Up() })
	full := 0
	for range 20 {
		if err := p.Publish(bus.Message{Name: "x", Payload: make([]byte, 99)}); err != nil {
			full++
		}
	}
	if full != 10 || p.droppedFor(bus.DroppedFull) != 10 {
		t.Errorf("%d refused, %d counted, want 10", full, p.droppedFor(bus.DroppedFull))
	}
	if s := p.State(); s.WaitingBytes != 2600 || s.Waiting != 10 {
		t.Errorf("got %+v", s)
	}
	p.await("the old ones to be dropped", func() bool { return p.droppedFor(bus.DroppedAge) == 10 })
	if s := p.State(); s.WaitingBytes != 0 || s.Waiting != 0 {
		t.Errorf("got %+v", s)
	}
	redis.Restart()
	p.await("up", p.Up)
	p.subscribe("x")
	p.publish("x", "fresh")
	p.await("a fresh message", func() bool { return p.count("x") == 1 })
}

func TestCloseSendsWhatWaits(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	to := up(t, at(redis))
	to.subscribe("x")
	from := up(t, at(redis))
	for i := range 3000 {
		from.publish("x", fmt.Sprint(i))
	}
	from.Close()
	to.await("all messages", func() bool { return to.count("x") == 3000 })
	if err := from.Publish(bus.Message{Name: "x"}); err == nil {
		t.Error("closed: Publish takes a message")
	}
	if r := from.do(bus.Command{Name: "PING"}); r.Err() == nil {
		t.Error("closed: Do has an answer")
	}
}

func TestCloseWhileDown(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := up(t, at(redis))
	redis.Kill()
	p.await("down", func() bool { return !p.Up() })
	p.publish("x", "m")
	p.Close()
	if n := p.droppedFor(bus.DroppedClosed); n != 1 {
		t.Errorf("%d counted as dropped, want 1", n)
	}
}

// After an outage a node that is back first waits for the others, which would not get what it sends.
func TestWaitsForTheOthers(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	proxy := redistest.NewProxy(t, redis.Addr)
	o := at(redis)
	o.Settle = 3 * time.Second
	from, to := up(t, o), up(t, bus.Options{Addrs: []string{proxy.Addr}})
	to.subscribe("x")
	proxy.Cut()
	redis.Kill()
	from.await("down", func() bool { return !from.Up() && !to.Up() })
	from.publish("x", "0")
	redis.Restart()
	from.await("up", from.Up)
	from.publish("x", "1")
	proxy.Heal()
	to.await("up", to.Up)
	if r := from.do(bus.Command{Name: "PING"}); r.Err() != nil {
		t.Errorf("a command need not wait: %v", r.Err())
	}
	to.await("both messages", func() bool { return slices.Equal(to.messages("x"), numbers(2)) })
}
