package server_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"reverb/config"
	"reverb/protocol"
	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

// otherApp is an app "2" with key "key2".
func otherApp() *config.App { return config.NewApp("2", "key2", "secret2") }

func TestReloadAddsAnApp(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		old := n.connect()
		defer old.leave()
		n.open(transport.Request{Path: "/app/key2"}).expect(pusherError(4001, "Application does not exist"))
		n.Reload(config.Apps{appWith(nil), otherApp()})
		if n.App("2") == nil || len(n.Inspector().Apps()) != 2 {
			t.Fatal("the app is not there")
		}
		c := n.open(transport.Request{Path: "/app/key2"})
		defer c.leave()
		if got := c.got(); len(got) != 1 || !strings.Contains(got[0], "connection_established") {
			t.Errorf("got %q", got)
		}
		old.say(`{"event":"pusher:ping"}`)
		old.expect(pong)
	})
}

// The connections of an app that is gone are told what they would be told if they came back, one after the other; those
// of others notice nothing.
func TestReloadRemovesAnApp(t *testing.T) {
	cfg := configured(appWith(nil), otherApp())
	cfg.Server.DrainTimeout = 10 * time.Second
	withNode(t, cfg, func(n *node) {
		kept := n.open(transport.Request{Path: "/app/key2"})
		defer kept.leave()
		kept.got()
		clients := make([]*client, 40)
		for i := range clients {
			clients[i] = n.connect()
			clients[i].join("room", "")
			clients[i].got()
		}
		n.Reload(config.Apps{otherApp()})
		if n.App("1") != nil {
			t.Error("the HTTP API still knows the app")
		}
		n.open(transport.Request{Path: "/app/key"}).expect(pusherError(4001, "Application does not exist"))
		time.Sleep(5 * time.Second) // of the bubble
		closed := 0
		for _, c := range clients {
			if c.closed() != "" {
				closed++
			}
		}
		if closed < 15 || closed > 25 {
			t.Errorf("%d of 40 closed after half of the time", closed)
		}
		time.Sleep(6 * time.Second)
		for _, c := range clients {
			c.expect(pusherError(4001, "Application does not exist"))
			if got := c.closed(); got != "4001 Application does not exist" {
				t.Errorf("closed %q", got)
			}
			c.leave()
		}
		if _, ok := n.hub.Info("1", "room"); ok {
			t.Error("the channel is left")
		}
		kept.say(`{"event":"pusher:ping"}`)
		kept.expect(pong)
		if got := n.metric(`reverb_connections_closed_total{app="1",reason="app_closed"}`); got != "40" {
			t.Errorf("closed in the metrics: %q, want 40", got)
		}
	})
}

// A slip that is put right at once costs only the connections whose turn has come.
func TestReloadBringsAnAppBack(t *testing.T) {
	cfg := configured(appWith(nil))
	cfg.Server.DrainTimeout = 10 * time.Second
	withNode(t, cfg, func(n *node) {
		clients := make([]*client, 20)
		for i := range clients {
			clients[i] = n.connect()
		}
		n.Reload(config.Apps{otherApp()})
		time.Sleep(2 * time.Second)
		n.Reload(config.Apps{otherApp()})
		n.Reload(config.Apps{appWith(func(a *config.App) { a.MaxConnections = 20 }), otherApp()})
		time.Sleep(20 * time.Second)
		closed := 0
		for _, c := range clients {
			if c.closed() != "" {
				closed++
				c.leave()
			}
		}
		if closed == 0 || closed > 10 {
			t.Errorf("%d of 20 closed", closed)
		}
		for range closed { // the places that they left, and no more
			c := n.connect()
			defer c.leave()
		}
		n.open(transport.Request{Path: "/app/key"}).expect(pusherError(4004, "Application is over connection quota"))
		for _, c := range clients {
			c.leave()
		}
	})
}

func TestReloadDisablesAnApp(t *testing.T) {
	withApp(t, pusherApp(nil), func(n *node) {
		c := n.open(transport.Request{Path: "/app/key", Query: "protocol=7"})
		c.got()
		n.Reload(config.Apps{pusherApp(func(a *config.App) { a.Enabled = false })})
		c.expect(errorObject(4003, "Application is disabled"))
		if got := c.closed(); got != "4003 Application is disabled" {
			t.Errorf("closed %q", got)
		}
		c.leave()
		n.Reload(config.Apps{pusherApp(nil)})
		c = n.open(transport.Request{Path: "/app/key", Query: "protocol=7"})
		defer c.leave()
		if got := c.got(); !strings.Contains(got[0], "connection_established") {
			t.Errorf("got %q", got)
		}
	})
}

