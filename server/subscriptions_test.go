package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reverb/config"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/transport"
	"reverb/transport/transporttest"
)

const (
	den = "presence-den"
	joe = `{"user_id":1,"user_info":{"name":"Joe"}}`
	ann = `{"user_id":2}`
)

func TestJoinWaitsForTheRelay(t *testing.T) {
	scaled(t, nil, func(t *testing.T, n *node, r *slowRelay) {
		c := n.connect()
		c.subscribe("room", "")
		c.expect() // nothing before the relay is ready
		if got, _ := n.ConnectionCount(t.Context(), n.App("1")); got != 0 {
			t.Errorf("%d connections before the reply", got)
		}
		r.next(t, nil)
		c.expect(succeeded("room"))
		if got, _ := n.ConnectionCount(t.Context(), n.App("1")); got != 1 {
			t.Errorf("%d connections", got)
		}
		c.subscribe("room", "") // the cluster need not know
		c.expect(succeeded("room"))
		c.say(`{"event":"pusher:unsubscribe","data":{"channel":"room"}}`)
		r.settled(t, n)
		c.leave()
	})
}

func TestJoinAtOnce(t *testing.T) {
	scaled(t, nil, func(t *testing.T, n *node, r *slowRelay) {
		r.atOnce = true
		a, b := n.connect(), n.connect()
		a.join(den, joe)
		b.subscribe(den, ann)
		b.expect(presence(den, 2, `[1,2]`, `{"1":{"name":"Joe"},"2":null}`))
		a.expect(memberAdded(den, ann))
		b.leave()
		a.expect(memberRemoved(den, "2"))
		a.leave()
	})
}

func TestJoinRefused(t *testing.T) {
	const full, busy = "Presence channel is over its member limit", "Server is over capacity"
	scaled(t, nil, func(t *testing.T, n *node, r *slowRelay) {
		c := n.connect()
		c.subscribe(den, joe)
		r.next(t, scaling.ErrMembers)
		c.expect(pusherError(4301, full), subscriptionError(den, "LimitReached", full, 403))
		c.subscribe("room", "")
		r.next(t, errors.New("out of order"))
		c.expect(pusherError(4100, busy), subscriptionError("room", "ServerError", busy, 503))
		r.settled(t, n)
		c.leave()
	})
}

// Whatever happens to a subscription that waits, what the relay grants is given back once.
func TestJoinMeanwhile(t *testing.T) {
	const unsubscribe = `{"event":"pusher:unsubscribe","data":{"channel":"presence-den"}}`
	alone := presence(den, 1, `[1]`, `{"1":{"name":"Joe"}}`)
	tests := []struct {
		name      string
		meanwhile func(c *client, r *slowRelay)
		answers   int
		want      []string // without the close
	}{
		{"unsubscribe", func(c *client, _ *slowRelay) { c.say(unsubscribe) }, 1, nil},
		{"unsubscribe and subscribe", func(c *client, _ *slowRelay) { c.say(unsubscribe); c.subscribe(den, joe) }, 2, []string{alone}},
		{"twice", func(c *client, _ *slowRelay) { c.subscribe(den, joe) }, 1, []string{alone, alone}},
		{"as another user", func(c *client, _ *slowRelay) { c.subscribe(den, ann) }, 2, []string{
			alone, memberAdded(den, ann), presence(den, 2, `[1,2]`, `{"1":{"name":"Joe"},"2":null}`), memberRemoved(den, "1"),
		}},
		{"three times", func(c *client, _ *slowRelay) { c.subscribe(den, joe); c.subscribe(den, joe) }, 1, []string{
			pusherError(4100, "Server is over capacity"), subscriptionError(den, "ServerError", "Server is over capacity", 503), alone, alone,
		}},
		{"twice and unsubscribe", func(c *client, _ *slowRelay) { c.subscribe(den, ann); c.say(unsubscribe) }, 1, nil},
		{"closed", func(c *client, _ *slowRelay) { c.leave() }, 1, nil},
		{"terminated", func(c *client, r *slowRelay) {
			c.subscribe("presence-other", joe)
			r.grant(c.t, "presence-other")
			c.got()
			c.node.Terminate("1", "1")
		}, 1, nil},
		{"event of nobody", func(c *client, _ *slowRelay) { c.say(`{"event":"client-x","channel":"presence-den"}`) }, 1, []string{
			pusherError(4009, "The client is not a member of the specified channel."), alone,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			scaled(t, nil, func(t *testing.T, n *node, r *slowRelay) {
				c := n.connect()
				c.subscribe(den, joe)
				tt.meanwhile(c, r)
				for range tt.answers {
					r.next(t, nil)
				}
				c.expect(tt.want...)
				c.leave()
			})
		})
	}
}

