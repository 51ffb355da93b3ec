package server_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"reverb/channels"
	"reverb/config"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/server"
	"reverb/transport"
)

func presence(channel string, count int, ids, hash string) string {
	return fmt.Sprintf(`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":%d,\"ids\":%s,\"hash\":%s}}","channel":%q}`,
		count, escape(ids), escape(hash), channel)
}

func memberAdded(channel, data string) string {
	return fmt.Sprintf(`{"event":"pusher_internal:member_added","data":"%s","channel":%q}`, escape(data), channel)
}

func memberRemoved(channel, id string) string {
	return fmt.Sprintf(`{"event":"pusher_internal:member_removed","data":"{\"user_id\":%s}","channel":%q}`, escape(id), channel)
}

func cacheMiss(channel string) string {
	return fmt.Sprintf(`{"event":"pusher:cache_miss","channel":%q}`, channel)
}

func escape(s string) string { return strings.ReplaceAll(s, `"`, `\"`) }

func TestSubscribe(t *testing.T) {
	const user = `{"user_id":1,"user_info":{"name":"Test User"}}`
	members := presence("presence-room", 1, `[1]`, `{"1":{"name":"Test User"}}`)
	tests := []struct {
		name, channel, data string
		want                []string
	}{
		{"public", "room", "", []string{succeeded("room")}},
		{"private", "private-room", "", []string{succeeded("private-room")}},
		{"private with data", "private-room", user, []string{succeeded("private-room")}},
		{"encrypted", "private-encrypted-room", "", []string{succeeded("private-encrypted-room")}},
		{"presence", "presence-room", user, []string{members}},
		{"presence without data", "presence-room", "", []string{presence("presence-room", 0, `[]`, `{}`)}},
		{"cache", "cache-room", "", []string{succeeded("cache-room"), cacheMiss("cache-room")}},
		{"private cache", "private-cache-room", "", []string{succeeded("private-cache-room"), cacheMiss("private-cache-room")}},
		{"presence cache", "presence-cache-room", user, []string{
			strings.ReplaceAll(members, "presence-room", "presence-cache-room"), cacheMiss("presence-cache-room"),
		}},
		{"empty name", "", "", []string{`{"event":"pusher_internal:subscription_succeeded","data":"{}"}`}},
		{"odd name", "a b/ü", "", []string{succeeded("a b/ü")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withApp(t, appWith(nil), func(n *node) {
				c := n.connect()
				c.subscribe(tt.channel, tt.data)
				c.expect(tt.want...)
				c.subscribe(tt.channel, tt.data) // a second one is answered again
				c.expect(tt.want...)
				if got := n.hub.Stats().Subscriptions; got != 1 {
					t.Errorf("%d subscriptions, want 1", got)
				}
				c.leave()
				if got := n.hub.Stats(); got.Subscriptions != 0 || got.Channels != 0 {
					t.Errorf("left behind: %+v", got)
				}
			})
		})
	}
}

