package poller_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"reverb/poller"
	"reverb/transport"
)

func TestHandshakeCutAtEachByte(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		h.message = echo
		s := start(t, poller.Config{}, h, secure)
		all := append([]byte(upgradeHead), message(ws.OpText, []byte("first"))...)
		for i := range all {
			c := s.dial(t)
			before := s.Stats().BytesIn
			c.write(all[:i])
			eventually(t, "first part read", func() bool { return s.Stats().BytesIn == before+uint64(i) })
			c.write(all[i:])
			c.accepted()
			c.expect(ws.OpText, "first")
			before = s.Stats().BytesIn
			c.send("then")
			c.expect(ws.OpText, "then")
			c.raw.Close()
			h.next(t).expectClosed(t, transport.ReasonHangup)
		}
	})
}

// The frames behind the head come in the same packet, and more of them than one read takes.
func TestFramesBehindHandshake(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		h.opened = func(s *session) { s.Send(text("welcome")) }
		h.message = echo
		s := start(t, poller.Config{}, h, secure)
		c := s.dial(t)
		all := []byte(upgradeHead)
		big := strings.Repeat("x", 100_000)
		all = append(all, message(ws.OpText, []byte("one"))...)
		all = append(all, message(ws.OpText, []byte(big))...)
		all = append(all, message(ws.OpText, []byte("three"))...)
		c.write(all)
		c.accepted()
		for _, want := range []string{"welcome", "one", big, "three"} {
			c.expect(ws.OpText, want)
		}
	})
}

func TestHTTPOnTheSameListener(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		s := start(t, poller.Config{}, newHandler(), secure)
		c := s.dial(t)
		post := "POST /apps/1/events HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
		c.write([]byte("GET /up HTTP/1.1\r\nHost: h\r\n\r\n" + post + "12"))
		if got := c.body(c.response()); got != "GET /up " {
			t.Errorf("first answer %q", got)
		}
		c.write([]byte("345" + post + "67890"))
		for _, want := range []string{"POST /apps/1/events 12345", "POST /apps/1/events 67890"} {
			if got := c.body(c.response()); got != want {
				t.Errorf("answer %q, want %q", got, want)
			}
		}
		if n := s.Stats().Sockets; n != 1 {
			t.Errorf("%d sockets, want 1", n)
		}
		c.Close()
		eventually(t, "socket counted off", func() bool { return s.Stats().Sockets == 0 })
	})
}

