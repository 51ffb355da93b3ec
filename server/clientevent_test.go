package server_test

import (
	"fmt"
	"strings"
	"testing"

	"reverb/config"
	"reverb/server"
	"reverb/transport"
)

func TestClientEvents(t *testing.T) {
	const user = `{"user_id":1,"user_info":{}}`
	none := func(a *config.App) { a.AcceptClientEventsFrom = "none" }
	all := func(a *config.App) { a.AcceptClientEventsFrom = "all" }
	tests := []struct {
		name     string
		change   func(*config.App)
		channel  string // that both join
		data     string // channel_data of the sender
		message  string
		received []string // by the other
		answered []string // to the sender
	}{
		{"public", nil, "room", "", `{"event":"client-a","channel":"room","data":{"x":1.0,"y":{}}}`,
			[]string{`{"event":"client-a","channel":"room","data":{"x":1.0,"y":{}}}`}, nil},
		{"without data", nil, "room", "", `{"event":"client-a","channel":"room"}`,
			[]string{`{"event":"client-a","channel":"room","data":null}`}, nil},
		{"data as text", nil, "room", "", `{"event":"client-a","channel":"room","data":"{\"x\":1}"}`,
			[]string{`{"event":"client-a","channel":"room","data":{"x":1}}`}, nil},
		{"data a scalar", nil, "room", "", `{"event":"client-a","channel":"room","data":"text"}`, nil, []string{invalid}},
		{"channel an array", nil, "room", "", `{"event":"client-a","channel":[]}`, nil, []string{invalid}},
		{"not client-", nil, "room", "", `{"event":"Client-a","channel":"room","data":{}}`, nil, nil},
		{"internal", nil, "room", "", `{"event":"pusher_internal:member_added","channel":"room","data":{}}`, nil, nil},
		{"not a member", nil, "room", "", `{"event":"client-a","channel":"other","data":{}}`, nil,
			[]string{pusherError(4009, "The client is not a member of the specified channel.")}},
		{"nobody may", none, "room", "", `{"event":"client-a","channel":"room","data":{}}`, nil,
			[]string{pusherError(4301, "The app does not have client messaging enabled.")}},
		{"user id of a private channel", nil, "private-room", user, `{"event":"client-a","channel":"private-room","data":{}}`,
			[]string{`{"event":"client-a","channel":"private-room","data":{},"user_id":1}`}, nil},
		{"user id of a presence channel", nil, "presence-room", `{"user_id":"1"}`, `{"event":"client-a","channel":"presence-room","data":{},"user_id":9}`,
			[]string{`{"event":"client-a","channel":"presence-room","data":{},"user_id":"1"}`}, nil},
		{"no user id of a public channel", nil, "room", user, `{"event":"client-a","channel":"room","data":{}}`,
			[]string{`{"event":"client-a","channel":"room","data":{}}`}, nil},
		{"all: more fields, no user id", all, "room", "", `{"event":"client-a","more":[1],"user_id":9,"channel":"room","data":{}}`,
			[]string{`{"event":"client-a","more":[1],"channel":"room","data":{}}`}, nil},
		{"all: user id of the server", all, "presence-room", user, `{"event":"client-a","channel":"presence-room","data":{},"user_id":9}`,
			[]string{`{"event":"client-a","channel":"presence-room","data":{},"user_id":1}`}, nil},
		{"all: channels", all, "room", "", `{"event":"client-a","channel":"x","channels":["room","nobody","room"],"data":{}}`,
			[]string{`{"event":"client-a","channel":"room","data":{}}`}, nil},
		{"all: no channels", all, "room", "", `{"event":"client-a","channel":"room","channels":[],"data":{}}`, nil, nil},
		{"all: too many channels", all, "room", "", `{"event":"client-a","channel":"room","data":{},"channels":["room"` + strings.Repeat(`,"x"`, 100) + `]}`, nil,
			[]string{invalid}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withApp(t, appWith(tt.change), func(n *node) {
				a, b := n.connect(), n.connect()
				b.join(tt.channel, "")
				a.join(tt.channel, tt.data)
				b.got()
				a.say(tt.message)
				a.expect(tt.answered...)
				b.expect(tt.received...)
				a.leave()
				b.leave()
			})
		})
	}
}

