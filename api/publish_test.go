package api_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"reverb/api"
	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/scaling"
	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

// orders is a broadcast of Laravel of 200 bytes of data.
var orders = `"data":"{\"id\":1,\"text\":\"` + strings.Repeat("x", 160) + `\"}"`

// realServer is a server without sockets, and its API.
func realServer(tb testing.TB, log *slog.Logger) (*server.Server, *api.API) {
	tb.Helper()
	app := config.NewApp(appID, appKey, appSecret)
	cfg := &config.Config{Apps: config.Apps{app}, Server: config.Server{
		MaxRequestSize: 1 << 20, Limits: config.Limits{MaxMessageSize: 1 << 20, MaxSubscriptions: 100},
	}}
	hub, relay, m := channels.NewHub(channels.Options{}), scaling.NewLocal(), metrics.New("test")
	s := server.New(server.Options{Config: cfg, Hub: hub, Relay: relay, Metrics: m, Log: log})
	if err := relay.Start(s.Node()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(hub.Close)
	return s, api.New(api.Options{Config: cfg, Server: s, Log: log, Metrics: m})
}

var ok = []byte("HTTP/1.1 200 OK\r\n")

// publisherOf returns a function that publishes body to a server with one client, which is subscribed to the channels:
// from the signed request to the frame, without sockets.
func publisherOf(tb testing.TB, path, body string, names ...string) (publish func()) {
	tb.Helper()
	s, a := realServer(tb, slog.New(slog.DiscardHandler))
	ss := s.Open(transporttest.Discard{}, &transport.Request{Path: "/app/" + appKey})
	for _, name := range names {
		ss.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"`+name+`"}}`), false)
	}
	target, text := []byte(path+"?"+signedQuery(http.MethodPost, path, "", body)), []byte(body)
	return func() {
		if got := a.Direct(target, text, publisher); !bytes.HasPrefix(got, ok) {
			tb.Fatalf("answered %q", got)
		}
	}
}

// publishes are the requests that are counted.
func publishes(tb testing.TB) map[string]func() {
	tb.Helper()
	var batch []string
	for i := range 10 {
		batch = append(batch, fmt.Sprintf(`{"name":"App\\Events\\OrderShipped","channel":"orders-%d",%s}`, i, orders))
	}
	event := `{"name":"App\\Events\\OrderShipped","channels":["orders-1"],` + orders + `}`
	return map[string]func(){
		"event": publisherOf(tb, eventsPath, event, "orders-1"),
		"three channels": publisherOf(tb, eventsPath,
			`{"name":"App\\Events\\OrderShipped","channels":["orders-1","orders-2","orders-3"],`+orders+`}`, "orders-1", "orders-2", "orders-3"),
		"nobody is there": publisherOf(tb, eventsPath, event),
		"batch of ten": publisherOf(tb, "/apps/"+appID+"/batch_events", `{"batch":[`+strings.Join(batch, ",")+`]}`,
			"orders-0", "orders-1", "orders-2", "orders-3", "orders-4", "orders-5", "orders-6", "orders-7", "orders-8", "orders-9"),
	}
}

// BenchmarkPublish is a publish from the signed request to the frame that a subscriber is sent, without sockets.
func BenchmarkPublish(b *testing.B) {
	for name, publish := range publishes(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				publish()
			}
		})
	}
}

// records is a log handler that keeps the records and their parts.
type records struct{ kept []slog.Record }

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *records) WithGroup(string) slog.Handler            { return r }
func (r *records) Handle(_ context.Context, record slog.Record) error {
	r.kept = append(r.kept, record)
	return nil
}

// text is all records in one line, as of now.
func (r *records) text() string {
	var b strings.Builder
	for _, record := range r.kept {
		b.WriteString(record.Message)
		record.Attrs(func(a slog.Attr) bool {
			fmt.Fprint(&b, " ", a)
			return true
		})
	}
	return b.String()
}

// The memory of a request is another's when it is answered: what is kept of its texts, by the log, a watcher or a
// relay, is a copy.
func TestNothingOfARequestIsKept(t *testing.T) {
	log := new(records)
	s, a := realServer(t, slog.New(log))
	var seen []server.DeliveredEvent
	s.Inspector().SetEventListener(func(e server.DeliveredEvent) { seen = append(seen, e) })
	send := func(path, query, body string) {
		if query == "" {
			query = signedQuery(http.MethodPost, path, "", body)
		}
		target, text := []byte(path+"?"+query), []byte(body)
		if a.Direct(target, text, publisher) == nil {
			t.Fatalf("%s %s was left to net/http", path, body)
		}
		for _, b := range [][]byte{target, text} {
			for i := range b {
				b[i] = '#'
			}
		}
	}
	send(eventsPath, "", `{"name":"a\\b","channels":["one","t\u0077o"],"data":"{\"n\":1}"}`)
	send("/apps/"+appID+"/batch_events", "", `{"batch":[{"name":"\u0065","channel":"thr\u0065e","data":"d"},{"name":"f","channel":"four","data":"\\"}]}`)
	send(eventsPath, "auth_key=somebody&auth_signature="+signatureOf("auth_key=somebody"), eventBody)
	send("/apps/no-app/events", "auth_signature=0", eventBody)
	var got []string
	for _, e := range seen {
		got = append(got, e.Channel+" "+string(e.Payload.JSON()))
	}
	want := []string{
		`one {"event":"a\\b","data":"{\"n\":1}","channel":"one"}`, `two {"event":"a\\b","data":"{\"n\":1}","channel":"two"}`,
		`three {"event":"e","channel":"three","data":"d"}`, `four {"event":"f","channel":"four","data":"\\"}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the watcher has\n%q, want\n%q", got, want)
	}
	lines := log.text()
	if strings.Contains(lines, "#") || !strings.Contains(lines, "somebody") || !strings.Contains(lines, "no-app") {
		t.Errorf("the log has %s", lines)
	}
}