// An unsubscribe that comes between the replies of two subscribes ends both.
func TestUnsubscribeBetweenReplies(t *testing.T) {
	scaled(t, nil, func(t *testing.T, n *node, r *slowRelay) {
		c := n.connect()
		c.subscribe(den, `{"name":"x"}`)
		c.subscribe(den, joe)
		r.onSend = func() { c.say(`{"event":"pusher:unsubscribe","data":{"channel":"presence-den"}}`) } // the anonymous is announced
		r.next(t, nil)
		r.next(t, nil)
		c.expect(presence(den, 0, `[]`, `{}`))
		r.settled(t, n)
		c.leave()
	})
}

func TestJoinAgain(t *testing.T) {
	const changed = `{"user_id":1,"user_info":{"name":"Joseph"}}`
	scaled(t, nil, func(t *testing.T, n *node, r *slowRelay) {
		c := n.connect()
		c.subscribe(den, joe)
		r.next(t, nil)
		c.got()
		tests := []struct {
			name, data string
			joins      int
			want       []string
			held       string
		}{
			{"same", joe, 0, []string{presence(den, 1, `[1]`, `{"1":{"name":"Joe"}}`)}, den + " 1"},
			{"other data", changed, 1, []string{presence(den, 1, `[1]`, `{"1":{"name":"Joseph"}}`)}, den + " 1"},
			{"other user", ann, 1, []string{
				memberAdded(den, ann), presence(den, 2, `[1,2]`, `{"1":{"name":"Joseph"},"2":null}`), memberRemoved(den, "1"),
			}, den + " 2"},
			{"nobody", "", 1, []string{presence(den, 1, `[2]`, `{"2":null}`), memberRemoved(den, "2")}, den + " "},
			{"nobody again", `{}`, 0, []string{presence(den, 0, `[]`, `{}`)}, den + " "},
		}
		for _, tt := range tests {
			c.subscribe(den, tt.data)
			for range tt.joins {
				r.next(t, nil)
			}
			c.expect(tt.want...)
			if len(r.waiting) != 0 || len(r.held) != 1 || r.held[tt.held] != 1 {
				t.Errorf("%s: %d joins wait, held %v, want one of %q", tt.name, len(r.waiting), r.held, tt.held)
			}
		}
		c.leave()
	})
}

// Who has no user id is in no roster that the nodes share, so its node tells the others itself.
func TestJoinAnonymous(t *testing.T) {
	one := func(c *config.Config) { c.Apps[0].Rules.MaxPresenceMembers = 1 }
	scaled(t, one, func(t *testing.T, n *node, r *slowRelay) {
		a, b := n.connect(), n.connect()
		a.subscribe(den, `{"name":"x"}`)
		r.next(t, nil)
		a.expect(presence(den, 0, `[]`, `{}`))
		if len(r.sent) != 1 || !r.sent[0].Elsewhere || string(r.sent[0].Payload.JSON()) != memberAdded(den, `{"name":"x"}`) {
			t.Errorf("sent %+v", r.sent)
		}
		n.MemberAdded("1", den, memberOf(t, ann))
		a.expect(memberAdded(den, ann))
		a.leave()
		n.Hold("1", den)
		n.MemberAdded("1", den, memberOf(t, ann))
		b.subscribe(den, "")
		r.next(t, nil) // the relay does not count the anonymous, the hub does
		const full = "Presence channel is over its member limit"
		b.expect(pusherError(4301, full), subscriptionError(den, "LimitReached", full, 403))
		r.settled(t, n)
		b.leave()
		n.Release("1", den)
	})
}