func TestSubscribeRefused(t *testing.T) {
	const unauthorized = "Connection is unauthorized"
	auth := func(channel string) []string {
		return []string{pusherError(4009, unauthorized), subscriptionError(channel, "AuthError", "The connection is unauthorized.", 401)}
	}
	tests := []struct {
		name, message string
		want          []string
	}{
		{"private, wrong auth", `{"channel":"private-room","auth":"key:bad"}`, auth("private-room")},
		{"private, no auth", `{"channel":"private-room"}`, auth("private-room")},
		{"private, null auth", `{"channel":"private-room","auth":null}`, auth("private-room")},
		{"presence, null auth", `{"channel":"presence-room","auth":null}`, auth("presence-room")},
		{"presence, wrong auth", `{"channel":"presence-room","auth":"key:bad"}`, auth("presence-room")},
		{"private cache", `{"channel":"private-cache-room","auth":"key:bad"}`, auth("private-cache-room")},
		{"presence cache", `{"channel":"presence-cache-room","auth":"key:bad"}`, auth("presence-cache-room")},
		{"no channel", `{}`, []string{invalid}},
		{"null channel", `{"channel":null}`, []string{invalid}},
		{"channel array", `{"channel":[]}`, []string{invalid}},
		{"auth array", `{"channel":"room","auth":[]}`, []string{invalid}},
		{"channel_data array", `{"channel":"room","channel_data":[]}`, []string{invalid}},
		{"channel_data no JSON", `{"channel":"room","channel_data":"Hello"}`, []string{invalid}},
		{"channel_data scalar", `{"channel":"room","channel_data":"5"}`, []string{invalid}},
		{"user_id object", `{"channel":"room","channel_data":"{\"user_id\":{}}"}`, []string{invalid}},
		{"data a string", `"text"`, []string{invalid}},
	}
	withApp(t, appWith(nil), func(n *node) {
		c := n.connect()
		for _, tt := range tests {
			c.say(`{"event":"pusher:subscribe","data":` + tt.message + `}`)
			if got := c.got(); !slices.Equal(got, tt.want) {
				t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			}
		}
		if got := n.hub.Stats(); got.Channels != 0 {
			t.Errorf("refused subscribes have left %d channels", got.Channels)
		}
		if got := c.closed(); got != "" {
			t.Errorf("closed: %s", got)
		}
		c.say(`{"event":"pusher:subscribe","data":{"channel":"room","auth":""}}`)
		c.expect(succeeded("room"))
		c.leave()
	})
}

func TestPusherRules(t *testing.T) {
	tests := []struct {
		name, channel, data string
		want                []string
	}{
		{"name", "a b", "", []string{refusal("Invalid channel name"), subscriptionError("a b", "InvalidChannel", "Invalid channel name", 400)}},
		{"no user id", "presence-room", `{"user_info":{}}`, []string{
			refusal("Presence channels need a user_id in channel_data"),
			subscriptionError("presence-room", "AuthError", "Presence channels need a user_id in channel_data", 401),
		}},
		{"no data", "presence-room", ``, []string{
			refusal("Presence channels need a user_id in channel_data"),
			subscriptionError("presence-room", "AuthError", "Presence channels need a user_id in channel_data", 401),
		}},
		{"long id", "presence-room", `{"user_id":"` + strings.Repeat("x", 129) + `"}`, []string{
			refusal("Presence user_id is too long"),
			subscriptionError("presence-room", "LimitReached", "Presence user_id is too long", 413),
		}},
		{"large info", "presence-room", `{"user_id":"1","user_info":"` + strings.Repeat("x", 1024) + `"}`, []string{
			refusal("Presence user_info is too large"),
			subscriptionError("presence-room", "LimitReached", "Presence user_info is too large", 413),
		}},
		{"not JSON", "presence-room", `{`, []string{refusal("Invalid message format")}},
		{"no object", "presence-room", `5`, []string{refusal("Invalid message format")}},
		{"ids are strings", "presence-room", `{"user_id":1}`, []string{presence("presence-room", 1, `["1"]`, `{"1":null}`)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withApp(t, pusherApp(nil), func(n *node) {
				c := n.open(transport.Request{Path: "/app/key", Query: "protocol=7"})
				c.id = socketIDs.FindStringSubmatch(c.got()[0])[1]
				c.subscribe(tt.channel, tt.data)
				c.expect(tt.want...)
				c.leave()
			})
		})
	}
	t.Run("signature", func(t *testing.T) {
		withApp(t, pusherApp(func(a *config.App) { a.Rules.RequireProtocol = false }), func(n *node) {
			c := n.connect()
			c.say(`{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"key:0"}}`)
			c.expect(refusal("Connection is unauthorized"), subscriptionError("private-a", "AuthError", "The connection is unauthorized.", 401))
			c.say(`{"event":"pusher:subscribe","data":{"channel":null}}`)
			c.say(`{"event":"pusher:subscribe"}`)
			c.expect(refusal("Invalid message format"), refusal("Invalid message format"))
			c.leave()
		})
	})
	t.Run("key of another app", func(t *testing.T) {
		withApp(t, appWith(func(a *config.App) { a.Rules.CheckAuthKey = true }), func(n *node) {
			c := n.connect()
			id, _ := protocol.ParseSocketID(c.id)
			c.say(`{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"other:%s"}}`, protocol.ChannelSignature("secret", id, "private-a", ""))
			c.expect(pusherError(4009, "Connection is unauthorized"), subscriptionError("private-a", "AuthError", "The connection is unauthorized.", 401))
			c.leave()
		})
	})
	t.Run("members", func(t *testing.T) {
		withApp(t, appWith(func(a *config.App) { a.Rules.MaxPresenceMembers = 1 }), func(n *node) {
			a, b := n.connect(), n.connect()
			a.join("presence-room", `{"user_id":1}`)
			b.subscribe("presence-room", `{"user_id":2}`)
			const full = "Presence channel is over its member limit"
			b.expect(pusherError(4301, full), subscriptionError("presence-room", "LimitReached", full, 403))
			a.expect()
			a.leave()
			b.leave()
		})
	})
}

