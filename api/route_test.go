package api_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"reverb/config"
)

func TestRoutes(t *testing.T) {
	const unsigned = "Authentication signature invalid."
	tests := []struct {
		method, target string
		status         int
		want           string
	}{
		{"GET", "/up", 200, `{"health":"OK"}`},
		{"GET", "//up", 404, "Not found."},
		{"GET", "http://example.com/up?x=1", 200, `{"health":"OK"}`},
		{"GET", "/%75p", 404, "Not found."},
		{"GET", "/", 404, "Not found."},
		{"GET", "/up/", 404, "Not found."},
		{"GET", "/UP", 404, "Not found."},
		{"GET", "/u%2570", 404, "Not found."},
		{"GET", "/app", 404, "Not found."},
		{"GET", "/app/", 404, "Not found."},
		{"GET", "/app/key/more", 404, "Not found."},
		{"GET", "/apps//channels", 404, "Not found."},
		{"GET", appPath("/channels/"), 404, "Not found."},
		{"GET", appPath("/channels//users"), 404, "Not found."},
		{"GET", appPath("/channels/a%2Fb"), 404, "Not found."},
		{"GET", appPath("/channels/a%2fusers"), 404, "Not found."},
		{"GET", appPath("/channels/a/b"), 404, "Not found."},
		{"GET", appPath("/channels/users"), 401, unsigned},
		{"GET", appPath("/channels/{channel}"), 401, unsigned},
		{"GET", "//apps/" + appID + "/channels", 404, "Not found."},
		{"POST", appPath("/users//terminate_connections"), 404, "Not found."},
		{"POST", "/events", 404, "Not found."},
		{"BREW", "/nowhere", 404, "Not found."},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			wantAnswer(t, newWorld(t).do(tt.method, tt.target, ""), tt.status, tt.want)
		})
	}
}

func TestMethods(t *testing.T) {
	tests := []struct{ target, allow string }{
		{"/up", "GET"},
		{"/ready", "GET"},
		{"/app/key", "GET"},
		{appPath("/events"), "POST"},
		{appPath("/batch_events"), "POST"},
		{appPath("/connections"), "GET"},
		{appPath("/channels"), "GET"},
		{appPath("/channels/a"), "GET"},
		{appPath("/channels/a/users"), "GET"},
		{appPath("/users/1/terminate_connections"), "POST"},
	}
	for _, tt := range tests {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"} {
			rec := newWorld(t).do(method, tt.target, "")
			if method == tt.allow {
				if rec.Code == http.StatusMethodNotAllowed {
					t.Errorf("%s %s is not allowed", method, tt.target)
				}
				continue
			}
			wantAnswer(t, rec, 405, "Method not allowed.")
			if got := rec.Header().Get("Allow"); got != tt.allow {
				t.Errorf("%s %s: got Allow %q, want %q", method, tt.target, got, tt.allow)
			}
		}
	}
}

func TestHead(t *testing.T) {
	w := newWorld(t)
	if rec := w.do(http.MethodHead, "/up", ""); rec.Code != 200 || rec.Header().Get("Content-Length") != "15" {
		t.Errorf("HEAD /up: got %d %v", rec.Code, rec.Header())
	}
	if rec := w.signed(http.MethodHead, appPath("/connections"), ""); rec.Code != 200 {
		t.Errorf("HEAD /connections: got %d %s", rec.Code, rec.Body)
	}
	wantAnswer(t, w.do(http.MethodHead, eventsPath, ""), 405, "Method not allowed.")
}

func TestPrefix(t *testing.T) {
	for path, prefix := range map[string]string{"": "", "ws": "/ws", "/ws/": "/ws", " a/b ": "/a/b"} {
		w := newWorld(t, func(c *config.Config) { c.Server.Path = path })
		wantAnswer(t, w.do(http.MethodGet, prefix+"/up", ""), 200, `{"health":"OK"}`)
		wantAnswer(t, w.do(http.MethodGet, "/"+prefix+"/up", ""), 404, "Not found.")
		if prefix == "" {
			continue
		}
		for _, target := range []string{"/up", prefix, prefix + "/", prefix + "up", prefix + prefix + "/up", strings.ToUpper(prefix) + "/up"} {
			if target == prefix+"/up" {
				continue
			}
			wantAnswer(t, w.do(http.MethodGet, target, ""), 404, "Not found.")
		}
	}
}

func TestUpgradeHeadersElsewhereAreIgnored(t *testing.T) {
	for _, set := range []http.Header{
		{"Connection": {"Upgrade"}},
		{"Connection": {"upgrade"}, "Upgrade": {"websocket"}},
	} {
		w := newWorld(t)
		r := httptest.NewRequest(http.MethodGet, "/up", nil)
		r.Header = set
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		wantAnswer(t, rec, 200, `{"health":"OK"}`)
	}
}