// In the mode "all" the sender needs no subscription.
func TestClientEventOfAnybody(t *testing.T) {
	withApp(t, appWith(func(a *config.App) { a.AcceptClientEventsFrom = "all" }), func(n *node) {
		a, b := n.connect(), n.connect()
		b.join("room", "")
		a.say(`{"event":"client-a","channel":"room","data":{}}`)
		a.expect()
		b.expect(`{"event":"client-a","channel":"room","data":{}}`)
		a.leave()
		b.leave()
	})
}

// Membership is looked up in the sender's own app, whatever others do meanwhile.
func TestClientEventsOfTwoApps(t *testing.T) {
	cfg := configured(appWith(nil), config.NewApp("2", "key2", "secret2"))
	withNode(t, cfg, func(n *node) {
		a, b := n.connect(), n.connect()
		other := n.open(transport.Request{Path: "/app/key2"})
		for _, c := range []*client{a, b} {
			c.join("room", "")
		}
		other.join("room", "")
		a.say(`{"event":"client-a","channel":"room","data":{}}`)
		a.expect()
		b.expect(`{"event":"client-a","channel":"room","data":{}}`)
		other.expect()
		a.leave()
		b.leave()
		other.leave()
	})
}

func TestClientEventsAreCached(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		a, b := n.connect(), n.connect()
		a.join("cache-room", "")
		a.say(`{"event":"client-a","channel":"cache-room","data":{}}`)
		b.subscribe("cache-room", "")
		b.expect(succeeded("cache-room"), `{"event":"client-a","channel":"cache-room","data":{}}`)
		a.leave()
		b.leave()
	})
}

func TestClientEventsUnderPushersRules(t *testing.T) {
	tests := []struct{ name, event, channel, data, want string }{
		{"public", "client-a", "room", "{}", "Client events are only allowed on private and presence channels"},
		{"long name", "client-" + strings.Repeat("x", 200), "private-room", "{}", "Invalid client event name"},
		{"large", "client-a", "private-room", `"{\"x\":\"` + strings.Repeat("x", 10<<10) + `\"}"`, "Client event data is too large"},
	}
	connect := func(n *node) *client {
		c := n.open(transport.Request{Path: "/app/key", Query: "protocol=7"})
		c.id = socketIDs.FindStringSubmatch(c.got()[0])[1]
		return c
	}
	withApp(t, pusherApp(nil), func(n *node) {
		a, b := connect(n), connect(n)
		for _, c := range []*client{a, b} {
			c.join("room", "")
			c.join("private-room", "")
			c.join("presence-cache-room", `{"user_id":7}`)
		}
		a.got()
		for _, tt := range tests {
			a.say(fmt.Sprintf(`{"event":"%s","channel":"%s","data":%s}`, tt.event, tt.channel, tt.data))
			t.Log(tt.name)
			a.expect(eventError(4301, tt.want, tt.channel))
			b.expect()
		}
		a.say(`{"event":"client-a","channel":"presence-cache-room","data":{}}`)
		b.expect(`{"event":"client-a","channel":"presence-cache-room","data":{},"user_id":"7"}`)
		b.say(`{"event":"pusher:unsubscribe","data":{"channel":"presence-cache-room"}}`)
		b.subscribe("presence-cache-room", `{"user_id":7}`)
		b.expect(presence("presence-cache-room", 1, `["7"]`, `{"7":null}`), cacheMiss("presence-cache-room"))
		a.leave()
		b.leave()
	})
}

