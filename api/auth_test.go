package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"reverb/config"
	"reverb/protocol"
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
		{"pusher", strictID, "auth_key=" + appKey + "&auth_version=1.0&" + now(0), eventBody, ok, `{}`},
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
	wantAnswer(t, rec, 404, "No matching application for ID [a%0D%0Ab].")
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

// A recorded request, sent anew in a spelling that signs like it and says something else, is refused: its time, version and parameters are
// those that were signed.
func TestSignedIsWhatIsRead(t *testing.T) {
	month := strconv.FormatInt(time.Now().Add(-30*24*time.Hour).Unix(), 10)
	now := strconv.FormatInt(time.Now().Unix(), 10)
	old := "auth_key=" + appKey + "&auth_timestamp=" + month + "&auth_version=1.0"
	fresh := "auth_key=" + appKey + "&auth_timestamp=" + now + "&auth_version=1.0"
	replaced := func(recorded string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(recorded) }
	tests := []struct{ name, recorded, sent string }{
		{"names joined", old, "auth_key=" + appKey + "&auth_timestamp%3D" + month + "%26auth_version=1.0"},
		{"names joined, one =", old, "auth_key=" + appKey + "&auth_timestamp%3D" + month + "&auth_version=1.0"},
		{"a value that holds the next", old, "auth_key=" + appKey + "%26auth_timestamp=" + month + "&auth_version=1.0"},
		{"a value that holds the others", old, "auth_key=" + appKey + "%26auth_timestamp%3D" + month + "%26auth_version%3D1.0"},
		{"a value in small hex", old, "auth_key=" + appKey + "%26auth_timestamp%3d" + month + "&auth_version=1.0"},
		{"a list that holds the others", old, "auth_key[]=" + appKey + "%26auth_timestamp%3D" + month + "%26auth_version%3D1.0"},
		{"a name that PHP folds", old, "auth_key=" + appKey + "&auth.timestamp%3D" + month + "%26auth_version=1.0"},
		{"behind a NUL", old, "auth_key=" + appKey + "&auth_timestamp%3D" + month + "%26auth_version%00=1.0"},
		{"an open bracket", old, "auth_key=" + appKey + "&auth[timestamp%3D" + month + "%26auth_version=1.0"},
		{"a signature in a list", fresh, replaced(fresh+"&auth_signature=", "auth_signature", "auth_signature[]")},
		{"a signature in a list with a key", fresh, replaced(fresh+"&auth_signature=", "auth_signature", "auth_signature[x]")},
		{"a time in a list", fresh, replaced(fresh, "auth_timestamp", "auth_timestamp[]")},
		{"a key in a list", fresh, replaced(fresh, "auth_key", "auth_key%5B%5D")},
		{"a version in a list", fresh, replaced(fresh, "auth_version", "auth_version[0]")},
		{"a digest in a list", fresh, fresh + "&body_md5[]=" + md5Hex(eventBody)},
		{"a time and a list of it", fresh, fresh + "&auth_timestamp[]=" + now},
		{"a list and a time", fresh, "auth_timestamp[]=" + month + "&" + fresh},
		{"another version", "auth_version=2.0", "auth_version=2.0"},
		{"a version without zero", "auth_version=1", "auth_version=1"},
		{"no version", "auth_version=", "auth_version="},
		{"an ampersand in a value", fresh + "&x=a&y=b", fresh + "&x=a%26y=b"},
		{"an ampersand at the end", fresh + "&x=a%26", fresh + "&x=a%26"},
		{"an equals sign in a name", fresh + "&x=a=b", fresh + "&x%3Da=b"},
	}
	for _, app := range []string{appID, strictID} {
		for _, tt := range tests {
			t.Run(app+" "+tt.name, func(t *testing.T) {
				path := "/apps/" + app + "/events"
				signature := protocol.SignRequest(appSecret, http.MethodPost, path, tt.recorded, []byte(eventBody))
				target := path + "?" + tt.sent
				if !strings.HasSuffix(target, "=") || !strings.Contains(target, "signature") {
					target += "&auth_signature="
				}
				w := newWorld(t)
				target += signature
				if rec := w.do(http.MethodPost, target, eventBody); rec.Code != http.StatusUnauthorized {
					t.Errorf("got %d %s, want 401", rec.Code, rec.Body)
				}
				direct := w.api(slog.New(slog.DiscardHandler)).Direct([]byte(target), []byte(eventBody), publisher)
				if !strings.HasPrefix(string(direct), "HTTP/1.1 401 ") {
					t.Errorf("on the loop: got %q, want 401", direct)
				}
				if len(w.node.published) > 0 {
					t.Errorf("published %+v", w.node.published)
				}
			})
		}
	}
}

