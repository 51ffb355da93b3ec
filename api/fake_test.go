package api_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"reverb/api"
	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/protocol"
	"reverb/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ api.Server = (*server.Server)(nil)

// node is a fake of the server: fixed channels, and a record of what it was told to do.
type node struct {
	apps       config.Apps
	channels   []channels.Info
	members    map[string][]protocol.RosterMember
	subscribed int
	draining   bool
	degraded   bool
	refused    string
	reach      server.Reach
	publishErr error
	panics     bool

	published  []server.Publication
	atOnce     bool // of the last
	terminated []string
	asked      [][]string // of NamedChannels
}

func (n *node) App(id string) *config.App {
	for _, app := range n.apps {
		if app.ID == id {
			return app
		}
	}
	return nil
}

// Room is missing in the channels that are crowded.
func (n *node) Room(_ *config.App, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "crowded") })
}

func (n *node) Publish(_ context.Context, _ *config.App, p server.Publication) error {
	if n.panics {
		panic("invariant: a bug")
	}
	if n.publishErr != nil {
		return n.publishErr
	}
	n.atOnce = p.AtOnce
	p.AtOnce = false // how it was asked for makes no difference to the event
	p.Event, p.Data, p.Channels = strings.Clone(p.Event), strings.Clone(p.Data), slices.Clone(p.Channels)
	for i, name := range p.Channels {
		p.Channels[i] = strings.Clone(name)
	}
	n.published = append(n.published, p)
	return nil
}

func (n *node) ConnectionCount(context.Context, *config.App) (int, server.Reach) {
	return n.subscribed, n.reach
}

func (n *node) Channels(_ context.Context, _ *config.App, prefix string) ([]channels.Info, server.Reach) {
	return slices.DeleteFunc(slices.Clone(n.channels), func(i channels.Info) bool { return !strings.HasPrefix(i.Name, prefix) }), n.reach
}

func (n *node) NamedChannels(_ context.Context, _ *config.App, names []string) ([]channels.Info, server.Reach) {
	n.asked = append(n.asked, names)
	infos := slices.DeleteFunc(slices.Clone(n.channels), func(i channels.Info) bool { return !slices.Contains(names, i.Name) })
	slices.SortFunc(infos, func(a, b channels.Info) int { return strings.Compare(a.Name, b.Name) })
	return infos, n.reach
}

func (n *node) Users(_ context.Context, _ *config.App, name string) ([]protocol.RosterMember, bool, server.Reach) {
	members, ok := n.members[name]
	public := slices.ContainsFunc(n.channels, func(i channels.Info) bool { return i.Name == name && !i.Kind.IsPresence() })
	return members, ok || public, n.reach
}

func (n *node) TerminateUser(_ context.Context, _ *config.App, userID string) {
	n.terminated = append(n.terminated, userID)
}

func (n *node) Ready() bool    { return !n.draining }
func (n *node) Degraded() bool { return n.degraded }

func (n *node) Refused() string { return n.refused }

// occupy adds a channel; users counts only for presence channels.
func (n *node) occupy(name string, subscriptions, users int, cache string) {
	info := channels.Info{Name: name, Kind: protocol.KindOf(name), Subscriptions: subscriptions, Users: users}
	if cache != "" {
		info.Cache = []byte(cache)
	}
	n.channels = append(n.channels, info)
}

// world is a handler over a fake node with two applications: "123456" of the reverb profile and "pusher" of the other.
type world struct {
	node    *node
	cfg     *config.Config
	metrics *metrics.Metrics
	handler http.Handler
}

// api makes one more API of the same node, with its log.
func (w *world) api(log *slog.Logger) *api.API {
	return api.New(api.Options{Config: w.cfg, Server: w.node, Log: log, Metrics: w.metrics})
}

// publisher is where requests that are answered directly come from.
var publisher = netip.MustParseAddrPort("192.0.2.7:4711")

const (
	appID     = "123456"
	appKey    = "reverb-key"
	appSecret = "reverb-secret"
	strictID  = "pusher"
)

func newWorld(tb testing.TB, edit ...func(*config.Config)) *world {
	tb.Helper()
	apps := config.Apps{
		{ID: appID, Key: appKey, Secret: appSecret, Profile: "reverb", Enabled: true},
		{ID: strictID, Key: appKey, Secret: appSecret, Profile: "pusher", Enabled: true, Rules: config.Rules{
			StringUserIDs: true, StrictNames: true, MaxChannelName: 164, MaxEventName: 200, RequireTimestamp: true, RequireAuthKey: true, PusherAnswers: true,
			MaxPublishChannels: 100, MaxBatch: 10, MaxEventData: 1000,
		}},
		{ID: "off", Key: appKey, Secret: appSecret, Profile: "reverb"},
	}
	cfg := &config.Config{Apps: apps, Server: config.Server{
		MaxRequestSize:         10_000,
		AuthTimestampTolerance: 600 * time.Second,
		Limits: config.Limits{
			HandshakeTimeout: 10 * time.Second, BodyTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second, MaxHead: 16 << 10,
		},
	}}
	for _, f := range edit {
		f(cfg)
	}
	n := &node{apps: apps}
	w := &world{node: n, cfg: cfg, metrics: metrics.New("dev")}
	w.handler = w.api(slog.New(slog.DiscardHandler)).Handler()
	return w
}

// do sends an unsigned request; target is what stands in the request line.
func (w *world) do(method, target, body string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(method, target, strings.NewReader(body)))
	return rec
}

// signed sends a request as the SDKs do, with key, time and body_md5.
func (w *world) signed(method, target, body string) *httptest.ResponseRecorder {
	path, query, _ := strings.Cut(target, "?")
	return w.do(method, path+"?"+signedQuery(method, path, query, body), body)
}

// signedQuery adds what an SDK adds to a query; path is the one to sign.
func signedQuery(method, path, query, body string) string {
	parts := []string{"auth_key=" + appKey, "auth_timestamp=" + strconv.FormatInt(time.Now().Unix(), 10), "auth_version=1.0"}
	if body != "" {
		parts = append(parts, "body_md5="+md5Hex(body))
	}
	if query != "" {
		parts = append(parts, query)
	}
	return sign(method, path, strings.Join(parts, "&"), body)
}

// sign adds only the signature.
func sign(method, path, query, body string) string {
	signature := protocol.SignRequest(appSecret, method, path, query, []byte(body))
	if query != "" {
		query += "&"
	}
	return query + "auth_signature=" + signature
}

// wantAnswer compares status and body, and the headers that every answer has.
func wantAnswer(t *testing.T, rec *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if rec.Code != status || rec.Body.String() != body {
		t.Errorf("got %d %s, want %d %s", rec.Code, rec.Body, status, body)
	}
	h := rec.Result().Header
	if got := h.Get("Content-Length"); got != strconv.Itoa(len(body)) {
		t.Errorf("got Content-Length %q, want %d", got, len(body))
	}
	isJSON := strings.HasPrefix(body, "{")
	if got := h.Get("Content-Type"); (got == "application/json") != isJSON {
		t.Errorf("got Content-Type %q for %s", got, body)
	}
	if got := h.Get("Cache-Control"); (got == "no-cache, private") != isJSON {
		t.Errorf("got Cache-Control %q for %s", got, body)
	}
}

// logged is a logger that writes to a buffer.
func logged() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(io.Writer(&b), &slog.HandlerOptions{Level: slog.LevelDebug})), &b
}
