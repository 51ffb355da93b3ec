package api_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"reverb/protocol"
	"reverb/server"
)

func appPath(rest string) string { return "/apps/" + appID + rest }

func TestConnections(t *testing.T) {
	w := newWorld(t)
	w.node.subscribed = 2
	wantAnswer(t, w.signed(http.MethodGet, appPath("/connections"), ""), 200, `{"connections":2}`)
}

func TestChannels(t *testing.T) {
	tests := []struct{ name, query, want string }{
		{"no info", "", `{"channels":{"test-channel-one":{},"presence-test-channel-two":{},"cache-three":{}}}`},
		{"user_count", "?info=user_count",
			`{"channels":{"test-channel-one":{},"presence-test-channel-two":{"user_count":1},"cache-three":{}}}`},
		{"subscription_count", "?info=subscription_count", `{"channels":{"test-channel-one":{"subscription_count":2},` +
			`"presence-test-channel-two":{},"cache-three":{"subscription_count":1}}}`},
		{"cache", "?info=cache", `{"channels":{"test-channel-one":{},"presence-test-channel-two":{},` +
			`"cache-three":{"cache":{"event":"E","data":"d","channel":"cache-three"}}}}`},
		{"prefix", "?filter_by_prefix=presence-", `{"channels":{"presence-test-channel-two":{}}}`},
		{"a list", "?info[]=occupied&info[]=user_count&filter_by_prefix=pres",
			`{"channels":{"presence-test-channel-two":{"occupied":true,"user_count":1}}}`},
		{"none", "?filter_by_prefix=zzz", `{"channels":{}}`},
	}
	w := newWorld(t)
	w.node.occupy("test-channel-one", 2, 0, "")
	w.node.occupy("empty", 0, 0, "")
	w.node.occupy("presence-test-channel-two", 3, 1, "")
	w.node.occupy("cache-three", 1, 0, `{"event":"E","data":"d","channel":"cache-three"}`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantAnswer(t, w.signed(http.MethodGet, appPath("/channels")+tt.query, ""), 200, tt.want)
		})
	}
}

func TestChannel(t *testing.T) {
	tests := []struct{ name, target, want string }{
		{"all attributes", "a?info=user_count,subscription_count,cache", `{"occupied":true,"subscription_count":2}`},
		{"none", "a", `{"occupied":true}`},
		{"one", "a?info=subscription_count", `{"occupied":true,"subscription_count":2}`},
		{"unoccupied", "zzz?info=user_count,subscription_count,cache", `{"occupied":false}`},
		{"cache", "cache-c?info=subscription_count,cache", `{"occupied":true,"subscription_count":1,"cache":{"some":"data"}}`},
		{"empty cache", "cache-d?info=cache", `{"occupied":true}`},
		{"presence", "presence-p?info=subscription_count,user_count", `{"occupied":true,"user_count":1}`},
		{"an escaped name", "pr%65sence-p?info=user_count", `{"occupied":true,"user_count":1}`},
		{"escaped twice", "%2561?info=subscription_count", `{"occupied":false}`},
	}
	w := newWorld(t)
	w.node.occupy("a", 2, 0, "")
	w.node.occupy("cache-c", 1, 0, `{"some":"data"}`)
	w.node.occupy("cache-d", 1, 0, "")
	w.node.occupy("presence-p", 2, 1, "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantAnswer(t, w.signed(http.MethodGet, appPath("/channels/"+tt.target), ""), 200, tt.want)
		})
	}
}

func TestAttributesOfPusher(t *testing.T) {
	const path = "/apps/" + strictID + "/channels"
	tests := []struct {
		target string
		status int
		want   string
	}{
		{"?info=user_count", 400, "The user_count attribute needs a filter_by_prefix of presence channels."},
		{"?info=user_count&filter_by_prefix=presence-", 200, `{"channels":{}}`},
		{"?info=subscription_count", 200, `{"channels":{}}`},
		{"/a?info=user_count", 400, "The user_count attribute is for presence channels only."},
		{"/a?info=cache", 400, "The cache attribute is for cache channels only."},
		{"/presence-a?info=subscription_count", 200, `{"occupied":false,"subscription_count":0}`},
		{"/presence-cache-a?info=cache,user_count", 200, `{"occupied":false,"user_count":0}`},
		{"/a?info=subscription_count", 200, `{"occupied":false,"subscription_count":0}`},
		{"/a", 200, `{"occupied":false}`},
		{"/presence-p?info=user_count,subscription_count", 200, `{"occupied":true,"user_count":2,"subscription_count":3}`},
		{"?info=user_count,subscription_count&filter_by_prefix=presence-p", 200,
			`{"channels":{"presence-p":{"user_count":2,"subscription_count":3}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			w := newWorld(t)
			if strings.Contains(tt.target, "presence-p") {
				w.node.occupy("presence-p", 3, 2, "")
			}
			wantAnswer(t, w.signed(http.MethodGet, path+tt.target, ""), tt.status, tt.want)
		})
	}
}

func TestChannelUsers(t *testing.T) {
	w := newWorld(t)
	w.node.occupy("presence-p", 3, 2, "")
	w.node.occupy("presence-gone", 1, 1, "")
	w.node.occupy("public", 1, 0, "")
	w.node.members = map[string][]protocol.RosterMember{"presence-p": {
		{ID: "7", IDRaw: []byte(`7`)}, {ID: "9", IDRaw: []byte(`"9"`)}, {ID: `a"b`},
	}}
	users := func(app, channel string) string { return "/apps/" + app + "/channels/" + channel + "/users" }
	wantAnswer(t, w.signed(http.MethodGet, users(appID, "presence-p"), ""), 200, `{"users":[{"id":7},{"id":"9"},{"id":"a\"b"}]}`)
	wantAnswer(t, w.signed(http.MethodGet, users(strictID, "presence-p"), ""), 200, `{"users":[{"id":"7"},{"id":"9"},{"id":"a\"b"}]}`)
	wantAnswer(t, w.signed(http.MethodGet, users(appID, "public"), ""), 400, `{}`)
	wantAnswer(t, w.signed(http.MethodGet, users(appID, "zzz"), ""), 404, `{}`)
	wantAnswer(t, w.signed(http.MethodGet, users(strictID, "zzz"), ""), 400, `{}`)
	wantAnswer(t, w.signed(http.MethodGet, users(appID, "presence-zzz"), ""), 404, `{}`)
	wantAnswer(t, w.signed(http.MethodGet, users(strictID, "presence-zzz"), ""), 200, `{"users":[]}`)
	wantAnswer(t, w.signed(http.MethodGet, users(appID, "presence-gone"), ""), 404, `{}`)
}

