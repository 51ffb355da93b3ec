package server_test

import (
	"fmt"
	"strings"
	"testing"

	"reverb/channels"
	"reverb/config"
)

// A name that is too long, or the server's, is refused as Reverb refuses: with pusher:error, and for Echo with
// subscription_error.
func TestRefusedChannelNames(t *testing.T) {
	const longest = 1 << 10
	pusherNames := pusherApp(func(a *config.App) { a.Rules.ErrorObject, a.Rules.RequireProtocol = false, false })
	everybody := appWith(func(a *config.App) { a.AcceptClientEventsFrom = "all" })
	refused := pusherError(4200, "Invalid channel name")
	for _, app := range []*config.App{everybody, pusherNames} {
		withApp(t, app, func(n *node) {
			c := n.connect()
			defer c.leave()
			for _, channel := range []string{strings.Repeat("x", longest+1), "#server-to-user-7", "#", "#private-x"} {
				c.say(`{"event":"pusher:subscribe","data":{"channel":%q}}`, channel)
				c.expect(refused, subscriptionError(channel, "InvalidChannel", "Invalid channel name", 400))
				c.say(`{"event":"client-x","channel":%q,"data":{}}`, channel)
				c.expect(refused)
				if app == everybody {
					c.say(`{"event":"client-x","channel":"room","channels":["room",%q],"data":{}}`, channel)
					c.expect(refused)
				}
			}
			if got := n.hub.Stats(); got != (channels.Stats{}) {
				t.Errorf("something is left: %+v", got)
			}
		})
	}
	withApp(t, everybody, func(n *node) {
		c := n.connect()
		defer c.leave()
		for _, channel := range []string{strings.Repeat("x", longest), "a#b", "é", " #x"} {
			c.say(`{"event":"pusher:subscribe","data":{"channel":%q}}`, channel)
			c.expect(succeeded(channel))
		}
	})
}

// The bytes that the subscriptions of a connection hold are bounded, whether they are many, have long names or much
// data, and an ended one frees its own.
func TestSubscriptionBytes(t *testing.T) {
	tests := []struct {
		name        string
		prefix      string
		size        int    // of a channel's name
		data        string // channel_data
		least, most int    // subscriptions
	}{
		{"many", "private-", 30, "", 5_000, 8_000},
		{"long names", "private-", 1 << 10, "", 1_000, 2_000},
		{"presence", "presence-", 30, `{"user_id":1}`, 1_600, 2_400},
		{"much data", "private-", 30, `{"user_id":1,"user_info":"` + strings.Repeat("x", 9_000) + `"}`, 80, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := configured(appWith(nil))
			cfg.Server.Limits.SubscriptionBytes = config.Default().Server.Limits.SubscriptionBytes
			withNode(t, cfg, func(n *node) {
				c := n.connect()
				defer c.leave()
				channel := func(i int) string { return fmt.Sprintf("%s%06d%s", tt.prefix, i, strings.Repeat("x", tt.size-15)) }
				joined := succeeded
				if tt.prefix == "presence-" {
					joined = func(channel string) string {
						return strings.Replace(succeeded(channel), "{}", `{\"presence\":{\"count\":1,\"ids\":[1],\"hash\":{\"1\":null}}}`, 1)
					}
				}
				i := 0
				for ; i <= tt.most; i++ {
					c.subscribe(channel(i), tt.data)
					if len(c.got()) > 1 {
						break
					}
				}
				if i < tt.least || i > tt.most {
					t.Fatalf("%d subscriptions, want %d to %d", i, tt.least, tt.most)
				}
				refused := []string{
					pusherError(4301, "Connection is over its subscription limit"),
					subscriptionError(channel(i), "LimitReached", "Connection is over its subscription limit", 403),
				}
				c.subscribe(channel(i), tt.data)
				c.expect(refused...)
				c.subscribe(channel(0), tt.data) // again: no more than before
				c.expect(joined(channel(0)))
				if tt.data == "" {
					c.subscribe(channel(0), `{"user_info":"`+strings.Repeat("x", 9_000)+`"}`) // again, with more
					refused[1] = strings.ReplaceAll(refused[1], channel(i), channel(0))
					c.expect(refused...)
				}
				c.say(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, channel(1))
				c.subscribe(channel(i), tt.data)
				c.expect(joined(channel(i)))
			})
		})
	}
}
