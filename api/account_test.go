package api_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reverb/config"
	"reverb/protocol"
)

// requests are the lines of the metric, without its name.
func (w *world) requests() string {
	rec := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	var lines []string
	for line := range strings.Lines(rec.Body.String()) {
		if rest, ok := strings.CutPrefix(line, "reverb_http_requests_total"); ok {
			lines = append(lines, strings.TrimSpace(rest))
		}
	}
	return strings.Join(lines, "\n")
}

// Requests are counted by app, route and status, on both ways, and nothing that a caller makes up becomes a label.
func TestRequestsAreCounted(t *testing.T) {
	w := newWorld(t)
	w.signed(http.MethodPost, eventsPath, eventBody)
	target := eventsPath + "?" + signedQuery(http.MethodPost, eventsPath, "", eventBody)
	api := w.api(slog.New(slog.DiscardHandler))
	api.Direct([]byte(target), []byte(eventBody), publisher)
	api.Direct([]byte(eventsPath+"?auth_signature=x"), []byte(eventBody), publisher)
	api.Direct([]byte("/apps/made-up/batch_events?x"), []byte(eventBody), publisher)
	for _, path := range []string{"/up", "/ready", "/made/up", "/apps/made-up/events", "/apps/123456/channels", "/app/key"} {
		w.do(http.MethodGet, path, "")
	}
	w.do(http.MethodOptions, "/up", "")
	w.signed(http.MethodGet, "/apps/123456/channels/nobody/users", "")
	w.do(http.MethodPost, "/apps/123456/users/1/terminate_connections", "{}")
	want := `{app="",route="/app/{key}",status="426"} 1
{app="",route="/ready",status="200"} 1
{app="",route="/up",status="200"} 1
{app="",route="/up",status="405"} 1
{app="",route="other",status="404"} 1
{app="123456",route="/apps/{id}/channels",status="401"} 1
{app="123456",route="/apps/{id}/channels/{channel}/users",status="404"} 1
{app="123456",route="/apps/{id}/events",status="200"} 2
{app="123456",route="/apps/{id}/events",status="401"} 1
{app="123456",route="/apps/{id}/users/{user}/terminate_connections",status="401"} 1
{app="unknown",route="/apps/{id}/batch_events",status="404"} 1
{app="unknown",route="/apps/{id}/events",status="405"} 1`
	if got := w.requests(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// refusedRequest is one that is refused, and what the log has to say about it.
type refusedRequest struct {
	name, path, query, body string // query "" = signed
	want                    []string
}

func refusedRequests() []refusedRequest {
	old := strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)
	resigned := func(extra string) string { return extra + "&auth_signature=" + signatureOf(extra) }
	return []refusedRequest{
		{"signature", eventsPath, "auth_key=" + appKey + "&auth_signature=0000", eventBody,
			[]string{"app=123456", "status=401", `reason="Authentication signature invalid."`, "is REVERB_APP_SECRET the same on both sides?", "php artisan config:clear"}},
		{"key", eventsPath, resigned("auth_key=another-key"), eventBody, []string{"auth_key=another-key", "REVERB_APP_KEY"}},
		{"timestamp", eventsPath, resigned("auth_timestamp=" + old), eventBody, []string{"auth_timestamp=" + old, "clocks"}},
		{"app", "/apps/made-up/events", "auth_signature=0", eventBody, []string{"app=unknown", "made-up", "REVERB_APP_ID"}},
		{"invalid", eventsPath, "", `{"name":"e"}`, []string{"status=422", "channel"}},
	}
}

// signatureOf signs a query for eventBody at eventsPath.
func signatureOf(query string) string {
	return protocol.SignRequest(appSecret, http.MethodPost, eventsPath, query, []byte(eventBody))
}

// A failed publish leaves a trace on both ways: the refused thing, its origin and the likely reason.
func TestRefusedPublishesAreLogged(t *testing.T) {
	for _, tt := range refusedRequests() {
		if tt.query == "" {
			tt.query = signedQuery(http.MethodPost, tt.path, "", tt.body)
		}
		for way, send := range map[string]func(w *world, log *slog.Logger){
			"net/http": func(w *world, log *slog.Logger) {
				w.handler = w.api(log).Handler()
				w.do(http.MethodPost, tt.path+"?"+tt.query, tt.body)
			},
			"direct": func(w *world, log *slog.Logger) {
				w.api(log).Direct([]byte(tt.path+"?"+tt.query), []byte(tt.body), publisher)
			},
		} {
			t.Run(tt.name+" "+way, func(t *testing.T) {
				log, lines := logged()
				send(newWorld(t), log)
				from := "from=192.0.2."
				for _, want := range append(tt.want, "level=WARN", "publish refused", from, "hint=") {
					if !strings.Contains(lines.String(), want) {
						t.Errorf("no %s in %s", want, lines)
					}
				}
				if strings.Count(lines.String(), "\n") != 1 {
					t.Errorf("lines: %s", lines)
				}
			})
		}
	}
}

// Another refusal is logged where two sides are configured differently, and not where a stranger asks for anything.
func TestOtherRefusalsThatAreLogged(t *testing.T) {
	for _, tt := range []struct {
		prefix, method, path string
		want                 string // "" = nothing
	}{
		{"", http.MethodGet, "/apps/123456/channels", "REVERB_APP_SECRET"},
		{"", http.MethodPost, "/ws/apps/123456/events", "the API is at /apps/ (REVERB_SERVER_PATH): the options of the reverb connection in config/broadcasting.php need no 'path'"},
		{"ws", http.MethodPost, "/apps/123456/events", "the API is at /ws/apps/ (REVERB_SERVER_PATH): the options of the reverb connection in config/broadcasting.php need 'path' => '/ws/', with both slashes"},
		{"", http.MethodGet, "/ws/apps/123456/events", ""},
		{"", http.MethodPost, "/", ""},
		{"", http.MethodGet, "/favicon.ico", ""},
		{"", http.MethodGet, "/app/key", ""},
		{"", http.MethodPost, "/up", ""},
	} {
		log, lines := logged()
		w := newWorld(t, func(c *config.Config) { c.Server.Path = tt.prefix })
		w.handler = w.api(log).Handler()
		w.do(tt.method, tt.path, "")
		if !strings.Contains(lines.String(), tt.want) || tt.want == "" && lines.Len() > 0 {
			t.Errorf("%s %s: %s", tt.method, tt.path, lines)
		}
	}
}

func TestRefusalsAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		w := newWorld(t, func(c *config.Config) { c.Server.AuthTimestampTolerance = 0 })
		api := w.api(slog.New(slog.NewTextHandler(&lines, nil)))
		w.handler = api.Handler()
		for range 2 {
			for i := range 500 {
				api.Direct([]byte("/apps/"+strconv.Itoa(i)+"/events?x"), []byte("{}"), publisher)
				w.do(http.MethodPost, "/apps/"+strconv.Itoa(i)+"/events", strings.Repeat("x", i))
				w.do(http.MethodPost, eventsPath, "{}")
			}
			time.Sleep(time.Minute)
		}
		text := lines.String()
		if strings.Count(text, "\n") != 4 || !strings.Contains(text, "more=999") || !strings.Contains(text, "more=499") {
			t.Errorf("lines:\n%s", text)
		}
		if strings.Count(w.requests(), "\n") > 5 {
			t.Errorf("metrics:\n%s", w.requests())
		}
	})
}