func TestTerminateUser(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"456", "a%20b", "%2541"} {
		wantAnswer(t, w.signed(http.MethodPost, appPath("/users/"+id+"/terminate_connections"), `{}`), 200, `{}`)
	}
	wantAnswer(t, w.signed(http.MethodPost, appPath("/users/nobody/terminate_connections"), ""), 200, `{}`)
	if want := []string{"456", "a b", "%41", "nobody"}; !slices.Equal(w.node.terminated, want) {
		t.Errorf("terminated %q, want %q", w.node.terminated, want)
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t)
	wantAnswer(t, w.do(http.MethodGet, "/up", ""), 200, `{"health":"OK"}`)
	wantAnswer(t, w.do(http.MethodGet, "/ready", ""), 200, `{"ready":true}`)
	w.node.degraded = true
	for code, want := range map[string]string{"": "redis is not reached", "OOM": "redis refuses: OOM"} {
		w.node.refused = code
		rec := w.do(http.MethodGet, "/ready", "")
		wantAnswer(t, rec, 200, `{"ready":true,"degraded":true}`)
		if got := rec.Result().Header.Get("Reverb-Degraded"); got != want {
			t.Errorf("Reverb-Degraded: %q, want %q", got, want)
		}
	}
	w.node.draining = true
	wantAnswer(t, w.do(http.MethodGet, "/up", ""), 200, `{"health":"OK"}`)
	wantAnswer(t, w.do(http.MethodGet, "/ready", ""), 503, `{"ready":false}`)
}

// An answer that some nodes have no part in says so in a header, and no other answer does.
func TestPartialAnswers(t *testing.T) {
	event := `{"name":"e","data":"d","channels":["a","b"],"info":"subscription_count"}`
	batch := `{"batch":[{"name":"e","data":"d","channel":"a","info":"occupied"},{"name":"e","data":"d","channel":"b","info":"occupied"}]}`
	requests := []struct{ method, path, body string }{
		{http.MethodGet, "/connections", ""},
		{http.MethodGet, "/channels", ""},
		{http.MethodGet, "/channels/a", ""},
		{http.MethodGet, "/channels/presence-p/users", ""},
		{http.MethodPost, "/events", event},
		{http.MethodPost, "/batch_events", batch},
	}
	for _, reach := range []server.Reach{{}, {Asked: 3, Answered: 3}, {Asked: 3, Answered: 2}} {
		want := ""
		if reach.Partial() {
			want = "nodes=2/3"
		}
		for _, r := range requests {
			w := newWorld(t)
			w.node.occupy("a", 1, 0, "")
			w.node.reach = reach
			rec := w.signed(r.method, appPath(r.path), r.body)
			if got := rec.Result().Header.Get("Reverb-Partial"); got != want {
				t.Errorf("%s %s with %+v: header %q, want %q", r.method, r.path, reach, got, want)
			}
		}
	}
}

// A question goes to all nodes, so an event asks once for all of its channels, and a batch for all of its items.
func TestInfoIsOneQuestion(t *testing.T) {
	w := newWorld(t)
	w.node.occupy("b", 2, 0, "")
	w.node.occupy("a", 1, 0, "")
	wantAnswer(t, w.signed(http.MethodPost, appPath("/events"), `{"name":"e","data":"d","channels":["b","c","a","b"],"info":"subscription_count,occupied"}`),
		200, `{"channels":{"b":{"occupied":true,"subscription_count":2},"c":{"occupied":false},"a":{"occupied":true,"subscription_count":1}}}`)
	wantAnswer(t, w.signed(http.MethodPost, appPath("/batch_events"), `{"batch":[`+
		`{"name":"e","data":"d","channel":"b","info":"subscription_count"},`+
		`{"name":"e","data":"d","channel":"c"},`+
		`{"name":"e","data":"d","channel":"a","info":"occupied"}]}`),
		200, `{"batch":[{"subscription_count":2},{},{"occupied":true}]}`)
	if want := [][]string{{"b", "c", "a", "b"}, {"b", "a"}}; !reflect.DeepEqual(w.node.asked, want) {
		t.Errorf("asked for %q, want %q", w.node.asked, want)
	}
	wantAnswer(t, w.signed(http.MethodPost, appPath("/events"), `{"name":"e","data":"d","channels":["a"],"info":""}`), 200, `{"channels":{"a":{}}}`)
	if len(w.node.asked) != 2 {
		t.Error("asked although nothing is wanted")
	}
}