func TestPublish(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		a, b := n.connect(), n.connect()
		a.join("room", "")
		b.join("room", "")
		b.join("cache-room", "")
		const data = `{"a":"b/ü<"}`
		n.publish(server.Publication{Event: `App\Events\Test`, Data: data, Channels: []string{"room", "nobody", "cache-room"}})
		want := func(channel string) string {
			return `{"event":"App\\Events\\Test","data":"{\"a\":\"b/ü<\"}","channel":"` + channel + `"}`
		}
		a.expect(want("room"))
		b.expect(want("room"), want("cache-room"))
		c := n.connect()
		c.subscribe("cache-room", "")
		c.expect(succeeded("cache-room"), want("cache-room"))
		n.publish(server.Publication{Event: "pusher:x", Data: "d", Channels: []string{"room"}, Batch: true, Except: socketID(t, a.id)})
		a.expect()
		b.expect(`{"event":"pusher:x","channel":"room","data":"d"}`)
		if got := n.metric(`reverb_messages_published_total{app="1",source="api"}`); got != "4" {
			t.Errorf("published %q, want 4", got)
		}
		a.leave()
		b.leave()
		c.leave()
	})
}

func TestTerminateUser(t *testing.T) {
	for _, pusher := range []bool{false, true} {
		app := appWith(nil)
		if pusher {
			app.Profile = config.ProfilePusher
		}
		withApp(t, app, func(n *node) {
			a, b, c := n.connect(), n.connect(), n.connect()
			a.join("room", "")
			a.join("presence-one", "")
			a.join("presence-two", `{"user_id":456}`)
			b.join("presence-two", `{"user_id":"456"}`)
			c.join("presence-two", `{"user_id":4567}`)
			c.join("private-x", `{"user_id":456}`)
			a.got()
			b.got()
			n.TerminateUser(t.Context(), n.App("1"), "456")
			n.TerminateUser(t.Context(), n.App("1"), "nobody")
			n.TerminateUser(t.Context(), n.App("1"), "")
			const text = "Connection terminated by the application"
			want, frames := "4100 "+text, []string(nil)
			if pusher {
				want, frames = "4009 "+text, []string{pusherError(4009, text)}
			}
			for _, gone := range []*client{a, b} {
				gone.expect(frames...)
				if got := gone.closed(); got != want {
					t.Errorf("closed %q, want %q", got, want)
				}
			}
			if got, _ := n.ConnectionCount(t.Context(), n.App("1")); got != 1 {
				t.Errorf("%d connections, want 1", got)
			}
			a.leave()
			b.leave()
			if got := c.closed(); got != "" {
				t.Errorf("another user was closed with %q", got)
			}
			c.expect(memberRemoved("presence-two", `"456"`))
			if got := n.metric(`reverb_connections_closed_total{app="1",reason="terminated"}`); got != "2" {
				t.Errorf("terminated %q, want 2", got)
			}
			c.leave()
		})
	}
}

// Pusher passes on any JSON that a client sends: one pusher-js gets what another one triggers.
func TestClientEventsOfAnyJSON(t *testing.T) {
	for _, mode := range []string{"members", "all"} {
		withApp(t, pusherApp(func(a *config.App) {
			a.AcceptClientEventsFrom, a.Rules.RequireProtocol, a.Rules.MaxClientEvents = mode, false, 0
		}), func(n *node) {
			a, b := n.connect(), n.connect()
			a.join("private-room", "")
			b.join("private-room", "")
			for _, data := range []string{
				`"text"`, `""`, `5`, `-1.50`, `true`, `false`, `null`, `{"x":1.0,"y":{}}`, `[ 1,"a" ]`, `"{\"x\":1}"`, `"5"`, `"null"`, `"\u00e9\/"`,
				`"` + strings.Repeat("x", 10<<10) + `"`,
			} {
				a.say(`{"event":"client-a","channel":"private-room","data":%s}`, data)
				a.expect()
				b.expect(`{"event":"client-a","channel":"private-room","data":` + data + `}`)
			}
			a.leave()
			b.leave()
		})
	}
}

