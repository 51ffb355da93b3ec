package dashboard_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"reverb/channels"
	"reverb/config"
	"reverb/management"
	"reverb/management/dashboard"
	"reverb/metrics"
	"reverb/scaling"
	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user     = "ops"
	password = "correct horse"
)

// node is a server with a dashboard.
type node struct {
	t       *testing.T
	server  *server.Server
	hub     *channels.Hub
	handler http.Handler
	page    *dashboard.Dashboard
}

// start makes a node with the apps "1" and "2"; locked: with a password.
func start(t *testing.T, locked bool) *node {
	t.Helper()
	return startBehind(t, locked)
}

// startBehind is start with trusted proxies.
func startBehind(t *testing.T, locked bool, proxies ...string) *node {
	t.Helper()
	cfg := config.Default()
	cfg.Server.TrustedProxies = proxies
	cfg.Dashboard.InsecureLocal = !locked
	cfg.Apps = config.Apps{config.NewApp("1", "key", "secret"), config.NewApp("2", "key2", "secret")}
	if locked {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Dashboard.Username, cfg.Dashboard.PasswordHash = user, string(hash)
	}
	log := slog.New(slog.DiscardHandler)
	n := &node{t: t, hub: channels.NewHub(channels.Options{})}
	relay, m := scaling.NewLocal(), metrics.New("test")
	n.server = server.New(server.Options{Config: cfg, Hub: n.hub, Relay: relay, Metrics: m, Log: log})
	if err := relay.Start(n.server.Node()); err != nil {
		t.Fatal(err)
	}
	surface := management.NewSurface(cfg, log)
	n.page = dashboard.New(dashboard.Options{Config: cfg, Surface: surface, Server: n.server, Metrics: m, Log: log, Version: "test", Name: "node"})
	n.handler = surface.Handler()
	t.Cleanup(func() {
		n.page.Close()
		n.hub.Close()
	})
	return n
}

// client opens a connection of the app and subscribes it.
func (n *node) client(key string, port uint16, names ...string) (*transporttest.Conn, *server.Session) {
	n.t.Helper()
	c := &transporttest.Conn{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), Backlog: 7}
	ss, ok := n.server.Open(c, &transport.Request{Path: "/app/" + key}).(*server.Session)
	if !ok {
		n.t.Fatal("the connection was refused")
	}
	for _, name := range names {
		ss.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"`+name+`"}}`), false)
	}
	n.t.Cleanup(func() { ss.Closed(transport.ReasonHangup) })
	return c, ss
}

// browser asks as the page does, from this machine.
type browser struct {
	*node
	cookie *http.Cookie
	change func(*http.Request)
}

func (b *browser) do(method, path, body string) *http.Response {
	b.t.Helper()
	r := httptest.NewRequest(method, "http://localhost:8081/"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:5000"
	r.Header.Set("X-Reverb-Dashboard", "1")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	if b.change != nil {
		b.change(r)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w.Result()
}

// login gives the password and keeps the cookie.
func (b *browser) login(name, secret string) int {
	b.t.Helper()
	body, _ := json.Marshal(map[string]string{"username": name, "password": secret})
	answer := b.do(http.MethodPost, "api/login", string(body))
	for _, c := range answer.Cookies() {
		b.cookie = c
	}
	return answer.StatusCode
}

// get reads the JSON of an answer with status 200 into v.
func (b *browser) get(path string, v any) {
	b.t.Helper()
	answer := b.do(http.MethodGet, path, "")
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s: status %d, err %v, body %s", path, answer.StatusCode, err, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		b.t.Fatalf("GET %s: %v in %s", path, err, body)
	}
}
