package server_test

import "testing"

// The answer of a subscribe that waited for the relay waits for room, too, and whatever happens meanwhile, what was
// granted is given back once.
func TestJoinWaitsForRoomForItsAnswer(t *testing.T) {
	alone := presence(den, 1, `[1]`, `{"1":{"name":"Joe"}}`)
	for _, tt := range []struct {
		name      string
		meanwhile func(c *client)
		want      []string
	}{
		{"nothing", func(*client) {}, []string{alone}},
		{"unsubscribe", func(c *client) { c.say(`{"event":"pusher:unsubscribe","data":{"channel":"presence-den"}}`) }, nil},
		{"twice", func(c *client) { c.subscribe(den, joe) }, []string{alone, alone}},
		{"closed", func(c *client) { c.leave() }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scaled(t, nil, func(t *testing.T, n *node, r *slowRelay) {
				c := n.connect()
				c.conn.SetRoom(false)
				c.subscribe(den, joe)
				r.next(t, nil)
				c.expect()
				tt.meanwhile(c)
				c.expect()
				c.conn.SetRoom(true)
				c.expect(tt.want...)
				c.leave()
			})
		})
	}
}
