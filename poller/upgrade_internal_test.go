package poller

import (
	"bufio"
	"bytes"
	"net/http"
	"testing"
)

const goodHead = "GET /app/key?protocol=7 HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

// net/http has to read every upgrade as we do: two readings of one request are how requests
// are smuggled.
func FuzzParseUpgrade(f *testing.F) {
	f.Add([]byte(goodHead))
	f.Add(bytes.ToUpper([]byte(goodHead)))
	f.Add([]byte("GET / HTTP/1.1\n\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		end := headEnd(b, 0)
		if end == 0 {
			return
		}
		u, ok := parseUpgrade(b[:end])
		_ = u.path()
		if !ok {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", b[:end], err)
		}
		if r.Method != "GET" || r.RequestURI != string(u.target) || r.ContentLength > 0 || r.Header.Get("Origin") != string(u.origin) {
			t.Fatalf("net/http reads %q as %+v", b[:end], r)
		}
	})
}

// However a head is cut, its end is where it is in one piece.
func TestHeadEndAtEachCut(t *testing.T) {
	for _, tt := range []struct {
		head string
		want int
	}{
		{goodHead, len(goodHead)},
		{goodHead + "more\r\n\r\n", len(goodHead)},
		{"GET / HTTP/1.1\nHost: h\n\nmore", 24},
		{"\r\n\r\n", 4},
		{"a\r\n\nb", 4},
		{"GET / HTTP/1.1\r\nHost: h\r\n", 0},
		{"", 0},
	} {
		b := []byte(tt.head)
		for cut := range b {
			if first := headEnd(b[:cut], 0); first != 0 && first != tt.want {
				t.Errorf("%q: end at %d, want %d", b[:cut], first, tt.want)
			} else if first == 0 && headEnd(b, cut) != tt.want {
				t.Errorf("%q cut at %d: end at %d, want %d", b, cut, headEnd(b, cut), tt.want)
			}
		}
	}
}
