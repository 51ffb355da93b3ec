package poller_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/gobwas/ws"

	"reverb/poller"
	"reverb/transport"
)

// late is an HTTP handler that gives back what asks for an upgrade, as package api does.
func late(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		api(w, r)
		return
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	var head bytes.Buffer
	head.WriteString("GET " + r.RequestURI + " HTTP/1.1\r\nHost: " + r.Host + "\r\n")
	_ = r.Header.Write(&head)
	head.WriteString("\r\n")
	behind, _ := rw.Reader.Peek(rw.Reader.Buffered())
	head.Write(behind)
	if !nc.(interface{ Reclaim(head []byte) bool }).Reclaim(head.Bytes()) {
		_, _ = nc.Write([]byte("HTTP/1.1 418 Refused\r\nContent-Length: 0\r\n\r\n"))
		_ = nc.Close()
	}
}

var getUp = []byte("GET /up HTTP/1.1\r\nHost: h\r\n\r\n")

// A proxy sends requests of several clients over one connection, and then one client's upgrade.
func TestUpgradeAfterOtherRequests(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		h.message = echo
		s := startBefore(t, poller.Config{}, h, late, secure)
		c := s.dial(t)
		for range 3 {
			c.write(getUp)
			if body := c.body(c.response()); body != "GET /up " {
				t.Fatalf("body %q", body)
			}
		}
		// A frame right behind the upgrade belongs to the WebSocket.
		c.write(slices.Concat([]byte(upgradeHead), message(ws.OpText, []byte("first"))))
		if res := c.response(); res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("status %d, want 101", res.StatusCode)
		}
		session := h.next(t)
		c.expect(ws.OpText, "first")
		c.send("second")
		c.expect(ws.OpText, "second")
		if st := s.Stats(); st.Connections != 1 || st.Sockets != 1 {
			t.Errorf("%d connections, %d sockets, want one of each", st.Connections, st.Sockets)
		}
		_ = c.Close()
		session.expectClosed(t, transport.ReasonHangup)
	})
}

func TestUpgradeElsewhereAfterOtherRequests(t *testing.T) {
	s := startBefore(t, poller.Config{}, newHandler(), late, false)
	c := s.dial(t)
	c.write(getUp)
	c.body(c.response())
	c.write(bytes.Replace([]byte(upgradeHead), []byte("/app/key"), []byte("/elsewhere"), 1))
	if res := c.response(); res.StatusCode != http.StatusTeapot {
		t.Errorf("status %d, want the handler's", res.StatusCode)
	}
}
