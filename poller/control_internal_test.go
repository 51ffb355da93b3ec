package poller

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

func readFrame(t *testing.T, b []byte) ws.Frame {
	t.Helper()
	r := bytes.NewReader(b)
	h, err := ws.ReadHeader(r)
	if err == nil {
		err = ws.CheckHeader(h, ws.StateClientSide)
	}
	if err != nil || int64(r.Len()) != h.Length {
		t.Fatalf("frame %x: %v, %d bytes of payload, want %d", b, err, r.Len(), h.Length)
	}
	return ws.Frame{Header: h, Payload: b[len(b)-r.Len():]}
}

func TestCloseFrame(t *testing.T) {
	tests := []struct {
		name         string
		code         uint16
		reason, want string
	}{
		{"no reason", 1000, "", ""},
		{"reason", 4001, "Application does not exist", "Application does not exist"},
		{"just fits", 4000, strings.Repeat("x", 123), strings.Repeat("x", 123)},
		{"too long", 4000, strings.Repeat("x", 124), strings.Repeat("x", 123)},
		{"cut before a rune", 4000, strings.Repeat("x", 122) + "€", strings.Repeat("x", 122)},
		{"cut within the last rune", 4000, strings.Repeat("😀", 50), strings.Repeat("😀", 30)},
		{"not UTF-8", 4000, "a\xffb", "a\uFFFDb"},
		{"not a rune to be seen", 4000, strings.Repeat("\x80", 200), "\uFFFD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := readFrame(t, closeFrame(tt.code, tt.reason))
			code, reason := ws.ParseCloseFrameData(f.Payload)
			if f.Header.OpCode != ws.OpClose || uint16(code) != tt.code || reason != tt.want {
				t.Errorf("got opcode %d, %d %q, want %d %q", f.Header.OpCode, code, reason, tt.code, tt.want)
			}
			if !utf8.ValidString(reason) {
				t.Errorf("reason %q is not UTF-8", reason)
			}
		})
	}
}

func TestCloseReply(t *testing.T) {
	for payload, want := range map[string]string{
		"":                  "\x03\xe8",
		"\x03\xe9":          "\x03\xe9",
		"\x0f\xa0see you €": "\x0f\xa0see you €",
	} {
		f := readFrame(t, closeReply([]byte(payload)))
		if f.Header.OpCode != ws.OpClose || string(f.Payload) != want {
			t.Errorf("closeReply(%q): got opcode %d, %q, want %q", payload, f.Header.OpCode, f.Payload, want)
		}
	}
}

func TestPingAndPong(t *testing.T) {
	if f := readFrame(t, pingFrame); f.Header.OpCode != ws.OpPing || len(f.Payload) != 0 {
		t.Errorf("ping: got %+v", f)
	}
	payload := []byte(strings.Repeat("p", 125))
	pong := pongFrame(payload)
	clear(payload) // the caller's memory is the next read's
	if f := readFrame(t, pong); f.Header.OpCode != ws.OpPong || string(f.Payload) != strings.Repeat("p", 125) {
		t.Errorf("pong: got %+v", f)
	}
}
