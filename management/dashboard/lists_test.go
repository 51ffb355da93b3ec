package dashboard_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

type channelsAnswer struct {
	Channels []struct {
		Name, Kind           string
		Subscriptions, Users int
	}
	Total, Subscriptions int
}

func TestChannels(t *testing.T) {
	b := &browser{node: start(t, false)}
	names := make([]string, 300)
	for i := range names {
		names[i] = fmt.Sprintf("Room.%03d", i)
	}
	b.client("key", 1, names...)
	b.client("key", 2, "Room.007", "cache-news")
	b.client("key2", 3, "elsewhere")

	var got channelsAnswer
	b.get("api/apps/1/channels?sort=subscriptions&order=desc&limit=3", &got)
	if got.Total != 301 || got.Subscriptions != 302 || len(got.Channels) != 3 || got.Channels[0].Name != "Room.007" || got.Channels[0].Subscriptions != 2 {
		t.Errorf("got %+v", got)
	}
	if got.Channels[1].Name != "Room.000" || got.Channels[2].Name != "Room.001" {
		t.Errorf("rows that are alike are not in the order of their names: %+v", got.Channels)
	}
	got = channelsAnswer{}
	b.get("api/apps/1/channels?q=rOOM.29&offset=8&limit=5&sort=name", &got)
	if got.Total != 10 || len(got.Channels) != 2 || got.Channels[0].Name != "Room.298" {
		t.Errorf("second page of a search: %+v", got)
	}
	got = channelsAnswer{}
	b.get("api/apps/1/channels?kind=public+cache", &got)
	if got.Total != 1 || got.Channels[0].Name != "cache-news" {
		t.Errorf("by kind: %+v", got)
	}
	got = channelsAnswer{}
	b.get("api/apps/1/channels?limit=99999&offset=-5&sort=no&order=no", &got)
	if len(got.Channels) != 200 {
		t.Errorf("got %d rows, want at most 200", len(got.Channels))
	}
	b.get("api/apps/1/channels?scope=all&offset=9999999", &got)
	if got.Total != 301 || len(got.Channels) != 0 {
		t.Errorf("behind the end: %+v", got)
	}
	if got := b.do("GET", "api/apps/9/channels", "").StatusCode; got != http.StatusNotFound {
		t.Errorf("an unknown application: status %d, want 404", got)
	}
}

func TestOneChannel(t *testing.T) {
	b := &browser{node: start(t, false)}
	var ids []string
	for i := range 5 {
		_, ss := b.client("key", uint16(i+1), "a/b?c&d")
		ids = append(ids, ss.SocketID().String())
	}
	var got struct {
		Channel struct{ Subscriptions int }
		Sockets []struct {
			SocketID string `json:"socket_id"`
		}
		SocketsTotal int `json:"sockets_total"`
	}
	b.get("api/apps/1/channel?offset=3&limit=10&name="+url.QueryEscape("a/b?c&d"), &got)
	if got.Channel.Subscriptions != 5 || got.SocketsTotal != 5 || len(got.Sockets) != 2 || !strings.Contains(strings.Join(ids, " "), got.Sockets[0].SocketID) {
		t.Errorf("got %+v", got)
	}
	if got := b.do("GET", "api/apps/1/channel?name=nobody", "").StatusCode; got != http.StatusNotFound {
		t.Errorf("nobody's channel: status %d, want 404", got)
	}
}

// member subscribes a connection to a presence channel as a user.
func (n *node) member(port uint16, channel, data string) {
	n.t.Helper()
	_, ss := n.client("key", port)
	mac := hmac.New(sha256.New, []byte("secret"))
	fmt.Fprintf(mac, "%s:%s:%s", ss.SocketID(), channel, data)
	message, err := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": map[string]string{
		"channel": channel, "channel_data": data, "auth": "key:" + hex.EncodeToString(mac.Sum(nil)),
	}})
	if err != nil {
		n.t.Fatal(err)
	}
	ss.Message(message, false)
}

func TestMembersAreSorted(t *testing.T) {
	b := &browser{node: start(t, false)}
	for i, data := range []string{`{"user_id":"10","user_info":"b"}`, `{"user_id":"zoe","user_info":"c"}`, `{"user_id":"9","user_info":"a"}`, `{"user_id":"Ann","user_info":"d"}`} {
		b.member(uint16(i+1), "presence-room", data)
	}
	for query, want := range map[string]string{
		"":                                  "10 zoe 9 Ann ",
		"&sort=place&order=desc":            "Ann 9 zoe 10 ",
		"&sort=id":                          "9 10 Ann zoe ",
		"&sort=id&order=desc":               "zoe Ann 10 9 ",
		"&sort=info":                        "9 10 zoe Ann ",
		"&sort=id&offset=1&limit=2":         "10 Ann ",
		"&sort=nothing":                     "10 zoe 9 Ann ",
		"&sort=id&order=desc&q=E&limit=200": "zoe ",
	} {
		var got struct {
			Members []struct {
				ID    string
				Place int
			}
		}
		b.get("api/apps/1/channel?name=presence-room"+query, &got)
		ids := ""
		for _, m := range got.Members {
			ids += m.ID + " "
			if m.ID == "9" && m.Place != 3 {
				t.Errorf("%s: place %d of the third to come", query, m.Place)
			}
		}
		if ids != want {
			t.Errorf("%s: got %s, want %s", query, ids, want)
		}
	}
}

func TestConnections(t *testing.T) {
	b := &browser{node: start(t, false)}
	c, ss := b.client("key", 4711, "one", "two")
	b.client("key", 4712, "one")
	b.client("key2", 4713)
	id := ss.SocketID().String()

	var list struct {
		Connections []struct {
			SocketID string `json:"socket_id"`
			App      string
			Address  string
			Waiting  int64
		}
		Total int
	}
	b.get("api/connections?app=1&sort=address&order=desc", &list)
	if list.Total != 2 || list.Connections[0].Address != "192.0.2.1:4712" || list.Connections[1].SocketID != id || list.Connections[1].Waiting != 7 {
		t.Errorf("got %+v", list)
	}
	for _, q := range []string{id, ":4711"} {
		b.get("api/connections?q="+url.QueryEscape(q), &list)
		if list.Total != 1 || list.Connections[0].SocketID != id {
			t.Errorf("search for %s: %+v", q, list)
		}
	}

	var one struct {
		Connection    struct{ App string }
		Subscriptions []struct{ Channel, Kind string }
	}
	b.get("api/connections/"+id, &one)
	if one.Connection.App != "1" || len(one.Subscriptions) != 2 {
		t.Errorf("got %+v", one)
	}
	if got := b.do("POST", "api/connections/"+id+"/close", "").StatusCode; got != http.StatusOK || c.Closed() == "" {
		t.Errorf("close: status %d, closed %q", got, c.Closed())
	}
	b.get("api/connections/"+id, &one)
	if len(one.Subscriptions) != 0 {
		t.Errorf("a closed connection is still subscribed: %+v", one)
	}
	for _, id := range []string{"1.2", "x", "%2e%2e", "99999999999999999999.1"} {
		if got := b.do("GET", "api/connections/"+id, "").StatusCode; got != http.StatusNotFound {
			t.Errorf("connection %s: status %d, want 404", id, got)
		}
	}
}

func TestApps(t *testing.T) {
	b := &browser{node: start(t, false)}
	var got struct{ Apps []struct{ ID string } }
	b.get("api/apps", &got)
	if len(got.Apps) != 2 || got.Apps[0].ID != "1" || got.Apps[1].ID != "2" {
		t.Errorf("got %+v", got)
	}
}