// What changes for a connection that lives on.
func TestReloadChangesAnApp(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		c, other := n.connect(), n.connect()
		defer c.leave()
		defer other.leave()
		c.join("private-a", "")
		other.join("private-a", "")
		typing := `{"event":"client-typing","channel":"private-a","data":{}}`
		c.say(typing)
		other.expect(typing)

		n.Reload(config.Apps{appWith(func(a *config.App) {
			a.AcceptClientEventsFrom = "none"
			a.MaxMessageSize = 77
			a.MaxConnections = 1
			a.AllowedOrigins = []string{"nowhere"}
		})})
		c.say(typing)
		c.expect(pusherError(4301, "The app does not have client messaging enabled."))
		if c.conn.MaxMessage() != 77 {
			t.Errorf("message limit %d, want 77", c.conn.MaxMessage())
		}
		n.open(transport.Request{Path: "/app/key"}).expect(pusherError(4004, "Application is over connection quota"))
		if got := c.closed() + other.closed(); got != "" {
			t.Errorf("closed %q", got)
		}

		n.Reload(config.Apps{appWith(func(a *config.App) {
			a.RateLimit = config.RateLimit{Enabled: true, MaxAttempts: 1, Decay: time.Minute, TerminateOnLimit: true}
		})})
		c.say(typing)
		other.expect(typing)
		c.say(typing)
		c.expect(pusherError(4301, "Rate limit exceeded"))
		if got := c.closed(); !strings.HasPrefix(got, "1008") {
			t.Errorf("closed %q", got)
		}
		if got := other.closed(); got != "" {
			t.Errorf("other closed %q", got)
		}
		n.Reload(config.Apps{appWith(func(a *config.App) { a.PingInterval = 5 * time.Second })})
		time.Sleep(7 * time.Second)
		other.expect(ping)
	})
}

// While a rotation lasts, either key opens a connection and either secret signs.
func TestTwoLiveSecrets(t *testing.T) {
	rotated := func(change func(*config.App)) *config.App {
		a := config.NewApp("1", "new", "new-secret")
		a.PreviousKeys, a.PreviousSecrets = []string{"key"}, []string{"secret"}
		if change != nil {
			change(a)
		}
		return a
	}
	withApp(t, appWith(nil), func(n *node) {
		before := n.connect()
		defer before.leave()
		before.join("private-a", "")
		for _, strict := range []bool{false, true} {
			n.Reload(config.Apps{rotated(func(a *config.App) { a.Rules.CheckAuthKey = strict })})
			for _, path := range []string{"/app/key", "/app/new"} {
				for _, tt := range []struct {
					key, secret string
					ok          bool
				}{
					{"key", "secret", true}, {"new", "new-secret", true}, {"key", "new-secret", true},
					{"new", "older", false}, {"older", "secret", !strict},
				} {
					c := n.open(transport.Request{Path: path})
					c.id = socketIDs.FindStringSubmatch(c.got()[0])[1]
					auth := tt.key + ":" + protocol.ChannelSignature(tt.secret, socketID(t, c.id), "private-b", "")
					c.say(`{"event":"pusher:subscribe","data":{"channel":"private-b","auth":%q}}`, auth)
					if got := c.got(); strings.Contains(got[0], "subscription_succeeded") != tt.ok {
						t.Errorf("%s, %+v, strict %v: got %q", path, tt, strict, got)
					}
					c.leave()
				}
			}
		}
		n.Reload(config.Apps{rotated(func(a *config.App) { a.PreviousKeys, a.PreviousSecrets = nil, nil })})
		n.open(transport.Request{Path: "/app/key"}).expect(pusherError(4001, "Application does not exist"))
		n.publish(server.Publication{Event: "e", Data: "d", Channels: []string{"private-a"}})
		before.expect(`{"event":"e","data":"d","channel":"private-a"}`)
		before.subscribe("private-c", "") // the client has the old secret's signature
		if got := before.got(); !strings.Contains(got[0], "4009") {
			t.Errorf("got %q", got)
		}
	})
}

