package server_test

import (
	"testing"

	"reverb/config"
	"reverb/server"
)

// Pusher answers a second subscribe with an error and lets the first be. In the reverb profile it is answered again.
func TestSubscribeOnce(t *testing.T) {
	withApp(t, pusherApp(func(a *config.App) { a.Rules.RequireProtocol = false }), func(n *node) {
		a, b := n.connect(), n.connect()
		b.join("presence-room", `{"user_id":"2"}`)
		for _, channel := range []string{"room", "private-room", "cache-room", "presence-room"} {
			data := ""
			if channel == "presence-room" {
				data = `{"user_id":"1"}`
			}
			a.join(channel, data)
			b.got()
			a.subscribe(channel, data)
			a.expect(refusal("Existing subscription to channel " + channel))
			a.say(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":"key:bad"}}`, channel)
			a.expect(refusal("Existing subscription to channel " + channel))
			b.expect()
			n.publish(server.Publication{Event: "e", Data: "d", Channels: []string{channel}})
			want := `{"event":"e","data":"d","channel":"` + channel + `"}`
			a.expect(want)
			b.got()
			a.say(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, channel)
			a.join(channel, data)
		}
		a.leave()
		b.leave()
	})
	withApp(t, appWith(nil), func(n *node) {
		a := n.connect()
		for range 2 {
			a.subscribe("room", "")
			a.expect(succeeded("room"))
		}
		a.leave()
	})
}
