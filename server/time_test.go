package server_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reverb/config"
	"reverb/transport"
	"reverb/transport/transporttest"
)

// wait lets time pass, to just after whatever happens at its end.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func pingEvery(d time.Duration) *config.App {
	return appWith(func(a *config.App) { a.PingInterval = d })
}

func TestPingAndPrune(t *testing.T) {
	withApp(t, pingEvery(10*time.Second), func(n *node) {
		subscribed, idle := n.connect(), n.connect()
		subscribed.join("presence-room", `{"user_id":1}`)
		watcher := n.connect()
		watcher.join("presence-room", `{"user_id":2}`)
		subscribed.got()

		wait(9 * time.Second)
		watcher.say(`{"event":"pusher:pong"}`)
		subscribed.expect()
		wait(1500 * time.Millisecond)
		subscribed.expect(ping)
		idle.expect(ping) // also without any subscription
		watcher.expect()

		wait(8 * time.Second)
		watcher.say(`{"event":"pusher:pong"}`)
		idle.say(`{"event":"pusher:pong"}`)
		wait(1 * time.Second)
		subscribed.expect()
		wait(2 * time.Second)
		subscribed.expect(pusherError(4201, "Pong reply not received in time"))
		if got := subscribed.closed(); got != "4201 Pong reply not received in time" {
			t.Errorf("closed %q", got)
		}
		watcher.expect(memberRemoved("presence-room", "1")) // without waiting for the dead to hang up
		subscribed.say(`{"event":"pusher:ping"}`)           // too late
		subscribed.leave()
		watcher.expect()
		if got := idle.closed(); got != "" {
			t.Errorf("a client that answered was closed with %q", got)
		}
		idle.expect()
		if got := n.metric(`reverb_connections_closed_total{app="1",reason="pruned"}`); got != "1" {
			t.Errorf("pruned %q, want 1", got)
		}
		if got := n.metric(`reverb_ping_round_trip_seconds_count{app="1"}`); got != "1" {
			t.Errorf("round trips %q, want 1", got)
		}
		idle.leave()
		watcher.leave()
	})
}

// Who has spoken in control frames is pinged by one; they are signs of life, but a close frame is not.
func TestControlFrames(t *testing.T) {
	withApp(t, pingEvery(10*time.Second), func(n *node) {
		c := n.connect()
		wait(5 * time.Second)
		c.recv.Control(transport.ControlPing)
		wait(9 * time.Second)
		c.expect()
		wait(2 * time.Second)
		c.expect(transporttest.PingSent)
		c.recv.Control(transport.ControlPong)
		wait(9 * time.Second)
		c.recv.Control(transport.ControlClose)
		wait(2 * time.Second)
		c.expect(transporttest.PingSent)
		c.leave()
	})
}

func TestLivenessIsTraced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trace recorder
		n := newNode(t, configured(pingEvery(2*time.Second)), &trace)
		defer n.stop()
		a, b := n.connect(), n.connect()
		wait(10 * time.Second)
		want := strings.Join([]string{"established", "established", "pinging", "pinged", "pinged", "pruning", "pruned", "pruned"}, "\n")
		if got := trace.told(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		a.leave()
		b.leave()
	})
}

func TestNoPings(t *testing.T) {
	withApp(t, pingEvery(0), func(n *node) {
		c := n.connect()
		wait(time.Hour)
		c.expect()
		c.leave()
	})
}

func TestSweepVisitsEverybody(t *testing.T) {
	withApp(t, pingEvery(10*time.Second), func(n *node) {
		var all []*client
		for range 1000 {
			all = append(all, n.connect())
		}
		for _, c := range all[200:900] { // the places of the others change
			c.leave()
		}
		wait(11 * time.Second)
		for _, c := range append(all[:200:200], all[900:]...) {
			c.expect(ping)
			c.leave()
		}
		if n.SessionsForTest() != 0 {
			t.Error("sessions are left")
		}
	})
}

func TestRateLimit(t *testing.T) {
	limited := appWith(func(a *config.App) {
		a.RateLimit = config.RateLimit{Enabled: true, MaxAttempts: 3, Decay: 10 * time.Second}
	})
	over := pusherError(4301, "Rate limit exceeded")
	withApp(t, limited, func(n *node) {
		c := n.connect()
		wait(30 * time.Second) // the window begins with the first message
		c.say(`{"event":"pusher:ping"}`)
		wait(9 * time.Second)
		c.recv.Control(transport.ControlPing) // not counted
		c.say(`nonsense`)
		c.say(`{"event":"pusher:ping"}`)
		c.say(`{"event":"pusher:ping"}`)
		c.expect(pong, invalid, pong, over)
		wait(time.Second)
		for range 4 {
			c.say(`{"event":"pusher:ping"}`)
		}
		c.expect(pong, pong, pong, over)
		wait(9 * time.Second)
		c.say(`{"event":"pusher:ping"}`) // does not prolong
		wait(time.Second)
		c.say(`{"event":"pusher:ping"}`)
		c.expect(over, pong)
		if got := c.closed(); got != "" {
			t.Errorf("closed %q", got)
		}
		c.leave()
	})
}