// A parameter that is signed and read as one thing is no attack, however it is written.
func TestSpellingsOfOneQuery(t *testing.T) {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	canonical := "auth_key=" + appKey + "&auth_timestamp=" + now + "&auth_version=1.0&filter_by_prefix=a=b c;d&info=occupied,user_count"
	sum := hmac.New(sha256.New, []byte(appSecret))
	path := appPath("/channels")
	sum.Write([]byte("GET\n" + path + "\n" + canonical))
	signature := hex.EncodeToString(sum.Sum(nil))
	for _, query := range []string{
		"info[]=occupied&info[]=user_count&filter_by_prefix=a%3Db+c;d",
		"info%5B0%5D=occupied&info%5B1%5D=user_count&filter_by_prefix=a=b%20c%3bd",
		"info=occupied%2Cuser_count&filter_by_prefix=x&filter_by_prefix=a=b+c;d",
		"info=occupied,user_count&filter.by+prefix=a=b+c%3Bd",
	} {
		for _, auth := range []string{
			"auth_key=" + appKey + "&auth_timestamp=" + now + "&auth_version=1.0",
			"auth.version=1%2E0&auth+key=" + appKey + "&auth_timestamp=1&auth_timestamp=" + now,
		} {
			target := path + "?" + query + "&" + auth + "&auth_signature=" + signature
			if rec := newWorld(t).do(http.MethodGet, target, ""); rec.Code != http.StatusOK {
				t.Errorf("%s: got %d %s, want 200", target, rec.Code, rec.Body)
			}
		}
	}
}

// Pusher's libraries send key, version and time with each request, so its profile wants them.
func TestPusherWantsKeyAndVersion(t *testing.T) {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	path := "/apps/" + strictID + "/events"
	for query, want := range map[string]string{
		"auth_timestamp=" + now + "&auth_version=1.0":      "Authentication key missing.",
		"auth_key=" + appKey + "&auth_timestamp=" + now:    "Authentication version missing.",
		"auth_key=" + appKey + "&auth_version=1.0":         "Authentication timestamp missing.",
		"auth_key=&auth_version=1.0&auth_timestamp=" + now: "Authentication key invalid.",
	} {
		rec := newWorld(t).do(http.MethodPost, path+"?"+sign(http.MethodPost, path, query, eventBody), eventBody)
		wantAnswer(t, rec, 401, want)
	}
}

