package poller_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"reverb/poller"
)

// lockedBuffer is a log that a test reads while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// soon is a bound for what must not wait for a time-out of the handshake.
const soon = 20 * time.Second

func TestTLSToAPlainPort(t *testing.T) {
	var log lockedBuffer
	s := start(t, poller.Config{HandshakeTimeout: time.Hour, Log: slog.New(slog.NewTextHandler(&log, nil))}, newHandler(), false)
	const clients = 5
	for range clients {
		raw, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.SetDeadline(time.Now().Add(soon))
		err = tls.Client(raw, &tls.Config{ServerName: "site.test", MinVersion: tls.VersionTLS12}).Handshake()
		var alert *net.OpError
		if !errors.As(err, &alert) || alert.Op != "remote error" {
			t.Errorf("handshake: %v, want an alert", err)
		}
		if n, err := raw.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("after the alert: %d bytes, %v; want the end", n, err)
		}
		_ = raw.Close()
	}
	// A hello that comes byte by byte is known by the first one.
	c := s.dial(t)
	_ = c.SetDeadline(time.Now().Add(soon))
	c.write([]byte{0x16})
	if got, err := io.ReadAll(c.br); err != nil || len(got) != 7 || got[0] != 0x15 {
		t.Errorf("answer % x, %v; want an alert", got, err)
	}
	if n := s.Stats().Refused["tls_on_plain_port"]; n != clients+1 {
		t.Errorf("%d counted, want %d", n, clients+1)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "from=127.0.0.1") {
		t.Errorf("%d log lines, want one with the client\n%s", n, log.String())
	}
}

func TestPlainHTTPToATLSPort(t *testing.T) {
	var log lockedBuffer
	s := start(t, poller.Config{HandshakeTimeout: time.Hour, TLSTimeout: time.Hour, Log: slog.New(slog.NewTextHandler(&log, nil))}, newHandler(), true)
	all := []struct{ name, request string }{
		{"upgrade", upgradeHead},
		{"get", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"put", "PUT /x HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"for a proxy", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"options", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"publish with more than is read", "POST /apps/1/events HTTP/1.1\r\nHost: h\r\nContent-Length: 30000\r\n\r\n" + strings.Repeat("x", 30000)},
	}
	for _, tc := range all {
		t.Run(tc.name, func(t *testing.T) {
			c := s.dial(t)
			_ = c.raw.SetDeadline(time.Now().Add(soon))
			if _, err := c.raw.Write([]byte(tc.request)); err != nil {
				t.Fatal(err)
			}
			c.br.Reset(c.raw)
			resp := c.response()
			if text := c.body(resp); resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "https://") || !strings.Contains(text, "wss://") {
				t.Errorf("status %d %q", resp.StatusCode, text)
			}
			c.expectEnd()
		})
	}
	if n := s.Stats().Refused["plain_on_tls_port"]; n != uint64(len(all)) {
		t.Errorf("%d counted, want %d", n, len(all))
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d log lines, want one\n%s", n, log.String())
	}
	// A connection that speaks neither is only ended.
	c := s.dial(t)
	_ = c.raw.SetDeadline(time.Now().Add(soon))
	_, _ = c.raw.Write([]byte("\x00\x01\x02\x03\x04\x05\x06"))
	if n, err := c.raw.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