func TestCORS(t *testing.T) {
	request := func(w *world, method, origin string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, eventsPath, nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		return rec
	}
	const allow = "Access-Control-Allow-Origin"
	off := newWorld(t)
	rec := request(off, http.MethodOptions, "https://a.example")
	wantAnswer(t, rec, 405, "Method not allowed.")
	if got := rec.Header().Get(allow); got != "" {
		t.Errorf("off: got %s %q", allow, got)
	}
	on := newWorld(t, func(c *config.Config) { c.Server.CORSOrigins = []string{"https://a.example"} })
	for _, method := range []string{http.MethodOptions, http.MethodPost} {
		if got := request(on, method, "https://a.example").Header().Get(allow); got != "https://a.example" {
			t.Errorf("%s: got %s %q, want the origin", method, allow, got)
		}
		if got := request(on, method, "https://b.example").Header().Get(allow); got != "" {
			t.Errorf("%s: got %s %q for another origin", method, allow, got)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	w := newWorld(t)
	log, lines := logged()
	handler := w.api(log).Handler()
	w.handler, w.node.panics = handler, true
	wantAnswer(t, w.signed(http.MethodPost, eventsPath, eventBody), 500, "Internal server error.")
	if got := lines.String(); !strings.Contains(got, "invariant: a bug") || strings.Contains(got, "auth_signature") {
		t.Errorf("got the log %q, want the panic without the query", got)
	}
	w.node.panics = false
	wantAnswer(t, w.signed(http.MethodPost, eventsPath, eventBody), 200, `{}`)
}

func TestUpgradeRefused(t *testing.T) {
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	head := func(edit func(http.Header)) http.Header {
		h := http.Header{}
		h.Set("Upgrade", "websocket")
		h.Set("Connection", "keep-alive, Upgrade")
		h.Set("Sec-WebSocket-Key", key)
		h.Set("Sec-WebSocket-Version", "13")
		edit(h)
		return h
	}
	tests := []struct {
		name   string
		header http.Header
		proto  string
		status int
		want   string
	}{
		{"no Upgrade", head(func(h http.Header) { h.Del("Upgrade") }), "HTTP/1.1", 426, "Upgrade header MUST be provided"},
		{"nothing at all", http.Header{}, "HTTP/1.0", 426, "Upgrade header MUST be provided"},
		{"HTTP/1.0", head(func(http.Header) {}), "HTTP/1.0", 505, "HTTP version MUST be 1.1 or later"},
		{"another Upgrade", head(func(h http.Header) { h.Set("Upgrade", "h2c") }), "HTTP/1.1", 426, "Upgrade header MUST be provided"},
		{"two Upgrades", head(func(h http.Header) { h.Add("Upgrade", "websocket") }), "HTTP/1.1", 426, "Upgrade header MUST be provided"},
		{"no Connection", head(func(h http.Header) { h.Del("Connection") }), "HTTP/1.1", 400, "Connection Upgrade MUST be requested"},
		{"another Connection", head(func(h http.Header) { h.Set("Connection", "keep-alive") }), "HTTP/1.1", 400,
			"Connection Upgrade MUST be requested"},
		{"no key", head(func(h http.Header) { h.Del("Sec-WebSocket-Key") }), "HTTP/1.1", 400, "Invalid Sec-WebSocket-Key"},
		{"two keys", head(func(h http.Header) { h.Add("Sec-WebSocket-Key", key) }), "HTTP/1.1", 400, "Invalid Sec-WebSocket-Key"},
		{"short key", head(func(h http.Header) { h.Set("Sec-WebSocket-Key", "c2hvcnQ=") }), "HTTP/1.1", 400, "Invalid Sec-WebSocket-Key"},
		{"key not base64", head(func(h http.Header) { h.Set("Sec-WebSocket-Key", "????????????????????????") }), "HTTP/1.1", 400,
			"Invalid Sec-WebSocket-Key"},
		{"no version", head(func(h http.Header) { h.Del("Sec-WebSocket-Version") }), "HTTP/1.1", 426, "Sec-WebSocket-Version MUST be 13"},
		{"version 8", head(func(h http.Header) { h.Set("Sec-WebSocket-Version", "8") }), "HTTP/1.1", 426, "Sec-WebSocket-Version MUST be 13"},
		{"nothing wrong that we see", head(func(http.Header) {}), "HTTP/1.1", 400, "Bad request."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/app/"+appKey, nil)
			r.Header, r.Proto = tt.header, tt.proto
			r.ProtoMajor, r.ProtoMinor, _ = http.ParseHTTPVersion(tt.proto)
			rec := httptest.NewRecorder()
			newWorld(t).handler.ServeHTTP(rec, r)
			wantAnswer(t, rec, tt.status, tt.want)
			h := rec.Header()
			versionHeader := "Sec-WebSocket-Version" // as RFC 6455 writes it, not as net/http does
			if h.Get("Connection") != "close" || h.Get("X-Powered-By") != "Laravel Reverb" {
				t.Errorf("got headers %v, want Connection: close and X-Powered-By", h)
			}
			if is426 := tt.status == 426; (h.Get("Upgrade") == "websocket") != is426 || slices.Equal(h[versionHeader], []string{"13"}) != is426 {
				t.Errorf("got headers %v with %d", h, tt.status)
			}
		})
	}
}

// A rule of a proxy in front sees the path as it was sent. A second spelling of a route is no route, on the loop and behind net/http.
func TestOneSpellingOfARoute(t *testing.T) {
	for _, prefix := range []string{"", "/ws"} {
		w := newWorld(t, func(c *config.Config) { c.Server.Path = prefix })
		direct := w.api(slog.New(slog.DiscardHandler)).Direct
		for _, path := range []string{
			"//apps/123456/events", "///apps/123456/events", "/apps//123456/events", "/apps/123456//events", "/apps/123456/events/", "/apps/123456/events//",
			"/%61pps/123456/events", "/apps%2F123456/events", "/apps/123456%2fevents", "/apps/12345%36/events", "/apps/123456/%65vents",
			"/apps/123456/event%73", "/./apps/123456/events", "/apps/./123456/events", "/apps/123456/./events", "/apps/123456/events/.",
			"/x/../apps/123456/events", "/apps/x/../123456/events", "/apps/123456/x/../events", "/%2e/apps/123456/events", "/apps/%2e%2E/123456/events",
			"/apps/../events", "/apps/./events", "/apps/%2e%2e/events", "/apps/%2e/events",
			"/Apps/123456/events", "/apps/123456/EVENTS", "/apps;x=1/123456/events", "/apps/123456/events;x=1", "/apps/123456;x=1/events",
			"\\apps/123456/events", "/apps\\123456\\events", "/%5Capps/123456/events", "/apps/123456/events%20", "/apps/123456/events%00", "/apps/123456/events%3Fx",
			"/apps%09/123456/events", "/apps/123456/batch_events/", "/apps/123456/batch%5Fevents", "/apps/123456/users/%2e%2e/terminate_connections",
			"/apps/123456/users/./terminate_connections", "/apps/123456/users/7/terminate%5Fconnections", "/apps/123456/users/a%2Fb/terminate_connections",
			"/apps/123456/users//terminate_connections", "/apps/123456/%75sers/7/terminate_connections", "/%61pp/" + appKey, "///app/" + appKey,
			"/app//" + appKey, "/app/" + appKey + "/", "/app/..", "/app/%2e", "//up", "/up/", "/%75p", "/ready/", "//ready", "/./up", "/x/../up", "/up;x",
		} {
			if strings.HasPrefix(path, "\\") && prefix == "" {
				continue // no target of a request
			}
			sent := prefix + path
			if prefix != "" && strings.HasPrefix(path, "/%61") {
				sent = "/%77s" + path[:1] + "a" + path[4:] // the prefix in another spelling
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				for _, body := range []string{"", eventBody} {
					target := sent + "?" + signedQuery(method, sent, "", body)
					rec := w.do(method, target, body)
					if otherID := strings.HasPrefix(path, "/apps/12345%36/") || strings.HasPrefix(path, "/apps/123456;"); otherID && rec.Code == http.StatusMethodNotAllowed {
						continue // the id of another app, on the right route
					}
					if rec.Code != http.StatusNotFound {
						t.Errorf("%s %s: got %d %s, want 404", method, sent, rec.Code, rec.Body)
					}
					if method == http.MethodPost {
						if got := string(direct([]byte(target), []byte(body), publisher)); got != "" && !strings.HasPrefix(got, "HTTP/1.1 404 ") {
							t.Errorf("%s on the loop: got %q, want 404 or nothing", sent, got)
						}
					}
				}
			}
		}
		if len(w.node.published)+len(w.node.terminated) > 0 {
			t.Errorf("published %v, terminated %v", w.node.published, w.node.terminated)
		}
		for _, path := range []string{"/app/", "//app/"} { // which stay
			if prefix != "" {
				path = strings.Replace(path, "/app", prefix+"/app", 1)
			}
			if rec := w.do(http.MethodGet, path+appKey, ""); rec.Code != http.StatusUpgradeRequired {
				t.Errorf("%s: got %d, want 426", path, rec.Code)
			}
		}
	}
}