// A client that half-closes after its request still gets the answer.
func TestHTTPHalfClose(t *testing.T) {
	s := start(t, poller.Config{}, newHandler(), false)
	c := s.dial(t)
	c.write([]byte("GET /up HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
	if err := c.raw.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := c.body(c.response()); got != "GET /up " {
		t.Errorf("answer %q", got)
	}
}

// A request that is no well-formed upgrade is net/http's, whose answers these statuses are: 426 for the path, 400 for
// what it cannot read at all.
func TestRefusedHandshakes(t *testing.T) {
	const host, upgrade, connection = "Host: h", "Upgrade: websocket", "Connection: Upgrade"
	const key, version = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"
	get := "GET /app/key HTTP/1.1"
	tests := []struct {
		name   string
		lines  []string
		status int
	}{
		{"good", []string{get, host, upgrade, connection, key, version}, 101},
		{"any case and list", []string{get, "hOsT:h", "UPGRADE: WebSocket", "connection: foo ,UPGRADE", key, version}, 101},
		{"several connection lines", []string{get, host, upgrade, "Connection: keep-alive", connection, key, version}, 101},
		{"empty body", []string{get, host, upgrade, connection, key, version, "Content-Length: 0"}, 101},
		{"absolute form", []string{"GET http://h/app/key?a HTTP/1.1", host, upgrade, connection, key, version}, 101},
		{"absolute form without path", []string{"GET http://h?/app/key HTTP/1.1", host, upgrade, connection, key, version}, 200},
		{"extensions", []string{get, host, upgrade, connection, key, version,
			"Sec-WebSocket-Extensions: x; y=1, permessage-deflate; client_max_window_bits; server_max_window_bits=10"}, 101},
		{"unknown parameter", []string{get, host, upgrade, connection, key, version,
			"Sec-WebSocket-Extensions: permessage-deflate; foo"}, 426},
		{"parameter twice", []string{get, host, upgrade, connection, key, version, "Sec-WebSocket-Extensions: " +
			"permessage-deflate; client_max_window_bits; client_max_window_bits=9"}, 426},
		{"window too small", []string{get, host, upgrade, connection, key, version,
			"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7"}, 426},
		{"flag with value", []string{get, host, upgrade, connection, key, version,
			"Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover=1"}, 426},
		{"other path", []string{"GET /up HTTP/1.1", host, upgrade, connection, key, version}, 200},
		{"post", []string{"POST /app/key HTTP/1.1", host, upgrade, connection, key, version, "Content-Length: 0"}, 426},
		{"http 1.0", []string{"GET /app/key HTTP/1.0", host, upgrade, connection, key, version}, 426},
		{"no upgrade", []string{get, host, connection, key, version}, 426},
		{"other upgrade", []string{get, host, "Upgrade: h2c", connection, key, version}, 426},
		{"two upgrades", []string{get, host, upgrade, upgrade, connection, key, version}, 426},
		{"no connection", []string{get, host, upgrade, key, version}, 426},
		{"no key", []string{get, host, upgrade, connection, version}, 426},
		{"two keys", []string{get, host, upgrade, connection, key, key, version}, 426},
		{"short key", []string{get, host, upgrade, connection, "Sec-WebSocket-Key: dGhl", version}, 426},
		{"key of 17 bytes", []string{get, host, upgrade, connection, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWE=", version}, 426},
		{"key not base64", []string{get, host, upgrade, connection, "Sec-WebSocket-Key: !GhlIHNhbXBsZSBub25jZQ==", version}, 426},
		{"no version", []string{get, host, upgrade, connection, key}, 426},
		{"version 8", []string{get, host, upgrade, connection, key, "Sec-WebSocket-Version: 8"}, 426},
		{"two versions", []string{get, host, upgrade, connection, key, version, version}, 426},
		{"two origins", []string{get, host, upgrade, connection, key, version, "Origin: a", "Origin: b"}, 426},
		{"body", []string{get, host, upgrade, connection, key, version, "Content-Length: 4"}, 426},
		{"chunked", []string{get, host, upgrade, connection, key, version, "Transfer-Encoding: chunked"}, 426},
		{"no host", []string{get, upgrade, connection, key, version}, 400},
		{"two hosts", []string{get, host, host, upgrade, connection, key, version}, 400},
		{"folded line", []string{get, host, upgrade, connection, key, version, "X: a", " b"}, 426},
		{"space before colon", []string{get, host, upgrade, connection, key, version, "X : a"}, 400},
		{"no colon", []string{get, host, upgrade, connection, key, version, "X"}, 400},
		{"no http at all", []string{"hello"}, 400},
		{"empty", []string{""}, 400},
	}
	transports(t, func(t *testing.T, secure bool) {
		s := start(t, poller.Config{}, newHandler(), secure)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				c := s.dial(t)
				c.write([]byte(strings.Join(tt.lines, "\r\n") + "\r\n\r\n0\r\n\r\n"))
				if resp := c.response(); resp.StatusCode != tt.status {
					t.Errorf("status %d, want %d", resp.StatusCode, tt.status)
				}
			})
		}
		if s.Stats().Refused["bad_handshake"] == 0 {
			t.Error("not counted")
		}
	})
}

func TestHeadTooLarge(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		s := start(t, poller.Config{MaxHead: 1000}, newHandler(), secure)
		for _, size := range []int{1000, 100_000} { // without and with more behind the limit than one read takes
			c := s.dial(t)
			c.write(fmt.Appendf(nil, "GET /up HTTP/1.1\r\nCookie: %s", strings.Repeat("c", size)))
			if resp := c.response(); resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("status %d, want 431", resp.StatusCode)
			}
			c.expectEnd()
			c.Close()
		}
		eventually(t, "sockets closed", func() bool { return s.Stats().Sockets == 0 })
		if got := s.Stats().Refused["head_too_large"]; got != 2 {
			t.Errorf("counted %d, want 2", got)
		}
	})
}

func TestHandshakeTimeout(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		cfg := poller.Config{HandshakeTimeout: 50 * time.Millisecond, TLSTimeout: 50 * time.Millisecond}
		s := start(t, cfg, newHandler(), secure)
		c := s.dial(t) // under TLS silent, so that this handshake does not end
		if !secure {
			c.write([]byte("GET /app/"))
		}
		if n, err := c.raw.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("read %d, %v, want the end", n, err)
		}
		eventually(t, "counted", func() bool { return s.Stats().Refused["timeout"] == 1 })
	})
}

func TestTLSRefused(t *testing.T) {
	s := start(t, poller.Config{}, newHandler(), true)
	c := s.dial(t)
	_, _ = c.raw.Write(make([]byte, 100))
	eventually(t, "counted", func() bool { return s.Stats().Refused["tls"] == 1 })
	eventually(t, "closed", func() bool { return s.Stats().Sockets == 0 })
}
