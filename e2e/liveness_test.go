package e2e_test

import (
	"testing"

	"github.com/gobwas/ws"

	"reverb/internal/testclient"
)

func TestLiveness(t *testing.T) {
	s := start(t, "", "ping_interval = 1")
	t.Run("77 78 79 80 83 pinged, then pruned", func(t *testing.T) {
		var clients []*testclient.Client
		for range 5 {
			c := testclient.Connect(t, s.Addr, key)
			c.Join(secret, "private-silent", "")
			clients = append(clients, c)
		}
		clients = append(clients, testclient.Connect(t, s.Addr, key)) // subscribed to nothing: watched all the same
		for _, c := range clients {
			c.Expect(`{"event":"pusher:ping"}`)
		}
		for _, c := range clients {
			c.ExpectError(4201, "Pong reply not received in time")
			c.ExpectClose(4201)
		}
		firstApp(s).Get(t, "/channels", nil).Expect(t, 200, `{"channels":{}}`)
	})
	t.Run("a pong keeps the connection", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		for range 3 {
			c.Expect(`{"event":"pusher:ping"}`)
			c.Send(`{"event":"pusher:pong","data":{}}`)
		}
	})
	t.Run("81 82 84 control frames", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		c.SendFrame(ws.NewPingFrame([]byte("hello")))
		expectFrame(t, c, ws.OpPong, "hello")
		for range 3 {
			expectFrame(t, c, ws.OpPing, "")
			c.SendFrame(ws.NewPongFrame(nil))
		}
	})
}

func expectFrame(t *testing.T, c *testclient.Client, op ws.OpCode, payload string) {
	t.Helper()
	got, p, err := c.Frame()
	if err != nil || got != op || string(p) != payload {
		t.Fatalf("got frame %x %q %v, want %x %q", got, p, err, op, payload)
	}
}