// Pusher's Python library signs the digest of an empty body with each GET, others do not send it.
func TestDigestOfAnEmptyBody(t *testing.T) {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	none, digest := "auth_key="+appKey+"&auth_timestamp="+now+"&auth_version=1.0", md5Hex("")
	with := none + "&body_md5=" + digest
	signature := func(text string) string {
		sum := hmac.New(sha256.New, []byte(appSecret))
		sum.Write([]byte(text))
		return hex.EncodeToString(sum.Sum(nil))
	}
	for _, tt := range []struct {
		name, method, rest, query, signed string
		status                            int
	}{
		{"signed", "GET", "/channels", with, with, 200},
		{"with parameters", "GET", "/channels", with + "&info=occupied", with + "&info=occupied", 200},
		{"in front of parameters", "GET", "/channels", "aa=1&" + with + "&info=occupied", "aa=1&" + with + "&info=occupied", 200},
		{"sent and not signed", "GET", "/channels", with, none, 200},
		{"signed and not sent", "GET", "/channels", none, with, 401},
		{"another digest, signed", "GET", "/channels", strings.ReplaceAll(with, digest, md5Hex("x")), strings.ReplaceAll(with, digest, md5Hex("x")), 401},
		{"another digest", "GET", "/channels", strings.ReplaceAll(with, digest, md5Hex("x")), none, 401},
		{"a POST without a body", "POST", "/users/1/terminate_connections", with, with, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := appPath(tt.rest)
			target := path + "?" + tt.query + "&auth_signature=" + signature(tt.method+"\n"+path+"\n"+tt.signed)
			if rec := newWorld(t).do(tt.method, target, ""); rec.Code != tt.status {
				t.Errorf("got %d %s, want %d", rec.Code, rec.Body, tt.status)
			}
		})
	}
}

// Pusher's libraries sign the path with the id as it is; their HTTP clients send it escaped, each its own set of characters.
func TestSignatureOverTheDecodedPath(t *testing.T) {
	for _, prefix := range []string{"", "/ws"} {
		w := newWorld(t, func(c *config.Config) { c.Server.Path = prefix })
		for _, id := range []string{"auth0|5f7", "a b", "José", "{x}", "é|ü {}", "a+b", "a%b", "100%", `a"b<c>`, "a:b@c", "日本", "a;b=c&d", "a?b#c"} {
			raw := "/users/" + id + "/terminate_connections"
			escaped := "/users/" + url.PathEscape(id) + "/terminate_connections"
			half := strings.NewReplacer("|", "%7c", " ", "%20", "é", "%C3%a9", "%", "%25", "?", "%3F", "#", "%23").Replace(raw)
			for _, sent := range []string{escaped, half} {
				for _, signed := range []string{appPath(raw), prefix + appPath(raw), appPath(sent), prefix + appPath(sent)} {
					w.node.terminated = nil
					rec := w.do(http.MethodPost, prefix+appPath(sent)+"?"+signedQuery(http.MethodPost, signed, "", `{}`), `{}`)
					wantAnswer(t, rec, 200, `{}`)
					if !slices.Equal(w.node.terminated, []string{id}) {
						t.Errorf("%s: terminated %q, want %q", sent, w.node.terminated, id)
					}
				}
			}
		}
	}
}

// A signature over one path is not that of another: a path is not decoded when its decoded form could be taken for another path.
func TestDecodedPathIsNoOther(t *testing.T) {
	query := "auth_timestamp=" + strconv.FormatInt(time.Now().Unix(), 10)
	for _, tt := range []struct{ name, method, signed, sent string }{
		{"an escape that is part of an id", "GET", "/channels/a%20b", "/channels/a%2520b"},
		{"a line", "GET", "/channels/a", "/channels/a%0Ab"},
		{"another id", "POST", "/users/a%7Cb/terminate_connections", "/users/a%7Cc/terminate_connections"},
	} {
		w := newWorld(t)
		target := appPath(tt.sent) + "?" + sign(tt.method, appPath(tt.signed), query, "")
		if rec := w.do(tt.method, target, ""); rec.Code != http.StatusUnauthorized || len(w.node.terminated) > 0 {
			t.Errorf("%s: got %d %s, want 401", tt.name, rec.Code, rec.Body)
		}
	}
	// The text that is signed has the query on its third line, and a decoded path has no lines.
	path := appPath("/channels/a")
	text := "GET\n" + path + "\nb\n" + query
	sum := hmac.New(sha256.New, []byte(appSecret))
	sum.Write([]byte(text))
	target := path + "%0Ab?" + query + "&auth_signature=" + hex.EncodeToString(sum.Sum(nil))
	if rec := newWorld(t).do(http.MethodGet, target, ""); rec.Code != http.StatusUnauthorized {
		t.Errorf("a path of two lines: got %d %s, want 401", rec.Code, rec.Body)
	}
}