// Client events have a limit of their own by Pusher's rules; other messages are not counted.
func TestClientEventsInASecond(t *testing.T) {
	limited := appWith(func(a *config.App) {
		a.AcceptClientEventsFrom = "all"
		a.Rules.MaxClientEvents = 2
	})
	over := pusherError(4301, "Rate limit exceeded")
	withApp(t, limited, func(n *node) {
		c := n.connect()
		for range 3 {
			c.say(`{"event":"client-a","channel":"room"}`)
			c.say(`{"event":"pusher:ping"}`)
		}
		c.expect(pong, pong, over, pong)
		wait(time.Second)
		c.say(`{"event":"client-a","channel":"room"}`)
		c.expect()
		c.leave()
	})
}

func TestRateLimitTerminates(t *testing.T) {
	limited := appWith(func(a *config.App) {
		a.RateLimit = config.RateLimit{Enabled: true, MaxAttempts: 1, Decay: time.Minute, TerminateOnLimit: true}
	})
	withApp(t, limited, func(n *node) {
		c := n.connect()
		c.subscribe("room", "")
		for range 3 {
			c.say(`{"event":"pusher:ping"}`)
		}
		c.expect(succeeded("room"), pusherError(4301, "Rate limit exceeded"))
		if got := c.closed(); got != "1008 Rate limit exceeded" {
			t.Errorf("closed %q", got)
		}
		if n.hub.Occupied("1", "room") {
			t.Error("still subscribed")
		}
		c.leave()
		if got := n.metric(`reverb_connections_closed_total{app="1",reason="rate_limit"}`); got != "1" {
			t.Errorf("closed %q, want 1", got)
		}
	})
}

func TestDrain(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		var all []*client
		for range 100 {
			all = append(all, n.connect())
		}
		if !n.Ready() {
			t.Error("not ready")
		}
		n.BeginDrain()
		if n.Ready() {
			t.Error("ready while draining")
		}
		late := n.open(transport.Request{Path: "/app/key"})
		late.expect(pusherError(4200, "Server is restarting"))
		if got := late.closed(); got != "4200 Server is restarting" {
			t.Errorf("closed %q", got)
		}
		late.leave()

		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		done := make(chan struct{})
		go func() {
			n.Drain(ctx)
			close(done)
		}()
		closed := func() (k int) {
			for _, c := range all {
				if got := c.closed(); got != "" {
					k++
					if got != "4200 Server is restarting" {
						t.Errorf("closed %q", got)
					}
				}
			}
			return k
		}
		wait(4 * time.Second)
		if got := closed(); got < 45 || got > 55 {
			t.Errorf("%d closed at half of the time, want about 50", got)
		}
		wait(4500 * time.Millisecond)
		if got := closed(); got != 100 {
			t.Errorf("%d closed in the end, want all", got)
		}
		select {
		case <-done:
			t.Error("the drain did not wait for the sessions")
		default:
		}
		for _, c := range all {
			c.leave()
		}
		wait(100 * time.Millisecond)
		select {
		case <-done:
		default:
			t.Error("the drain waits for nobody")
		}
	})
}

func TestDrainEndsWithItsTime(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		a, b := n.connect(), n.connect()
		begun := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		n.Drain(ctx) // neither leaves
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
		for _, c := range []*client{a, b} {
			if c.closed() == "" {
				t.Error("a session was not closed")
			}
			c.leave()
		}
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		n.Drain(gone)
	})
}

// A node with few clients does not use up its time.
func TestDrainOfFewIsShort(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		a, b := n.connect(), n.connect()
		done := make(chan struct{})
		go func() {
			n.Drain(context.Background())
			close(done)
		}()
		wait(600 * time.Millisecond)
		if a.closed() == "" || b.closed() == "" {
			t.Error("not closed yet")
		}
		a.leave()
		b.leave()
		<-done
	})
}

// A node alone sends everybody away at once. Nobody may try again before the next server is there, also not a client
// that has just come, unless the port stays open meanwhile.
func TestDismiss(t *testing.T) {
	for name, tc := range map[string]struct {
		portStays         bool
		closed            string
		late, lateMessage string
	}{
		"the port closes":     {false, "1001", "4100 Server is restarting", pusherError(4100, "Server is restarting")},
		"the port stays open": {true, "4200 Server is restarting", "4200 Server is restarting", pusherError(4200, "Server is restarting")},
	} {
		t.Run(name, func(t *testing.T) {
			withApp(t, appWith(nil), func(n *node) {
				var all []*client
				for range 100 {
					all = append(all, n.connect())
				}
				n.Dismiss(tc.portStays)
				if n.Ready() {
					t.Error("ready")
				}
				for _, c := range all {
					if got := c.closed(); got != tc.closed {
						t.Fatalf("closed %q, want %q", got, tc.closed)
					}
				}
				late := n.open(transport.Request{Path: "/app/key"})
				late.expect(tc.lateMessage)
				if got := late.closed(); got != tc.late {
					t.Errorf("a late client is closed with %q, want %q", got, tc.late)
				}
				late.leave()
				for _, c := range all {
					c.leave()
				}
				if got := n.Remaining(); got != 0 {
					t.Errorf("%d are left", got)
				}
			})
		})
	}
}
