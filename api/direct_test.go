package api_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"reverb/channels"
	"reverb/config"
)

// Whatever Direct answers is what the handler behind net/http would have answered, and has the same effect.
func TestDirectAnswersAsTheHandler(t *testing.T) {
	for name, tt := range map[string]struct {
		path, body string
		edit       func(*world)
		query      func(string) string // what becomes of the signed query
		left       bool                // to the handler
	}{
		"event":             {path: "/apps/123456/events", body: `{"name":"e","channel":"a","data":"x"}`},
		"several channels":  {path: "/apps/123456/events", body: `{"name":"e","channels":["a","b"],"data":"x","socket_id":"1.2"}`},
		"batch":             {path: "/apps/123456/batch_events", body: `{"batch":[{"name":"e","channel":"a","data":"x"},{"name":"f","channel":"b","data":"y"}]}`},
		"info":              {path: "/apps/123456/events", body: `{"name":"e","channel":"a","data":"x","info":"user_count"}`, left: true},
		"info in batch":     {path: "/apps/123456/batch_events", body: `{"batch":[{"name":"e","channel":"a","data":"x","info":"user_count"}]}`, left: true},
		"crowded":           {path: "/apps/123456/events", body: `{"name":"e","channels":["a","crowded"],"data":"x"}`, left: true},
		"crowded in batch":  {path: "/apps/123456/batch_events", body: `{"batch":[{"name":"e","channel":"a","data":"x"},{"name":"e","channel":"crowded","data":"x"}]}`, left: true},
		"not JSON":          {path: "/apps/123456/events", body: `{`},
		"fields":            {path: "/apps/123456/events", body: `{"name":5}`},
		"rules":             {path: "/apps/pusher/events", body: `{"name":"e","channel":"a b","data":"x"}`},
		"unknown app":       {path: "/apps/9/events", body: `{}`},
		"disabled app":      {path: "/apps/off/events", body: `{"name":"e","channel":"a","data":"x"}`},
		"signature":         {path: "/apps/123456/events", body: `{}`, query: func(q string) string { return q + "0" }},
		"no signature":      {path: "/apps/123456/events", body: `{}`, query: func(string) string { return "" }},
		"backlog":           {path: "/apps/123456/events", body: `{"name":"e","channel":"a","data":"x"}`, edit: func(w *world) { w.node.publishErr = channels.ErrBacklog }},
		"fault":             {path: "/apps/123456/events", body: `{"name":"e","channel":"a","data":"x"}`, edit: func(w *world) { w.node.publishErr = errors.New("no") }},
		"panic":             {path: "/apps/123456/events", body: `{"name":"e","channel":"a","data":"x"}`, edit: func(w *world) { w.node.panics = true }},
		"too large":         {path: "/apps/123456/events", body: strings.Repeat(" ", 10_001), left: true},
		"another route":     {path: "/apps/123456/users/7/terminate_connections", body: `{}`, left: true},
		"escaped":           {path: "/apps/12345%36/events", body: `{}`, left: true},
		"unusual id":        {path: "/apps/12345;6/events", body: `{}`, left: true},
		"two slashes":       {path: "//apps/123456/events", body: `{}`, left: true},
		"slash at the end":  {path: "/apps/123456/events/", body: `{}`, left: true},
		"no such batch":     {path: "/apps/123456/batch_events", body: `{"batch":7}`},
		"batch of too many": {path: "/apps/pusher/batch_events", body: `{"batch":[` + strings.TrimSuffix(strings.Repeat(`{"name":"e","channel":"a","data":"x"},`, 11), ",") + `]}`},
	} {
		t.Run(name, func(t *testing.T) {
			w, twin := newWorld(t), newWorld(t)
			if tt.edit != nil {
				tt.edit(w)
				tt.edit(twin)
			}
			query := signedQuery(http.MethodPost, tt.path, "", tt.body)
			if tt.query != nil {
				query = tt.query(query)
			}
			target := tt.path + "?" + query
			direct := w.api(slog.New(slog.DiscardHandler)).Direct([]byte(target), []byte(tt.body), publisher)
			if tt.left {
				if direct != nil || len(w.node.published) > 0 {
					t.Fatalf("answered %q, published %v; want neither", direct, w.node.published)
				}
				return
			}
			got, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(direct)), nil)
			if err != nil {
				t.Fatalf("answer %q: %v", direct, err)
			}
			body, err := io.ReadAll(got.Body)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := http.ParseTime(got.Header.Get("Date")); err != nil {
				t.Error(err)
			}
			got.Header.Del("Date")
			want := twin.do(http.MethodPost, target, tt.body)
			if got.StatusCode != want.Code || string(body) != want.Body.String() || !reflect.DeepEqual(got.Header, want.Header()) {
				t.Errorf("got %d %s %v\nwant %d %s %v", got.StatusCode, body, got.Header, want.Code, want.Body, want.Header())
			}
			if !reflect.DeepEqual(w.node.published, twin.node.published) {
				t.Errorf("published %v, want %v", w.node.published, twin.node.published)
			}
		})
	}
}

// An answer that differs by Origin says so to a caller without one, too.
func TestDirectWithCORS(t *testing.T) {
	allow := func(c *config.Config) { c.Server.CORSOrigins = []string{"http://a"} }
	w, twin := newWorld(t, allow), newWorld(t, allow)
	target := "/apps/123456/events?" + signedQuery(http.MethodPost, "/apps/123456/events", "", "{")
	direct := w.api(slog.New(slog.DiscardHandler)).Direct([]byte(target), []byte("{"), publisher)
	got, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(direct)), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Body.Close()
	if want := twin.do(http.MethodPost, target, "{").Header()["Vary"]; len(want) == 0 || !reflect.DeepEqual(got.Header["Vary"], want) {
		t.Errorf("Vary: %q, want %q", got.Header["Vary"], want)
	}
}

func TestDirectBelowAPrefix(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Server.Path = "ws" })
	body := `{"name":"e","channel":"a","data":"x"}`
	answer := w.api(slog.New(slog.DiscardHandler)).Direct
	query := signedQuery(http.MethodPost, "/apps/123456/events", "", body)
	if got := answer([]byte("/ws/apps/123456/events?"+query), []byte(body), publisher); !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") {
		t.Errorf("with the prefix: %q", got)
	}
	if got := answer([]byte("/apps/123456/events?"+query), []byte(body), publisher); got != nil {
		t.Errorf("without the prefix: %q, want it left", got)
	}
}

func BenchmarkDirect(b *testing.B) {
	w := newWorld(b)
	body := []byte(`{"name":"App\\Events\\OrderShipped","channels":["private-orders.1"],"data":"{\"id\":1,\"text\":\"` + strings.Repeat("x", 160) + `\"}"}`)
	answer := w.api(slog.New(slog.DiscardHandler)).Direct
	target := []byte("/apps/123456/events?" + signedQuery(http.MethodPost, "/apps/123456/events", "", string(body)))
	b.ReportAllocs()
	for b.Loop() {
		if answer(target, body, publisher) == nil {
			b.Fatal("left to net/http")
		}
		w.node.published = w.node.published[:0]
	}
}
