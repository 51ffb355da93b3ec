package protocol_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"reverb/outbound"
	"reverb/protocol"
)

func TestErrorMessageOfOtherError(t *testing.T) {
	e := &protocol.Error{Code: 4302, Message: `a "b"`}
	for objectData, want := range map[bool]string{
		false: `{"event":"pusher:error","data":"{\"code\":4302,\"message\":\"a \\\"b\\\"\"}"}`,
		true:  `{"event":"pusher:error","data":{"code":4302,"message":"a \"b\""}}`,
	} {
		if got := payload(t, protocol.ErrorMessage(e, objectData)); string(got) != want {
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

func TestMessageAllocations(t *testing.T) {
	id := mustID(t, "905761171.52956978")
	e := protocol.ClientEvent{Event: []byte("client-typing"), Data: []byte(`{"name":"Zoë","text":"\"hi\""}`)}
	forwarded := []byte(`{"event":"client-typing","channel":"a","data":{"name":"Zoë","text":"\"hi\""}}`)
	member := protocol.RosterMember{ID: "42", IDRaw: []byte(`42`), Info: []byte(`{"name":"Zoë","role":"admin"}`)}
	var ids, hash []byte
	for range 100 {
		ids, hash = protocol.AppendRosterRow(ids, hash, member)
	}
	data := `{"user":{"id":42,"name":"Zoë"},"text":"` + strings.Repeat(`\"lorem\" ipsum `, 50) + `"}`
	for name, tt := range map[string]struct {
		want float64
		make func()
	}{
		"pong":       {0, func() { protocol.PongMessage() }},
		"ping":       {0, func() { protocol.PingMessage() }},
		"error":      {0, func() { protocol.ErrorMessage(protocol.ErrRateLimit, false) }},
		"connection": {1, func() { protocol.ConnectionEstablishedMessage(id, 30) }},
		"succeeded":  {1, func() { protocol.SubscriptionSucceededMessage("private-room.1") }},
		"presence":   {1, func() { protocol.PresenceSucceededMessage("presence-room.1", 100, ids, hash) }},
		"refused":    {1, func() { protocol.SubscriptionErrorMessage("private-room.1", "AuthError", "no", 401) }},
		"cache miss": {1, func() { protocol.CacheMissMessage("cache-room.1") }},
		"added":      {1, func() { protocol.MemberAddedMessage("presence-room.1", member.Info) }},
		"removed":    {1, func() { protocol.MemberRemovedMessage("presence-room.1", member.IDRaw) }},
		"event":      {1, func() { protocol.EventMessage(`App\Events\Test`, "private-room.1", data, false) }},
		"client":     {1, func() { protocol.ClientEventMessage(&e, "private-room.1", member.IDRaw) }},
		"forwarded":  {1, func() { protocol.ForwardedMessage(forwarded, "private-room.1", e.Data, member.IDRaw) }},
		"socket id":  {0, func() { protocol.NewSocketID() }},
	} {
		if got := testing.AllocsPerRun(100, tt.make); got != tt.want {
			t.Errorf("%s: %v allocations, want %v", name, got, tt.want)
		}
	}
}

func BenchmarkMessage(b *testing.B) {
	small := `{"user":{"id":42,"name":"Zoe"},"text":"hello"}`
	large := `{"items":[` + strings.Repeat(`{"id":42,"name":"Zoë"},`, 400) + `{}]}`
	e := protocol.ClientEvent{Event: []byte("client-typing"), Data: []byte(small)}
	var ids, hash []byte
	for range 100 {
		ids, hash = protocol.AppendRosterRow(ids, hash, protocol.RosterMember{ID: "42", IDRaw: []byte(`42`), Info: []byte(small)})
	}
	for name, build := range map[string]func() outbound.Message{
		"event": func() outbound.Message {
			return protocol.EventMessage(`App\Events\Test`, "private-room.1", small, false)
		},
		"event10k": func() outbound.Message {
			return protocol.EventMessage(`App\Events\Test`, "private-room.1", large, false)
		},
		"client":     func() outbound.Message { return protocol.ClientEventMessage(&e, "private-room.1", nil) },
		"roster100":  func() outbound.Message { return protocol.PresenceSucceededMessage("presence-room.1", 100, ids, hash) },
		"subscribed": func() outbound.Message { return protocol.SubscriptionSucceededMessage("private-room.1") },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(build().Size()))
			}
		})
	}
}
