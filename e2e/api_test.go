package e2e_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"reverb/internal/testclient"
)

const unsigned = "Authentication signature invalid."

func TestPostEvents(t *testing.T) {
	s := start(t, "", "")
	app := firstApp(s)
	t.Run("85 100 single channel", func(t *testing.T) {
		app.Post(t, "/events", `{"name":"NewEvent","channel":"test-channel","data":"{\"some\":\"data\"}"}`).Expect(t, 200, `{}`).ExpectLength(t, 2)
	})
	t.Run("86 several channels", func(t *testing.T) {
		app.Post(t, "/events", `{"name":"NewEvent","channels":["a","b"],"data":"{\"some\":\"data\"}"}`).Expect(t, 200, `{}`)
	})
	t.Run("87 user count", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		c.Join(secret, "presence-test-channel-one", member(1, "A"))
		app.Post(t, "/events", `{"name":"NewEvent","channels":["presence-test-channel-one","test-channel-two"],"data":"[]","info":"user_count"}`).
			Expect(t, 200, `{"channels":{"presence-test-channel-one":{"user_count":1},"test-channel-two":{}}}`)
	})
	t.Run("88 subscription count", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		c.Join(secret, "test-channel-two", "")
		c.Join(secret, "presence-test-channel-one", member(1, "A"))
		app.Post(t, "/events", `{"name":"NewEvent","channels":["presence-test-channel-one","test-channel-two"],"data":"[]","info":"subscription_count"}`).
			Expect(t, 200, `{"channels":{"presence-test-channel-one":{},"test-channel-two":{"subscription_count":1}}}`)
	})
	t.Run("89 91 excluded socket", func(t *testing.T) {
		c, d := testclient.Connect(t, s.Addr, key), testclient.Connect(t, s.Addr, key)
		c.Join(secret, "test-89", "")
		d.Join(secret, "test-89", "")
		app.Post(t, "/events", `{"name":"first","channel":"test-89","data":"1","socket_id":"`+c.SocketID+`"}`).Expect(t, 200, `{}`)
		app.Post(t, "/events", `{"name":"second","channel":"test-89","data":"2","socket_id":"1.2"}`).Expect(t, 200, `{}`)
		c.Event("second")
		d.Event("first")
		d.Event("second")
	})
	t.Run("99 unknown app", func(t *testing.T) {
		other := app
		other.ID = "invalid-app-id"
		other.Post(t, "/events", `{}`).Expect(t, 404, "No matching application for ID [invalid-app-id].")
	})
	t.Run("101 unsigned", func(t *testing.T) {
		testclient.Do(t, nil, "POST", app.Base+"/apps/123456/events", `{"name":"a"}`).Expect(t, 401, unsigned)
	})
	t.Run("98 empty body", func(t *testing.T) {
		if got := app.Post(t, "/events", ""); got.Status != 400 {
			t.Fatalf("got %d %s", got.Status, got.Body)
		}
	})
}