// A key that goes to another app goes there in one moment, with the app's settings.
func TestReloadIsOne(t *testing.T) {
	withNode(t, configured(appWith(nil), otherApp()), func(n *node) {
		a, b := appWith(nil), otherApp()
		a.Key, b.Key = b.Key, a.Key
		n.Reload(config.Apps{a, b, config.NewApp("3", "key", "x")}) // the first in the list wins
		c := n.connect()
		defer c.leave()
		if got := n.Inspector().Session(socketID(t, c.id)).Describe().App; got != "2" || n.App("3") != nil {
			t.Errorf("app %q", got)
		}
	})
}

// The limit of the server is not reloaded, and no app goes over it.
func TestReloadKeepsTheCeiling(t *testing.T) {
	withApp(t, appWith(nil), func(n *node) {
		c := n.connect()
		defer c.leave()
		n.Reload(config.Apps{appWith(func(a *config.App) { a.MaxMessageSize = 1 << 30 })})
		if c.conn.MaxMessage() != 16<<20 {
			t.Errorf("limit %d", c.conn.MaxMessage())
		}
		n.Close()
		n.Reload(config.Apps{}) // too late to change anything
		if n.App("1") == nil || c.closed() != "" {
			t.Error("a closed server reloads")
		}
	})
}

// Everything at once, for the race detector; and in the end all is as the last configuration says.
func TestReloadWhileClientsComeAndGo(t *testing.T) {
	cfg := configured(appWith(nil), otherApp())
	n := newNode(t, cfg, nil)
	defer n.stop()
	ctx, cancel := context.WithCancel(t.Context())
	var clients, publishers sync.WaitGroup
	path := []string{"/app/key", "/app/key2", "/app/old"}
	for i := range 6 {
		clients.Go(func() {
			for round := 0; ctx.Err() == nil; round++ {
				conn := new(transporttest.Conn)
				r := n.Open(conn, &transport.Request{Path: path[(i+round)%len(path)]})
				for k := range 4 {
					r.Message(fmt.Appendf(nil, `{"event":"pusher:subscribe","data":{"channel":"room-%d"}}`, k), false)
					r.Message(fmt.Appendf(nil, `{"event":"client-x","channel":"room-%d","data":"{}"}`, k), false)
				}
				r.Closed(transport.ReasonHangup)
			}
		})
	}
	publishers.Go(func() {
		for ctx.Err() == nil {
			if conf := n.App("1"); conf != nil {
				_ = n.Publish(ctx, conf, server.Publication{Event: "e", Data: "d", Channels: []string{"room-1", "room-2"}})
				n.ConnectionCount(ctx, conf)
			}
			n.Inspector().Apps()
		}
	})
	lists := []config.Apps{
		{appWith(nil), otherApp()},
		{otherApp()},
		{appWith(func(a *config.App) {
			a.PreviousKeys, a.MaxMessageSize, a.AcceptClientEventsFrom = []string{"old"}, 50, "all"
			a.RateLimit = config.RateLimit{Enabled: true, MaxAttempts: 3, Decay: time.Minute}
		})},
		{appWith(func(a *config.App) { a.Enabled = false }), otherApp()},
	}
	for i := range 400 {
		n.Reload(lists[i%len(lists)])
	}
	cancel()
	clients.Wait()
	publishers.Wait()
	n.Reload(lists[0])
	n.Close() // waits for what ends sessions in the background, also those that are closed already
	if got := n.SessionsForTest(); got != 0 {
		t.Errorf("%d sessions left", got)
	}
	for _, app := range lists[0] {
		if open := n.Connections()[app.ID]; open != 0 {
			t.Errorf("app %s: %d connections counted, want none", app.ID, open)
		}
		if count, _ := n.ConnectionCount(t.Context(), app); count != 0 {
			t.Errorf("app %s: %d subscribed connections, want none", app.ID, count)
		}
	}
}

// Connections that are let in while their app is taken away do not stay.
func TestReloadCatchesThoseWhoCome(t *testing.T) {
	n := newNode(t, configured(appWith(nil)), nil)
	defer n.stop()
	for range 200 {
		n.Reload(config.Apps{appWith(nil)})
		conn := new(transporttest.Conn)
		var opening sync.WaitGroup
		var r transport.Receiver
		opening.Go(func() { r = n.Open(conn, &transport.Request{Path: "/app/key"}) })
		n.Reload(config.Apps{otherApp()})
		opening.Wait()
		for deadline := time.Now().Add(5 * time.Second); ; {
			closed := conn.Closed()
			if closed == "4001 Application does not exist" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("closed %q", closed)
			}
			<-time.After(time.Millisecond)
		}
		r.Closed(transport.ReasonServerClose)
	}
}
