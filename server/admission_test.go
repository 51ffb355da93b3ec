package server_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"reverb/config"
	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

func TestOpen(t *testing.T) {
	strict := config.NewApp("2", "strict", "s")
	strict.Profile, strict.Rules = config.ProfilePusher, config.ProfileRules(config.ProfilePusher)
	off := config.NewApp("3", "off", "s")
	off.Enabled = false
	origin := config.NewApp("4", "origin", "s")
	origin.AllowedOrigins = []string{"laravel.com", "*.laravel.com"}
	odd := config.NewApp("5", "a b/c", "s")
	cfg := configured(config.NewApp("1", "key", "secret"), strict, off, origin, odd)

	tests := []struct {
		name   string
		r      transport.Request
		frame  string // "" = accepted
		closed string
	}{
		{"known key", transport.Request{Path: "/app/key", Query: "protocol=7&client=js"}, "", ""},
		{"any protocol", transport.Request{Path: "/app/key", Query: "protocol=99"}, "", ""},
		{"two slashes", transport.Request{Path: "//app/key"}, "", ""},
		{"encoded key", transport.Request{Path: "/app/%6bey"}, "", ""},
		{"any origin", transport.Request{Path: "/app/key", Origin: "https://evil.example"}, "", ""},
		{"unknown key", transport.Request{Path: "/app/nobody"}, pusherError(4001, "Application does not exist"), "4001 Application does not exist"},
		{"key of another case", transport.Request{Path: "/app/KEY"}, pusherError(4001, "Application does not exist"), "4001 Application does not exist"},
		{"encoded slash", transport.Request{Path: "/app/a%20b%2Fc"}, pusherError(4001, "Application does not exist"), "4001 Application does not exist"},
		{"disabled", transport.Request{Path: "/app/off"}, pusherError(4003, "Application is disabled"), "4003 Application is disabled"},
		{"origin", transport.Request{Path: "/app/origin", Origin: "https://laravel.com:8443"}, "", ""},
		{"wrong origin", transport.Request{Path: "/app/origin", Origin: "http://localhost"}, pusherError(4009, "Origin not allowed"), "4009 Origin not allowed"},
		{"no origin", transport.Request{Path: "/app/origin"}, pusherError(4009, "Origin not allowed"), "4009 Origin not allowed"},
		{"no version", transport.Request{Path: "/app/strict"}, errorObject(4008, "No protocol version supplied"), "4008 No protocol version supplied"},
		{"version no number", transport.Request{Path: "/app/strict", Query: "protocol=x"}, errorObject(4006, "Invalid version string format"), "4006 Invalid version string format"},
		{"version too old", transport.Request{Path: "/app/strict", Query: "protocol=4"}, errorObject(4007, "Unsupported protocol version"), "4007 Unsupported protocol version"},
		{"version too new", transport.Request{Path: "/app/strict", Query: "protocol=8"}, errorObject(4007, "Unsupported protocol version"), "4007 Unsupported protocol version"},
		{"version 5", transport.Request{Path: "/app/strict", Query: "protocol=5"}, "", ""},
	}
	withNode(t, cfg, func(n *node) {
		for _, tt := range tests {
			c := n.open(tt.r)
			got := c.got()
			if len(got) != 1 {
				t.Fatalf("%s: got %q, want one frame", tt.name, got)
			}
			if tt.frame == "" && !strings.HasPrefix(got[0], `{"event":"pusher:connection_established","data":"{\"socket_id\":\"`) ||
				tt.frame != "" && got[0] != tt.frame {
				t.Errorf("%s: got %s, want %s", tt.name, got[0], tt.frame)
			}
			if got := c.closed(); got != tt.closed {
				t.Errorf("%s: closed %q, want %q", tt.name, got, tt.closed)
			}
			c.leave()
		}
		if got := n.metric(`reverb_connections_refused_total{app="4",reason="origin"}`); got != "2" {
			t.Errorf("refused for their origin: %q, want 2", got)
		}
		if got := n.metric(`reverb_connections_refused_total{app="unknown",reason="unknown_app"}`); got != "3" {
			t.Errorf("refused for their key: %q, want 3", got)
		}
	})
}