// A client finds by the channel whose event was refused.
func TestRefusedClientEventsNameTheirChannel(t *testing.T) {
	lax := func(a *config.App) { a.Rules.RequireProtocol, a.Rules.MaxClientEvents = false, 0 }
	event := func(channel string) string { return `{"event":"client-a","channel":"` + channel + `","data":{}}` }
	for name, tt := range map[string]struct {
		change  func(*config.App)
		message string
		want    string
	}{
		"no member":    {nil, event("private-other"), eventError(4009, "The client is not a member of the specified channel.", "private-other")},
		"public":       {nil, event("room"), eventError(4301, "Client events are only allowed on private and presence channels", "room")},
		"channel name": {nil, event("private- "), eventError(4200, "Invalid channel name", "private- ")},
		"event name": {nil, `{"event":"client-` + strings.Repeat("a", 200) + `","channel":"private-room"}`,
			eventError(4301, "Invalid client event name", "private-room")},
		"too large": {func(a *config.App) { a.Rules.MaxEventData = 3 }, `{"event":"client-a","channel":"private-room","data":"1234"}`,
			eventError(4301, "Client event data is too large", "private-room")},
		"too many":    {func(a *config.App) { a.Rules.MaxClientEvents = 1 }, event("private-room"), eventError(4301, "Rate limit exceeded", "private-room")},
		"disabled":    {func(a *config.App) { a.AcceptClientEventsFrom = "none" }, event("private-room"), eventError(4301, "The app does not have client messaging enabled.", "private-room")},
		"in a list":   {func(a *config.App) { a.AcceptClientEventsFrom = "all" }, `{"event":"client-a","channel":"private-room","channels":["private-room","a b"]}`, eventError(4200, "Invalid channel name", "a b")},
		"no channel":  {nil, `{"event":"client-a"}`, errorObject(4200, "Invalid message format")},
		"no name":     {nil, `{"event":"client-a","channel":7}`, errorObject(4200, "Invalid message format")},
		"a blank one": {nil, `{"event":"client-a","channel":" "}`, eventError(4200, "Invalid message format", " ")},
	} {
		t.Run(name, func(t *testing.T) {
			app := pusherApp(lax)
			if tt.change != nil {
				tt.change(app)
			}
			withApp(t, app, func(n *node) {
				a := n.connect()
				a.join("private-room", "")
				if name == "too many" {
					a.say(tt.message)
				}
				a.say(tt.message)
				a.expect(tt.want)
				a.leave()
			})
		})
	}
}

// A name that stands in a list of channels many times is one delivery, in the order of the list.
func TestChannelsListNamesOnce(t *testing.T) {
	withApp(t, appWith(func(a *config.App) { a.AcceptClientEventsFrom = "all" }), func(n *node) {
		sender, listener := n.connect(), n.connect()
		defer sender.leave()
		defer listener.leave()
		listener.join("b", "")
		listener.join("a", "")
		names := strings.Repeat(`"b","a",`, 49) + `"b"`
		sender.say(`{"event":"client-x","channel":"a","channels":[` + names + `],"data":{}}`)
		listener.expect(`{"event":"client-x","channel":"b","data":{}}`, `{"event":"client-x","channel":"a","data":{}}`)
	})
}

// The user 0 is a user like another: its client events say so.
func TestClientEventOfUserZero(t *testing.T) {
	for _, id := range []string{`0`, `"0"`} {
		withApp(t, appWith(nil), func(n *node) {
			sender, listener := n.connect(), n.connect()
			defer sender.leave()
			defer listener.leave()
			sender.join("presence-room", `{"user_id":`+id+`}`)
			listener.join("presence-room", `{"user_id":1}`)
			sender.say(`{"event":"client-x","channel":"presence-room","data":{}}`)
			listener.expect(`{"event":"client-x","channel":"presence-room","data":{},"user_id":` + id + `}`)
			sender.leave()
			listener.expect(memberRemoved("presence-room", id))
		})
	}
}
