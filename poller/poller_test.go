package poller_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"reverb/poller"
	"reverb/transport"
)

func TestEcho(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		h.message = echo
		s := start(t, poller.Config{}, h, secure)
		c := s.open(t)
		se := h.next(t)
		want := transport.Request{
			Path: "/app/key", Query: "protocol=7&client=js", Host: "example.com", Origin: "http://site.test",
			RemoteAddr: se.RemoteAddr(), TLS: secure,
		}
		if se.request != want || se.RemoteAddr().String() != c.LocalAddr().String() {
			t.Errorf("request %+v of %v, want %+v of %v", se.request, se.RemoteAddr(), want, c.LocalAddr())
		}
		c.send("hello")
		c.expect(ws.OpText, "hello")
		c.write(message(ws.OpBinary, []byte{0, 255}))
		c.expect(ws.OpBinary, "\x00\xff")

		big := strings.Repeat("abcdefgh", 1<<17)
		go func() { _, _ = c.Write(message(ws.OpText, []byte(big))) }()
		c.expect(ws.OpText, big)

		var many bytes.Buffer
		for i := range 1000 {
			many.Write(message(ws.OpText, fmt.Append(nil, i)))
		}
		c.write(many.Bytes())
		for i := range 1000 {
			c.expect(ws.OpText, fmt.Sprint(i))
		}
	})
}
