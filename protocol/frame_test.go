package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"reverb/protocol"
)

// TestFrameLengths walks the edges between the three forms of the header.
func TestFrameLengths(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 100_000} {
		text := bytes.Repeat([]byte("x"), n)
		f := protocol.TextFrame(text)
		if got := payload(t, f); !bytes.Equal(got, text) {
			t.Errorf("%d bytes: payload of %d", n, len(got))
		}
		if got := f.Payload(); !bytes.Equal(got, text) {
			t.Errorf("%d bytes: Payload gives %d", n, len(got))
		}
		for _, size := range []int{0, n, n + 100} {
			if g := protocol.EndFrame(append(protocol.BeginFrame(size), text...)); !bytes.Equal(f, g) {
				t.Errorf("%d bytes, size %d: BeginFrame and EndFrame give another frame than TextFrame", n, size)
			}
		}
	}
}

func TestTextFrameCopies(t *testing.T) {
	text := []byte(`{"a":1}`)
	f := protocol.TextFrame(text)
	text[1] = 'x'
	if got := payload(t, f); string(got) != `{"a":1}` {
		t.Errorf("frame changed to %s", got)
	}
}

func TestErrorFrameOfOtherError(t *testing.T) {
	e := &protocol.Error{Code: 4302, Message: `a "b"`}
	for objectData, want := range map[bool]string{
		false: `{"event":"pusher:error","data":"{\"code\":4302,\"message\":\"a \\\"b\\\"\"}"}`,
		true:  `{"event":"pusher:error","data":{"code":4302,"message":"a \"b\""}}`,
	} {
		if got := payload(t, protocol.ErrorFrame(e, objectData)); string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	var target *protocol.Error
	if !errors.As(error(e), &target) || target.Error() != `a "b" (4302)` {
		t.Errorf("Error() = %q", e.Error())
	}
}

func TestAppendQuote(t *testing.T) {
	for _, s := range []string{
		"", "plain", `"\`, "\x00\x01\x1f\x7f\b\f\n\r\t", "</script>&'", "é\u2028\u2029\ufffd\U0001F600",
		"\xff", "a\xc3", "\xed\xa0\x80b", "\xf0\x9f\x98", strings.Repeat("é\"", 1000),
	} {
		quoted := protocol.AppendQuote([]byte("x"), s)
		var back string
		if err := json.Unmarshal(quoted[1:], &back); err != nil || quoted[0] != 'x' {
			t.Fatalf("AppendQuote(%q) = %s: %v", s, quoted, err)
		}
		if want := string([]rune(s)); back != want {
			t.Errorf("AppendQuote(%q) = %s, reads as %q", s, quoted, back)
		}
	}
}

func TestFrameAllocations(t *testing.T) {
	id := mustID(t, "905761171.52956978")
	e := protocol.ClientEvent{Event: "client-typing", Data: []byte(`{"name":"Zoë","text":"\"hi\""}`)}
	member := protocol.RosterMember{ID: "42", IDRaw: []byte(`42`), Info: []byte(`{"name":"Zoë","role":"admin"}`)}
	roster := make([]protocol.RosterMember, 100)
	for i := range roster {
		roster[i] = member
	}
	data := `{"user":{"id":42,"name":"Zoë"},"text":"` + strings.Repeat(`\"lorem\" ipsum `, 50) + `"}`
	for name, tt := range map[string]struct {
		want float64
		make func()
	}{
		"pong":       {0, func() { protocol.PongFrame() }},
		"ping":       {0, func() { protocol.PingFrame() }},
		"error":      {0, func() { protocol.ErrorFrame(protocol.ErrRateLimit, false) }},
		"connection": {1, func() { protocol.ConnectionEstablishedFrame(id, 30) }},
		"succeeded":  {1, func() { protocol.SubscriptionSucceededFrame("private-room.1") }},
		"presence":   {1, func() { protocol.PresenceSucceededFrame("presence-room.1", roster) }},
		"refused":    {1, func() { protocol.SubscriptionErrorFrame("private-room.1", "AuthError", "no", 401) }},
		"cache miss": {1, func() { protocol.CacheMissFrame("cache-room.1") }},
		"added":      {1, func() { protocol.MemberAddedFrame("presence-room.1", member.Info) }},
		"removed":    {1, func() { protocol.MemberRemovedFrame("presence-room.1", member.IDRaw) }},
		"event":      {1, func() { protocol.EventFrame(`App\Events\Test`, "private-room.1", data, false) }},
		"client":     {1, func() { protocol.ClientEventFrame(&e, "private-room.1", member.IDRaw) }},
		"socket id":  {0, func() { protocol.NewSocketID() }},
	} {
		if got := testing.AllocsPerRun(100, tt.make); got != tt.want {
			t.Errorf("%s: %v allocations, want %v", name, got, tt.want)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	small := `{"user":{"id":42,"name":"Zoe"},"text":"hello"}`
	large := `{"items":[` + strings.Repeat(`{"id":42,"name":"Zoë"},`, 400) + `{}]}`
	e := protocol.ClientEvent{Event: "client-typing", Data: []byte(small)}
	roster := make([]protocol.RosterMember, 100)
	for i := range roster {
		roster[i] = protocol.RosterMember{ID: "42", IDRaw: []byte(`42`), Info: []byte(small)}
	}
	for name, build := range map[string]func() protocol.Frame{
		"event":      func() protocol.Frame { return protocol.EventFrame(`App\Events\Test`, "private-room.1", small, false) },
		"event10k":   func() protocol.Frame { return protocol.EventFrame(`App\Events\Test`, "private-room.1", large, false) },
		"client":     func() protocol.Frame { return protocol.ClientEventFrame(&e, "private-room.1", nil) },
		"roster100":  func() protocol.Frame { return protocol.PresenceSucceededFrame("presence-room.1", roster) },
		"subscribed": func() protocol.Frame { return protocol.SubscriptionSucceededFrame("private-room.1") },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(len(build())))
			}
		})
	}
}
