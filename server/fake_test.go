package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

// node is a server with a real hub on the relay of a single node.
type node struct {
	*server.Server
	*server.LocalNode
	t       testing.TB
	hub     *channels.Hub
	metrics *metrics.Metrics
}

// configured returns the config of a node with these apps.
func configured(apps ...*config.App) *config.Config {
	return &config.Config{Apps: apps, Server: config.Server{Limits: config.Limits{MaxMessageSize: 16 << 20}}}
}

// appWith returns app "1" with key "key" and secret "secret", changed by change.
func appWith(change func(*config.App)) *config.App {
	a := config.NewApp("1", "key", "secret")
	if change != nil {
		change(a)
	}
	return a
}

// pusherApp is appWith under Pusher's rules.
func pusherApp(change func(*config.App)) *config.App {
	return appWith(func(a *config.App) {
		a.Profile, a.Rules = config.ProfilePusher, config.ProfileRules(config.ProfilePusher)
		if change != nil {
			change(a)
		}
	})
}

func newNode(tb testing.TB, cfg *config.Config, trace server.Trace) *node {
	tb.Helper()
	return newNodeWith(tb, cfg, trace, channels.Options{})
}

func newNodeWith(tb testing.TB, cfg *config.Config, trace server.Trace, o channels.Options) *node {
	tb.Helper()
	n := &node{t: tb, hub: channels.NewHub(o), metrics: metrics.New("test")}
	relay := scaling.NewLocal()
	n.Server = server.New(server.Options{
		Config: cfg, Hub: n.hub, Relay: relay, Metrics: n.metrics, Trace: trace,
		Log: slog.New(slog.DiscardHandler),
	})
	n.LocalNode = n.Node()
	if err := relay.Start(n.LocalNode); err != nil {
		tb.Fatal(err)
	}
	n.Start()
	return n
}

func (n *node) stop() {
	n.Close()
	n.hub.Close()
}

// withNode runs body on a node in a bubble of fake time.
func withNode(t *testing.T, cfg *config.Config, body func(n *node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, cfg, nil)
		defer n.stop()
		body(n)
	})
}

// withApp is withNode with one app.
func withApp(t *testing.T, app *config.App, body func(n *node)) {
	t.Helper()
	withNode(t, configured(app), body)
}

// metric returns the value of a line of the scrape, "" when there is none.
func (n *node) metric(name string) string {
	rec := httptest.NewRecorder()
	n.metrics.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(rec.Body.String()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// client is the other end of a connection.
type client struct {
	t    testing.TB
	node *node
	conn *transporttest.Conn
	recv transport.Receiver
	id   string
	over bool
}

var socketIDs = regexp.MustCompile(`"socket_id\\":\\"(\d+\.\d+)\\"`)

// open connects with a request and leaves the first frame to be read.
func (n *node) open(r transport.Request) *client {
	n.t.Helper()
	c := &client{t: n.t, node: n, conn: new(transporttest.Conn)}
	c.recv = n.Open(c.conn, &r)
	return c
}

// connect connects to the app with key "key" and must be accepted.
func (n *node) connect() *client {
	n.t.Helper()
	c := n.open(transport.Request{Path: "/app/key"})
	got := c.got()
	if len(got) != 1 {
		n.t.Fatalf("connected: got %q", got)
	}
	m := socketIDs.FindStringSubmatch(got[0])
	if m == nil {
		n.t.Fatalf("connected: got %q", got)
	}
	c.id = m[1]
	return c
}

// say sends one message.
func (c *client) say(format string, args ...any) {
	c.t.Helper()
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	c.recv.Message([]byte(format), false)
}

// join subscribes with a valid signature and drops the replies, and what came before.
func (c *client) join(channel, data string) {
	c.t.Helper()
	c.got()
	c.subscribe(channel, data)
	if got := c.got(); len(got) == 0 || !strings.Contains(got[0], "subscription_succeeded") {
		c.t.Fatalf("join %s: got %q", channel, got)
	}
}

// subscribe asks to subscribe with a valid signature.
func (c *client) subscribe(channel, data string) {
	c.t.Helper()
	id, _ := protocol.ParseSocketID(c.id)
	auth := "key:" + protocol.ChannelSignature("secret", id, channel, data)
	if data == "" {
		c.say(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q}}`, channel, auth)
		return
	}
	quoted := protocol.AppendQuote(nil, data)
	c.say(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q,"channel_data":%s}}`, channel, auth, quoted)
}

// leave ends the connection as a client that hangs up does.
func (c *client) leave() {
	if !c.over {
		c.over = true
		c.recv.Closed(transport.ReasonHangup)
	}
}

// got returns what came since the last call.
func (c *client) got() []string {
	synctest.Wait()
	return c.conn.Take()
}

// closed returns how the server closed: "code reason", "" when it did not.
func (c *client) closed() string {
	synctest.Wait()
	return c.conn.Closed()
}

// expect fails unless exactly these frames came since the last look.
func (c *client) expect(want ...string) {
	c.t.Helper()
	if got := c.got(); !slices.Equal(got, want) {
		c.t.Errorf("frames:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// publish sends an event as the HTTP API does.
func (n *node) publish(p server.Publication) {
	n.t.Helper()
	if err := n.Publish(context.Background(), n.App("1"), p); err != nil {
		n.t.Errorf("publish: %v", err)
	}
}

// pusherError is the error event in Reverb's form.
func pusherError(code int, message string) string {
	return fmt.Sprintf(`{"event":"pusher:error","data":"{\"code\":%d,\"message\":\"%s\"}"}`, code, message)
}

// errorObject is the error event in Pusher's form.
func errorObject(code int, message string) string {
	return fmt.Sprintf(`{"event":"pusher:error","data":{"code":%d,"message":"%s"}}`, code, message)
}

// refusal is the error event of a refused subscribe in Pusher's form.
func refusal(message string) string {
	return fmt.Sprintf(`{"event":"pusher:error","data":{"code":null,"message":%q}}`, message)
}

// eventError is the error event of a client event in Pusher's form.
func eventError(code int, message, channel string) string {
	return fmt.Sprintf(`{"event":"pusher:error","data":{"code":%d,"message":%q},"channel":%q}`, code, message, channel)
}

func subscriptionError(channel, typ, message string, status int) string {
	return fmt.Sprintf(`{"event":"pusher:subscription_error","channel":%q,"data":{"type":%q,"error":%q,"status":%d}}`, channel, typ, message, status)
}

func succeeded(channel string) string {
	return fmt.Sprintf(`{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":%q}`, channel)
}

const (
	pong    = `{"event":"pusher:pong"}`
	ping    = `{"event":"pusher:ping"}`
	invalid = `{"event":"pusher:error","data":"{\"code\":4200,\"message\":\"Invalid message format\"}"}`
)

func socketID(tb testing.TB, s string) protocol.SocketID {
	tb.Helper()
	id, ok := protocol.ParseSocketID(s)
	if !ok {
		tb.Fatalf("socket id %q", s)
	}
	return id
}