func TestEstablished(t *testing.T) {
	withApp(t, appWith(func(a *config.App) { a.ActivityTimeout = 77; a.MaxMessageSize = 0 }), func(n *node) {
		c := n.open(transport.Request{Path: "/app/key"})
		got := c.got()
		if len(got) != 1 || !strings.HasSuffix(got[0], `,\"activity_timeout\":77}"}`) {
			t.Errorf("got %q", got)
		}
		if c.conn.MaxMessage() != 16<<20 {
			t.Errorf("message limit %d, want the ceiling of the server", c.conn.MaxMessage())
		}
		c.leave()
	})
}

func TestRefusedConnectionIsDeaf(t *testing.T) {
	withApp(t, appWith(func(a *config.App) { a.AllowedOrigins = []string{"a.com"} }), func(n *node) {
		c := n.open(transport.Request{Path: "/app/key", Origin: "http://b.com"})
		c.got()
		c.say(`{"event":"pusher:subscribe","data":{"channel":"room"}}`)
		c.recv.Control(transport.ControlPing)
		if got := c.conn.Late(); got != 0 || n.hub.Stats().Subscriptions != 0 {
			t.Errorf("a refused connection has subscribed, or has %d answers", got)
		}
		c.leave()
	})
}

func TestQuota(t *testing.T) {
	app := appWith(func(a *config.App) { a.MaxConnections = 1; a.AllowedOrigins = []string{"a.com"} })
	withApp(t, app, func(n *node) {
		good := transport.Request{Path: "/app/key", Origin: "http://a.com"}
		first := n.open(good)
		second := n.open(good)
		first.got()
		second.expect(pusherError(4004, "Application is over connection quota"))
		if got := second.closed(); got != "4004 Application is over connection quota" {
			t.Errorf("closed %q", got)
		}
		both := n.open(transport.Request{Path: "/app/key", Origin: "http://b.com"})
		both.expect(pusherError(4004, "Application is over connection quota"))
		second.leave()
		both.leave()
		first.leave()

		third := n.open(transport.Request{Path: "/app/key", Origin: "http://b.com"})
		third.expect(pusherError(4009, "Origin not allowed"))
		third.leave()
		fourth := n.open(good)
		if got := fourth.closed(); got != "" {
			t.Errorf("a place was free, but closed with %q", got)
		}
		fourth.leave()
	})
}

func TestQuotaIsExactUnderConcurrency(t *testing.T) {
	n := newNode(t, configured(appWith(func(a *config.App) { a.MaxConnections = 10 })), nil)
	defer n.stop()
	var accepted atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			c := n.Open(new(transporttest.Conn), &transport.Request{Path: "/app/key"})
			if _, ok := c.(*server.Session); ok {
				accepted.Add(1)
			}
		})
	}
	all.Wait()
	if got := accepted.Load(); got != 10 {
		t.Errorf("accepted %d, want 10", got)
	}
}

func TestEndpoint(t *testing.T) {
	tests := []struct {
		prefix, path string
		want         bool
	}{
		{"", "/app/key", true},
		{"", "//app/key", true},
		{"ws", "//ws/app/key", true},
		{"ws", "/ws//app/key", false},
		{"", "///app/key", false},
		{"", "/app//key", false},
		{"", "/%61pp/key", false},
		{"", "/APP/key", false},
		{"", "/./app/key", false},
		{"", "/app/..", false},
		{"", "/app/%2e%2E", false},
		{"", "/app/.", false},
		{"", "/app;x=1/key", false},
		{"", "\\app/key", false},
		{"ws", "/%77s/app/key", false},
		{"", "/app/", false},
		{"", "/app", false},
		{"", "/app/key/", false},
		{"", "/app/a%2Fb", false},
		{"", "/app/%zz", false},
		{"", "/apps/1/events", false},
		{"", "", false},
		{"ws", "/ws/app/key", true},
		{"/a/b/", "/a/b/app/key", true},
		{"ws", "/app/key", false},
		{"ws", "/wsapp/key", false},
	}
	for _, tt := range tests {
		cfg := configured()
		cfg.Server.Path = tt.prefix
		n := newNode(t, cfg, nil)
		if got := n.Endpoint([]byte(tt.path)); got != tt.want {
			t.Errorf("prefix %q: Endpoint(%q) = %v, want %v", tt.prefix, tt.path, got, tt.want)
		}
		n.stop()
	}
}