func TestPostEventsValidation(t *testing.T) {
	s := start(t, "", "")
	for _, c := range []struct{ name, body, want string }{
		{"92 no data", `{"name":"NewEvent","channel":"test-channel"}`, `{"data":["The data field is required."]}`},
		{"93 no data, channels", `{"name":"NewEvent","channels":["a"]}`, `{"data":["The data field is required."]}`},
		{"94 socket_id a number", `{"name":"NewEvent","channel":"a","data":"[]","socket_id":1234}`, `{"socket_id":["The socket id field must be a string."]}`},
		{"95 info a number", `{"name":"NewEvent","channel":"a","data":"[]","info":1234}`, `{"info":["The info field must be a string."]}`},
		{"nothing", `{}`, `{"name":["The name field is required."],"data":["The data field is required."],"channels":["The channels field is required when channel is not present."],"channel":["The channel field is required when channels is not present."]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			firstApp(s).Post(t, "/events", c.body).Expect(t, 422, c.want)
		})
	}
}

func TestRequestSize(t *testing.T) {
	body := func(n int) string {
		const head, tail = `{"name":"a","channel":"a","data":"`, `"}`
		return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
	}
	t.Run("96 97 the limit", func(t *testing.T) {
		s := start(t, "max_request_size = 20_000", "")
		firstApp(s).Post(t, "/events", body(20_000)).Expect(t, 200, `{}`)
		firstApp(s).Post(t, "/events", body(20_001)).Expect(t, 413, "Payload too large.")
	})
	t.Run("103 many packets", func(t *testing.T) {
		s := start(t, "max_request_size = 200_000", "")
		firstApp(s).Post(t, "/events", body(150_000)).Expect(t, 200, `{}`)
	})
}

func TestPathPrefix(t *testing.T) {
	s := start(t, `path = "ws"`, "")
	app := firstApp(s)
	t.Run("102 104 under the prefix", func(t *testing.T) {
		short := app.Sign("POST", "/apps/123456/events", nil, `{"name":"a","channel":"a","data":"1"}`)
		testclient.Do(t, nil, "POST", app.Base+"/ws"+short, `{"name":"a","channel":"a","data":"1"}`).Expect(t, 200, `{}`)
		long := app.Sign("POST", "/ws/apps/123456/events", nil, `{"name":"a","channel":"a","data":"1"}`)
		testclient.Do(t, nil, "POST", app.Base+long, `{"name":"a","channel":"a","data":"1"}`).Expect(t, 200, `{}`)
		testclient.Dial(t, s.Addr, key, testclient.DialOptions{Path: "/ws/app/" + key}).Established()
		testclient.Do(t, nil, "GET", app.Base+"/ws/up", "").Expect(t, 200, `{"health":"OK"}`)
	})
	t.Run("105 without the prefix", func(t *testing.T) {
		app.Post(t, "/events", `{"name":"a","channel":"a","data":"1"}`).Expect(t, 404, "Not found.")
		if res := upgrade(t, s.Addr, "/app/"+key, ""); res.StatusCode != 404 {
			t.Fatalf("got %s", res.Status)
		}
	})
}

func TestPostBatchEvents(t *testing.T) {
	s := start(t, "", "")
	app := firstApp(s)
	event := func(channel, more string) string {
		return `{"name":"NewEvent","channel":"` + channel + `","data":"{\"some\":\"data\"}"` + more + `}`
	}
	t.Run("106 107 110", func(t *testing.T) {
		app.Post(t, "/batch_events", `{"batch":[`+event("a", "")+`]}`).Expect(t, 200, `{"batch":{}}`).ExpectLength(t, 12)
		app.Post(t, "/batch_events", `{"batch":[`+event("a", "")+`,`+event("b", "")+`]}`).Expect(t, 200, `{"batch":{}}`)
	})
	c := testclient.Connect(t, s.Addr, key)
	c.Join(secret, "presence-test-channel", member(1, "A"))
	c.Join(secret, "test-channel-two", "")
	c.Join(secret, "test-channel-three", "")
	t.Run("108 109 info", func(t *testing.T) {
		app.Post(t, "/batch_events", `{"batch":[`+event("presence-test-channel", `,"info":"user_count"`)+`,`+
			event("test-channel-two", `,"info":"subscription_count"`)+`,`+event("test-channel-three", `,"info":"subscription_count"`)+`]}`).
			Expect(t, 200, `{"batch":[{"user_count":1},{"subscription_count":1},{"subscription_count":1}]}`)
		app.Post(t, "/batch_events", `{"batch":[`+event("presence-test-channel", `,"info":"user_count"`)+`,`+event("x", "")+`]}`).
			Expect(t, 200, `{"batch":[{"user_count":1},{}]}`)
		for _, channel := range []string{"presence-test-channel", "test-channel-two", "test-channel-three", "presence-test-channel"} {
			c.Expect(`{"event":"NewEvent","channel":"` + channel + `","data":"{\"some\":\"data\"}"}`)
		}
	})
	t.Run("111 excluded socket", func(t *testing.T) {
		app.Post(t, "/batch_events", `{"batch":[`+event("test-channel-two", `,"socket_id":"`+c.SocketID+`"`)+`]}`).Expect(t, 200, `{"batch":{}}`)
		c.Quiet()
	})
	t.Run("113 114 refused", func(t *testing.T) {
		if got := app.Post(t, "/batch_events", ""); got.Status != 400 {
			t.Fatalf("got %d %s", got.Status, got.Body)
		}
		testclient.Do(t, nil, "POST", app.Base+"/apps/123456/batch_events", `{}`).Expect(t, 401, unsigned)
		app.Post(t, "/batch_events", `{"batch":[{"channel":"a","data":"1"}]}`).Expect(t, 422, `{"batch.0.name":["The batch.0.name field is required."]}`)
	})
}

func TestConnectionsAndChannels(t *testing.T) {
	s := start(t, "", "")
	app := firstApp(s)
	app.Get(t, "/channels", nil).Expect(t, 200, `{"channels":{}}`)
	one, two := testclient.Connect(t, s.Addr, key), testclient.Connect(t, s.Addr, key)
	testclient.Connect(t, s.Addr, key) // subscribed to nothing: not counted
	one.Join(secret, "test-channel-one", "")
	two.Join(secret, "test-channel-one", "")
	app.Get(t, "/connections", nil).Expect(t, 200, `{"connections":2}`).ExpectLength(t, 17) // 115, 117
	one.Join(secret, "presence-test-channel-two", member(1, "A"))
	app.Get(t, "/connections", nil).Expect(t, 200, `{"connections":2}`)                                                                                               // 116
	sameJSON(t, app.Get(t, "/channels", info("user_count")), `{"channels":{"test-channel-one":{},"presence-test-channel-two":{"user_count":1}}}`).ExpectLength(t, 81) // 119, 122
	sameJSON(t, app.Get(t, "/channels", nil), `{"channels":{"test-channel-one":{},"presence-test-channel-two":{}}}`)                                                  // 120, 121
	sameJSON(t, app.Get(t, "/channels", map[string][]string{"filter_by_prefix": {"presence-"}}), `{"channels":{"presence-test-channel-two":{}}}`)
	for _, path := range []string{"/connections", "/channels", "/channels/a", "/channels/presence-a/users"} {
		testclient.Do(t, nil, "GET", app.Base+"/apps/123456"+path, "").Expect(t, 401, unsigned) // 118, 123, 130, 136
	}
}

func TestChannel(t *testing.T) {
	s := start(t, "", "")
	app := firstApp(s)
	one, two := testclient.Connect(t, s.Addr, key), testclient.Connect(t, s.Addr, key)
	for _, c := range []*testclient.Client{one, two} {
		c.Join(secret, "test-channel-one", "")
		c.Join(secret, "presence-test", "")
	}
	app.Get(t, "/channels/test-channel-one", info("user_count,subscription_count,cache")).
		Expect(t, 200, `{"occupied":true,"subscription_count":2}`).ExpectLength(t, 40) // 124, 129
	app.Get(t, "/channels/test-channel-two", info("subscription_count")).Expect(t, 200, `{"occupied":false}`)                             // 125
	app.Get(t, "/channels/presence-test", info("user_count,subscription_count,cache")).Expect(t, 200, `{"occupied":true,"user_count":1}`) // 127
	for names, want := range map[string]string{"cache": `{"occupied":true}`, "subscription_count": `{"occupied":true,"subscription_count":2}`, "nonsense": `{"occupied":true}`} {
		app.Get(t, "/channels/test-channel-one", info(names)).Expect(t, 200, want) // 128
	}
}

func TestUsers(t *testing.T) {
	s := start(t, "", "")
	app := firstApp(s)
	join := func(channel string, id int) *testclient.Client {
		c := testclient.Connect(t, s.Addr, key)
		c.Join(secret, channel, member(id, "A"))
		return c
	}
	for id := 1; id <= 3; id++ {
		join("presence-133", id)
	}
	app.Get(t, "/channels/presence-133/users", nil).Expect(t, 200, `{"users":[{"id":1},{"id":2},{"id":3}]}`).ExpectLength(t, 38) // 133, 135
	for _, id := range []int{3, 2, 3} {
		join("presence-134", id)
	}
	app.Get(t, "/channels/presence-134/users", nil).Expect(t, 200, `{"users":[{"id":3},{"id":2}]}`) // 134
	join("public-131", 1)
	app.Get(t, "/channels/public-131/users", nil).Expect(t, 400, `{}`)       // 131
	app.Get(t, "/channels/presence-unknown/users", nil).Expect(t, 404, `{}`) // 132
}

func TestTerminate(t *testing.T) {
	s := start(t, "", "")
	app := firstApp(s)
	var clients []*testclient.Client
	for _, id := range []int{123, 456} {
		c := testclient.Connect(t, s.Addr, key)
		c.Join(secret, "presence-test", member(id, "A"))
		c.Join(secret, "test-public", "")
		clients = append(clients, c)
	}
	bystander := testclient.Connect(t, s.Addr, key)
	bystander.Join(secret, "other", "")
	clients[0].Event("pusher_internal:member_added")
	app.Post(t, "/users/456/terminate_connections", `{}`).Expect(t, 200, `{}`).ExpectLength(t, 2) // 137
	clients[1].ExpectClose(4100)
	clients[0].Expect(`{"event":"pusher_internal:member_removed","data":"{\"user_id\":456}","channel":"presence-test"}`)
	waitFor(t, func() bool {
		return app.Get(t, "/channels/test-public", info("subscription_count")).Body == `{"occupied":true,"subscription_count":1}`
	})
	bystander.Quiet()
	app.Post(t, "/users/not-a-user/terminate_connections", `{}`).Expect(t, 200, `{}`)
	app.Post(t, "/users/456/terminate", `{}`).Expect(t, 404, "Not found.")                                                // 138
	testclient.Do(t, nil, "POST", app.Base+"/apps/123456/users/456/terminate_connections", `{}`).Expect(t, 401, unsigned) // 139
}

func TestHealth(t *testing.T) {
	s := start(t, "", "")
	base := "http://" + s.Addr
	testclient.Do(t, nil, "GET", base+"/up", "").Expect(t, 200, `{"health":"OK"}`).ExpectLength(t, 15) // 140
	if got := testclient.Do(t, nil, "GET", base+"/ready", ""); got.Status != 200 {
		t.Fatalf("/ready: %d", got.Status)
	}
	for path, want := range map[string]string{"/nowhere": "Not found.", "/up/": "Not found.", "/apps/123456/channels/a%2Fb": "Not found."} {
		testclient.Do(t, nil, "GET", base+path, "").Expect(t, 404, want)
	}
	got := testclient.Do(t, nil, "GET", base+"/apps/123456/events", "").Expect(t, 405, "Method not allowed.")
	if got.Header.Get("Allow") != "POST" {
		t.Fatalf("Allow: %q", got.Header.Get("Allow"))
	}
	s.Stop()
	if conn, err := net.Dial("tcp", s.Addr); err == nil { // 141
		_ = conn.Close()
		t.Fatal("a stopped server accepts connections")
	}
}

func TestKeepAlive(t *testing.T) {
	s := start(t, "", "")
	app := firstApp(s)
	app.Client = &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer app.Client.CloseIdleConnections()
	for i := range 50 {
		app.Post(t, "/events", fmt.Sprintf(`{"name":"a","channel":"a","data":"%d"}`, i)).Expect(t, 200, `{}`)
	}
}

// What a recorded request, another spelling of its path, and a library that signs what it does not send meet on a real connection: on the
// loop, and behind net/http where the path or the method leads there.
func TestOneReadingOfARequest(t *testing.T) {
	s := start(t, "", "")
	app := firstApp(s)
	c := testclient.Connect(t, s.Addr, key)
	c.Join(secret, "a", "")
	const body = `{"name":"e","channel":"a","data":"x","socket_id":null,"info":null}`
	month := fmt.Sprint(time.Now().Add(-30 * 24 * time.Hour).Unix())
	mac := hmac.New(sha256.New, []byte(secret))
	digest := md5.Sum([]byte(body))
	_, _ = fmt.Fprintf(mac, "POST\n/apps/123456/events\nauth_key=%s&auth_timestamp=%s&auth_version=1.0&body_md5=%x", key, month, digest)
	signature := hex.EncodeToString(mac.Sum(nil))
	for _, query := range []string{
		"auth_key=" + key + "&auth_timestamp=" + month + "&auth_version=1.0",
		"auth_key=" + key + "&auth_timestamp%3D" + month + "%26auth_version=1.0",
		"auth_key=" + key + "%26auth_timestamp%3D" + month + "&auth_version=1.0",
	} {
		got := testclient.Do(t, nil, "POST", app.Base+"/apps/123456/events?"+query+"&auth_signature="+signature, body)
		if got.Status != 401 {
			t.Errorf("%s: got %d %s, want 401", query, got.Status, got.Body)
		}
	}
	signed := app.Sign("POST", "/apps/123456/events", nil, body)
	for _, target := range []string{"/" + signed, strings.Replace(signed, "/apps", "/%61pps", 1), strings.Replace(signed, "/events", "/x/../events", 1)} {
		testclient.Do(t, nil, "POST", app.Base+target, body).Expect(t, 404, "Not found.")
	}
	c.Quiet()
	testclient.Do(t, nil, "POST", app.Base+signed, body).Expect(t, 200, `{}`)
	c.Expect(`{"event":"e","data":"x","channel":"a"}`)
	testclient.Dial(t, s.Addr, key, testclient.DialOptions{Path: "//app/" + key}).Established()
	if res := upgrade(t, s.Addr, "/%61pp/"+key, ""); res.StatusCode != 404 {
		t.Errorf("/%%61pp: got %s", res.Status)
	}
	app.Get(t, "/channels", map[string][]string{"body_md5": {"d41d8cd98f00b204e9800998ecf8427e"}}).Expect(t, 200, `{"channels":{"a":{}}}`)
	user := app.Sign("POST", "/apps/123456/users/José | {x}/terminate_connections", nil, `{}`)
	testclient.Do(t, nil, "POST", app.Base+strings.NewReplacer("José | {x}", "Jos%C3%A9%20%7C%20%7Bx%7D").Replace(user), `{}`).Expect(t, 200, `{}`)
}
