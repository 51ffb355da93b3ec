package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"reverb/config"
)

const eventBody = `{"name":"E","data":"d","channel":"a"}`

func TestSignature(t *testing.T) {
	now := func(shift time.Duration) string {
		return "auth_timestamp=" + strconv.FormatInt(time.Now().Add(shift).Unix(), 10)
	}
	const (
		ok     = 200
		denied = 401
	)
	tests := []struct {
		name, app, query string
		body             string
		status           int
		want             string
	}{
		{"as the SDKs do", appID, "auth_key=" + appKey + "&" + now(0) + "&auth_version=1.0&body_md5=" + md5Hex(eventBody), eventBody, ok, `{}`},
		{"nothing but the signature", appID, "", eventBody, ok, `{}`},
		{"a little late", appID, now(-599 * time.Second), eventBody, ok, `{}`},
		{"replayed", appID, now(-700 * time.Second), eventBody, denied, "Authentication timestamp expired."},
		{"from the future", appID, now(700 * time.Second), eventBody, denied, "Authentication timestamp expired."},
		{"the end of time", appID, "auth_timestamp=-9223372036854775808", eventBody, denied, "Authentication timestamp expired."},
		{"no number", appID, "auth_timestamp=yesterday", eventBody, denied, "Authentication timestamp invalid."},
		{"another's key", appID, "auth_key=other", eventBody, denied, "Authentication key invalid."},
		{"another body's digest", appID, "body_md5=" + md5Hex("other"), eventBody, denied, "Authentication body_md5 invalid."},
		{"the digest in capitals", appID, "body_md5=" + strings.ToUpper(md5Hex(eventBody)), eventBody, ok, `{}`},
		{"pusher without time", strictID, "auth_key=" + appKey, eventBody, denied, "Authentication timestamp missing."},
		{"pusher with time", strictID, now(0), eventBody, ok, `{}`},
		{"disabled", "off", "", eventBody, 403, "The application is disabled."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := "/apps/" + tt.app + "/events"
			rec := newWorld(t).do(http.MethodPost, path+"?"+sign(http.MethodPost, path, tt.query, tt.body), tt.body)
			wantAnswer(t, rec, tt.status, tt.want)
		})
	}
}

func TestKeysAndSecretsOfBefore(t *testing.T) {
	w := newWorld(t, func(c *config.Config) {
		app := c.Apps.ByID(appID)
		app.Key, app.Secret = "new", "new-secret"
		app.PreviousKeys, app.PreviousSecrets = []string{appKey}, []string{"oldest", appSecret}
	})
	for query, status := range map[string]int{"": 200, "auth_key=" + appKey: 200, "auth_key=new": 200, "auth_key=other": 401} {
		if rec := w.do(http.MethodPost, eventsPath+"?"+sign(http.MethodPost, eventsPath, query, eventBody), eventBody); rec.Code != status {
			t.Errorf("%q: status %d, want %d", query, rec.Code, status)
		}
	}
	w = newWorld(t, func(c *config.Config) { c.Apps.ByID(appID).Secret = "new-secret" })
	wantAnswer(t, w.signed(http.MethodPost, eventsPath, eventBody), 401, "Authentication signature invalid.")
}

func TestTimestampToleranceOff(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Server.AuthTimestampTolerance = 0 })
	query := sign(http.MethodPost, eventsPath, "auth_timestamp=1", eventBody)
	wantAnswer(t, w.do(http.MethodPost, eventsPath+"?"+query, eventBody), 200, `{}`)
}

func TestEveryAPIRouteIsSigned(t *testing.T) {
	routes := []struct{ method, rest string }{
		{http.MethodPost, "/events"},
		{http.MethodPost, "/batch_events"},
		{http.MethodGet, "/connections"},
		{http.MethodGet, "/channels"},
		{http.MethodGet, "/channels/a"},
		{http.MethodGet, "/channels/presence-a/users"},
		{http.MethodPost, "/users/1/terminate_connections"},
	}
	for _, route := range routes {
		t.Run(route.rest, func(t *testing.T) {
			w := newWorld(t)
			const refused = "Authentication signature invalid."
			target := appPath(route.rest)
			wantAnswer(t, w.do(route.method, target, ""), 401, refused)
			wantAnswer(t, w.do(route.method, target, "not JSON"), 401, refused)
			wantAnswer(t, w.do(route.method, target+"?auth_signature=", ""), 401, refused)
			wantAnswer(t, w.do(route.method, target+"?auth_signature=%zz&a[=1&&=", ""), 401, refused)
			good := sign(route.method, target, "auth_key="+appKey, "")
			wantAnswer(t, w.do(route.method, target+"?"+good, "another body"), 401, refused)
			wantAnswer(t, w.do(route.method, target+"?"+good+"&more=1", ""), 401, refused)
			wantAnswer(t, w.do(route.method, "/apps/zzz"+route.rest, ""), 404, "No matching application for ID [zzz].")
			if len(w.node.published)+len(w.node.terminated) > 0 {
				t.Error("something was done without a signature")
			}
		})
	}
}

func TestUnknownAppIsOneLine(t *testing.T) {
	rec := newWorld(t).do(http.MethodGet, "/apps/a%0D%0Ab/channels", "")
	wantAnswer(t, rec, 404, "No matching application for ID [a  b].")
}

func TestSignatureUnderPrefix(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Server.Path = "/a/b/" })
	for _, signed := range []string{eventsPath, "/a/b" + eventsPath} {
		query := signedQuery(http.MethodPost, signed, "", eventBody)
		wantAnswer(t, w.do(http.MethodPost, "/a/b"+eventsPath+"?"+query, eventBody), 200, `{}`)
	}
	query := signedQuery(http.MethodPost, "/b"+eventsPath, "", eventBody)
	wantAnswer(t, w.do(http.MethodPost, "/a/b"+eventsPath+"?"+query, eventBody), 401, "Authentication signature invalid.")
	wantAnswer(t, w.signed(http.MethodPost, eventsPath, eventBody), 404, "Not found.")
}

func TestSignatureCoversThePathAsSent(t *testing.T) {
	w := newWorld(t)
	path := appPath("/channels/a%3Ab")
	wantAnswer(t, w.signed(http.MethodGet, path, ""), 200, `{"occupied":false}`)
	wantAnswer(t, w.do(http.MethodGet, path+"?"+signedQuery(http.MethodGet, appPath("/channels/a:b"), "", ""), ""), 401,
		"Authentication signature invalid.")
}