func TestMaxSubscriptions(t *testing.T) {
	cfg := configured(appWith(nil))
	cfg.Server.Limits.MaxSubscriptions = 2
	withNode(t, cfg, func(n *node) {
		c := n.connect()
		c.join("a", "")
		c.join("b", "")
		c.subscribe("c", "")
		const full = "Connection is over its subscription limit"
		c.expect(pusherError(4301, full), subscriptionError("c", "LimitReached", full, 403))
		c.join("b", "") // again is not one more
		c.say(`{"event":"pusher:unsubscribe","data":{"channel":"a"}}`)
		c.join("c", "")
		c.leave()
	})
}

func TestUnsubscribe(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		c := n.connect()
		c.join("room", "")
		c.say(`{"event":"pusher:unsubscribe","data":{"channel":"other"}}`)
		c.say(`{"event":"pusher:unsubscribe","data":{"channel":"room"}}`)
		c.say(`{"event":"pusher:unsubscribe","data":{"channel":"room"}}`)
		c.expect()
		c.say(`{"event":"pusher:unsubscribe","data":{}}`)
		c.expect(invalid)
		if n.hub.Occupied("1", "room") {
			t.Error("the channel is still there")
		}
		c.leave()
	})
}

func TestPresence(t *testing.T) {
	const room = "presence-room"
	joe, ann := `{"user_id":1,"user_info":{"name":"Joe"}}`, `{"user_id":"2","user_info":{"name":"Ann"},"more":{}}`
	withApp(t, appWith(nil), func(n *node) {
		a, b, a2 := n.connect(), n.connect(), n.connect()
		a.join(room, joe)
		b.subscribe(room, ann)
		b.expect(presence(room, 2, `[1,"2"]`, `{"1":{"name":"Joe"},"2":{"name":"Ann"}}`))
		a.expect(memberAdded(room, ann))
		a2.subscribe(room, joe)
		a2.expect(presence(room, 2, `[1,"2"]`, `{"1":{"name":"Joe"},"2":{"name":"Ann"}}`))
		b.expect()

		users, ok, _ := n.Users(context.Background(), n.App("1"), room)
		if !ok || len(users) != 2 || string(users[0].IDRaw) != "1" || string(users[1].IDRaw) != `"2"` {
			t.Errorf("users %v %v", users, ok)
		}
		a.leave()
		b.expect()
		a2.leave()
		b.expect(memberRemoved(room, "1"))
		b.leave()
	})
}