func memberOf(tb testing.TB, data string) *protocol.MemberData {
	tb.Helper()
	d, err := protocol.ParseMemberData(data)
	if err != nil {
		tb.Fatal(err)
	}
	return &d
}

// Clients of a node that drains are about to come back elsewhere; nobody is to be told that they left.
func TestDrainLeavesWithGrace(t *testing.T) {
	scaled(t, nil, func(t *testing.T, n *node, r *slowRelay) {
		a, b, c := n.connect(), n.connect(), n.connect()
		a.subscribe(den, joe)
		r.next(t, nil)
		b.subscribe(den, ann)
		r.next(t, nil)
		b.say(`{"event":"pusher:unsubscribe","data":{"channel":"presence-den"}}`)
		c.subscribe(den, ann)
		if len(r.grace) != 0 {
			t.Errorf("leaves with grace: %q", r.grace)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n.Drain(ctx)
		r.next(t, nil)
		if want := []string{den + " 1", den + " 2"}; !slices.Equal(r.grace, want) {
			t.Errorf("leaves with grace: %q, want %q", r.grace, want)
		}
		for _, x := range []*client{a, b, c} {
			if got := x.closed(); !strings.HasPrefix(got, "4200") {
				t.Errorf("closed with %q", got)
			}
			x.leave()
		}
	})
}

func TestAbandonedJoinsAreBounded(t *testing.T) {
	const many = 64
	scaled(t, nil, func(t *testing.T, n *node, r *slowRelay) {
		c := n.connect()
		for i := range many {
			c.subscribe(fmt.Sprint("room-", i), "")
			c.say(`{"event":"pusher:unsubscribe","data":{"channel":"room-%d"}}`, i)
		}
		c.expect()
		c.subscribe("room", "")
		c.expect(pusherError(4100, "Server is over capacity"), subscriptionError("room", "ServerError", "Server is over capacity", 503))
		r.next(t, nil)
		c.subscribe("room", "")
		r.grant(t, "room")
		c.expect(succeeded("room"))
		for range many - 1 {
			r.next(t, errors.New("late"))
		}
		c.leave()
	})
}

func TestPendingJoinsCountForTheLimit(t *testing.T) {
	two := func(c *config.Config) { c.Server.Limits.MaxSubscriptions = 2 }
	const full = "Connection is over its subscription limit"
	refused := []string{pusherError(4301, full), subscriptionError("c", "LimitReached", full, 403)}
	scaled(t, two, func(t *testing.T, n *node, r *slowRelay) {
		x := n.connect()
		x.subscribe("a", "")
		x.subscribe(den, joe)
		x.subscribe("c", "")
		x.expect(refused...)
		r.grant(t, den)
		x.got()
		x.subscribe(den, ann) // is no more than there were
		x.subscribe("c", "")
		x.expect(refused...)
		x.say(`{"event":"pusher:unsubscribe","data":{"channel":"a"}}`)
		x.subscribe("c", "")
		r.grant(t, "c")
		x.expect(succeeded("c"))
		r.grant(t, "a") // too late
		r.grant(t, den)
		x.leave()
	})
}

func TestMaxConnectionsOfTheCluster(t *testing.T) {
	three := func(c *config.Config) { c.Apps[0].MaxConnections = 3 }
	scaled(t, three, func(t *testing.T, n *node, r *slowRelay) {
		r.elsewhere = 2
		a := n.connect()
		b := n.open(transport.Request{Path: "/app/key"})
		b.expect(pusherError(4004, "Application is over connection quota"))
		b.leave()
		for _, others := range []int{3, 4} { // all of them, and more than there should be
			r.elsewhere = others
			n.open(transport.Request{Path: "/app/key"}).expect(pusherError(4004, "Application is over connection quota"))
		}
		r.elsewhere = 1
		c := n.connect()
		if got := n.Connections(); len(got) != 1 || got["1"] != 2 {
			t.Errorf("Connections: %v", got)
		}
		a.leave()
		c.leave()
	})
}

// Sessions are closed, drained and terminated while the relay answers their joins from other goroutines.
func TestJoinsHammer(t *testing.T) {
	r := &slowRelay{}
	n := newScaled(t, r, nil)
	defer n.stop()
	stop := make(chan struct{})
	var relays, sessions sync.WaitGroup
	for range 3 {
		relays.Go(func() {
			for last := false; ; {
				if w, ok := r.take(func(scaling.Join) bool { return true }); ok {
					r.answer(w, nil)
					continue
				}
				if last {
					return
				}
				select {
				case <-stop:
					last = true // what came since the look above is answered too
				default:
				}
			}
		})
	}
	for i := range 60 {
		c := n.connectUnwatched(t)
		sessions.Go(func() {
			for step := range 40 {
				channel := fmt.Sprint("presence-", (i+step)%5)
				c.subscribe(channel, fmt.Sprintf(`{"user_id":%d}`, 1+(i+step/2)%7))
				if step%3 == 0 {
					c.say(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, channel)
				}
				c.say(`{"event":"client-x","channel":%q,"data":{}}`, channel)
			}
			c.recv.Closed(transport.ReasonHangup)
		})
	}
	sessions.Go(func() {
		for user := range 7 {
			n.Terminate("1", fmt.Sprint(1+user))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		n.Drain(ctx)
	})
	sessions.Wait()
	close(stop)
	relays.Wait()
	if len(r.held) > 0 || len(r.mistakes) > 0 || len(r.waiting) > 0 {
		t.Errorf("held %v, waiting %d, mistakes %v", r.held, len(r.waiting), r.mistakes)
	}
	if got := n.hub.Stats(); got.Subscriptions != 0 || got.Channels != 0 {
		t.Errorf("left in the hub: %+v", got)
	}
	if got := n.Answer(scaling.Query{Of: scaling.QueryConnections, App: "1"}).Connections; got != 0 {
		t.Errorf("%d connections are counted", got)
	}
}

// connectUnwatched is connect outside of a bubble.
func (n *node) connectUnwatched(t *testing.T) *client {
	t.Helper()
	c := &client{t: t, node: n, conn: new(transporttest.Conn)}
	c.recv = n.Open(c.conn, &transport.Request{Path: "/app/key"})
	c.id = socketIDs.FindStringSubmatch(c.conn.Take()[0])[1]
	return c
}

// interrupted is a connection that calls atPong while the answer to a ping is under way.
type interrupted struct {
	transporttest.Discard
	atPong func()
}

func (c *interrupted) Answer(frame []byte) {
	if strings.Contains(string(frame), "pong") {
		c.atPong()
	}
}

// The end of a session takes its subscriptions back at once, though a message is being handled, and that message's
// session begins no more.
func TestEndDuringAMessage(t *testing.T) {
	n := newNode(t, configured(appWith(nil)), nil)
	defer n.stop()
	c := &interrupted{}
	s := n.Open(c, &transport.Request{Path: "/app/key"})
	s.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"room"}}`), false)
	c.atPong = func() {
		if !n.hub.Occupied("1", "room") {
			t.Error("not subscribed")
		}
		n.Dismiss(false)
		if n.hub.Occupied("1", "room") {
			t.Error("subscribed after the end")
		}
	}
	s.Message([]byte(`{"event":"pusher:ping"}`), false)
	s.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"room"}}`), false)
	if got := n.hub.Stats(); got.Subscriptions != 0 {
		t.Errorf("subscribed after the end: %+v", got)
	}
	s.Closed(transport.ReasonHangup)
}

// A subscribe that waits for the relay is one already.
func TestSubscribeOnceWhileTheFirstWaits(t *testing.T) {
	strict := func(c *config.Config) { c.Apps[0].Rules.SubscribeOnce = true }
	scaled(t, strict, func(t *testing.T, n *node, r *slowRelay) {
		const again = "Existing subscription to channel " + den
		c := n.connect()
		c.subscribe(den, joe)
		c.subscribe(den, ann)
		c.expect(pusherError(4301, again))
		r.next(t, nil)
		c.expect(presence(den, 1, `[1]`, `{"1":{"name":"Joe"}}`))
		c.subscribe(den, joe)
		c.expect(pusherError(4301, again))
		c.say(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, den)
		c.subscribe(den, ann)
		r.next(t, nil)
		c.expect(presence(den, 1, `[2]`, `{"2":null}`))
		c.leave()
		r.settled(t, n)
	})
}
