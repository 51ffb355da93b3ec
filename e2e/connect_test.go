package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"reverb/internal/testclient"
)

func TestConnecting(t *testing.T) {
	s := start(t, "", "")
	t.Run("1 different app keys", func(t *testing.T) {
		testclient.Connect(t, s.Addr, key)
		testclient.Dial(t, s.Addr, "reverb-key-3", testclient.DialOptions{Origin: "http://laravel.com"}).Established()
	})
	t.Run("2 unknown key", func(t *testing.T) {
		c := testclient.Dial(t, s.Addr, "invalid-key", testclient.DialOptions{})
		c.ExpectError(4001, "Application does not exist")
		c.ExpectClose(4001)
	})
	t.Run("3 origin refused", func(t *testing.T) {
		for _, origin := range []string{"http://other.com", "", "null"} {
			c := testclient.Dial(t, s.Addr, "reverb-key-3", testclient.DialOptions{Origin: origin})
			c.ExpectError(4009, "Origin not allowed")
			c.ExpectClose(4009)
		}
	})
	t.Run("4 any origin", func(t *testing.T) {
		testclient.Dial(t, s.Addr, key, testclient.DialOptions{Origin: "http://anything.example"}).Established()
	})
	t.Run("10 quota", func(t *testing.T) {
		first := testclient.Connect(t, s.Addr, "reverb-key-2")
		first.Join("reverb-secret-2", "test-channel", "")
		c := testclient.Dial(t, s.Addr, "reverb-key-2", testclient.DialOptions{})
		c.ExpectError(4004, "Application is over connection quota")
		c.ExpectClose(4004)
		first.Quiet()
	})
	t.Run("11 connection established", func(t *testing.T) {
		c := testclient.Dial(t, s.Addr, key, testclient.DialOptions{})
		if d := c.Established(); d.ActivityTimeout != 30 {
			t.Fatalf("activity_timeout %d, want 30", d.ActivityTimeout)
		}
		d := testclient.Dial(t, s.Addr, key, testclient.DialOptions{})
		d.Established()
		if c.SocketID == d.SocketID {
			t.Fatalf("two connections share socket id %s", c.SocketID)
		}
	})
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		line    int
		allowed string
		origin  string
		ok      bool
	}{
		{5, `"laravel.com"`, "http://localhost", false},
		{6, `"laravel.com"`, "http://sub.laravel.com", false},
		{7, `"*.laravel.com"`, "http://laravel.com", false},
		{8, `"localhost"`, "http://localhost", true},
		{9, `"localhost", "*.localhost"`, "http://sub.localhost", true},
	} {
		t.Run(fmt.Sprintf("%d %s against %s", c.line, c.origin, c.allowed), func(t *testing.T) {
			s := start(t, "", "allowed_origins = ["+c.allowed+"]")
			client := testclient.Dial(t, s.Addr, key, testclient.DialOptions{Origin: c.origin})
			if c.ok {
				client.Established()
				return
			}
			client.ExpectError(4009, "Origin not allowed")
			client.ExpectClose(4009)
		})
	}
}

func TestHandshake(t *testing.T) {
	s := start(t, "", "")
	t.Run("12 powered by", func(t *testing.T) {
		res := upgrade(t, s.Addr, "/app/"+key, "")
		if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("X-Powered-By") != "Laravel Reverb" {
			t.Fatalf("got %s %v", res.Status, res.Header)
		}
	})
	t.Run("first message in the packet of the handshake", func(t *testing.T) {
		c := testclient.Connect(t, s.Addr, key)
		c.Quiet()
	})
	for _, c := range []struct {
		name, path, change string
		status             int
	}{
		{"no upgrade header", "/app/" + key, "Upgrade:", 426},
		{"wrong version", "/app/" + key, "Sec-WebSocket-Version: 12", 426},
		{"no key", "/app/" + key, "Sec-WebSocket-Key:", 400},
		{"short key", "/app/" + key, "Sec-WebSocket-Key: abc", 400},
		{"no connection upgrade", "/app/" + key, "Connection: keep-alive", 400},
		{"upgrade of another route is ignored", "/up", "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := upgrade(t, s.Addr, c.path, c.change)
			if res.StatusCode != c.status {
				t.Fatalf("got %s, want %d", res.Status, c.status)
			}
		})
	}
}

// upgrade sends a handshake in which one header line is changed, or left out when change ends in a colon.
func upgrade(t *testing.T, addr, path, change string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	head := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\n"
	name, value, _ := cutHeader(change)
	for _, h := range [][2]string{
		{"Upgrade", "websocket"}, {"Connection", "Upgrade"},
		{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}, {"Sec-WebSocket-Version", "13"},
	} {
		if h[0] == name {
			h[1] = value
		}
		if h[1] != "" {
			head += h[0] + ": " + h[1] + "\r\n"
		}
	}
	if _, err := conn.Write([]byte(head + "\r\n")); err != nil {
		t.Fatal(err)
	}
	return readResponse(t, conn)
}