func TestPresenceWithoutUser(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		a, b, c := n.connect(), n.connect(), n.connect()
		a.join("presence-room", "")
		b.join("presence-room", `{"name":"Joe"}`)
		a.expect(memberAdded("presence-room", `{"name":"Joe"}`))
		c.join("presence-room", "")
		a.expect(memberAdded("presence-room", `{}`))
		infos, reach := n.NamedChannels(context.Background(), n.App("1"), []string{"presence-room", "none", "presence-room"})
		if len(infos) != 1 || infos[0].Users != 1 || infos[0].Subscriptions != 3 || reach.Partial() {
			t.Errorf("infos %+v, %+v", infos, reach)
		}
		c.leave()
		b.leave()
		a.expect()
		a.leave()
	})
}

func TestConnections(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		a, b := n.connect(), n.connect()
		count := func(want int) {
			t.Helper()
			if got, _ := n.ConnectionCount(context.Background(), n.App("1")); got != want {
				t.Errorf("%d connections, want %d", got, want)
			}
		}
		count(0)
		a.join("x", "")
		a.join("y", "")
		b.join("x", "")
		count(2)
		infos, _ := n.Channels(context.Background(), n.App("1"), "")
		if len(infos) != 2 || infos[0].Name != "x" || infos[0].Subscriptions != 2 {
			t.Errorf("channels %+v", infos)
		}
		a.say(`{"event":"pusher:unsubscribe","data":{"channel":"x"}}`)
		count(2)
		a.say(`{"event":"pusher:unsubscribe","data":{"channel":"y"}}`)
		count(1)
		b.leave()
		count(0)
		a.leave()
		count(0)
		if n.SessionsForTest() != 0 {
			t.Error("sessions are left in the registry")
		}
	})
}

// Closed takes the subscriptions back in the order they began: others see the removals so.
func TestClosedKeepsOrder(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		a, b := n.connect(), n.connect()
		var want []string
		for i := range 40 {
			name := fmt.Sprintf("presence-%d", (i*7)%40)
			a.join(name, `{"user_id":1}`)
			b.join(name, `{"user_id":2}`)
			if i != 5 {
				want = append(want, memberRemoved(name, "2"))
			}
		}
		b.say(`{"event":"pusher:unsubscribe","data":{"channel":"presence-35"}}`)
		a.got()
		b.leave()
		a.expect(want...)
		a.leave()
	})
}

// sink is a subscriber that takes everything.
type sink struct{}

func (sink) SocketID() protocol.SocketID  { return protocol.SocketID{} }
func (sink) Encoding() *outbound.Encoding { return outbound.TextFrame }
func (sink) Send([]byte)                  {}
func (sink) Answer([]byte)                {}

func TestSubscriptionsAgainstModel(t *testing.T) {
	hub := channels.NewHub(channels.Options{})
	defer hub.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	var set server.Subscriptions
	var model []string
	for step := range 20_000 {
		name := fmt.Sprint(rng.IntN(20 + step/100))
		at := slices.Index(model, name)
		if rng.IntN(2) == 0 {
			sub, err := hub.Subscribe("1", name, sink{}, set.Find(name), channels.JoinOptions{})
			if err != nil {
				t.Fatal(err)
			}
			set.Put(sub)
			if at < 0 {
				model = append(model, name)
			}
		} else {
			sub := set.Take(name)
			if (sub != nil) != (at >= 0) {
				t.Fatalf("step %d: take %q: %v, model %v", step, name, sub, at)
			}
			if sub != nil {
				hub.Unsubscribe(sub)
				model = slices.Delete(model, at, at+1)
			}
		}
		if set.Len() != len(model) {
			t.Fatalf("step %d: %d, model %d", step, set.Len(), len(model))
		}
		if step%100 == 0 {
			var order []string
			var bytes int64
			set.Each(func(s *channels.Subscription) { order = append(order, s.Channel()); bytes += server.CostOf(s) })
			if !slices.Equal(order, model) || set.Bytes() != bytes {
				t.Fatalf("step %d: order %v, model %v; %d bytes, counted %d", step, order, model, set.Bytes(), bytes)
			}
		}
	}
	set.Each(hub.Unsubscribe)
}
