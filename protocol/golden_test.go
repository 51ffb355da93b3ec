package protocol_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"reverb/outbound"
	"reverb/protocol"
)

var update = flag.Bool("update", false, "write the golden files from what the code gives")

// payload takes the text frame apart that m is sent as; gobwas/ws is the judge of the header.
func payload(t *testing.T, m outbound.Message) []byte {
	t.Helper()
	f := m.In(outbound.TextFrame)
	r := bytes.NewReader(f)
	header, err := ws.ReadHeader(r)
	if err != nil {
		t.Fatalf("read header of %q: %v", f, err)
	}
	rest := f[len(f)-r.Len():]
	if want := (ws.Header{Fin: true, OpCode: ws.OpText, Length: int64(len(rest))}); header != want {
		t.Fatalf("header = %+v, want %+v", header, want)
	}
	if got, want := len(f)-len(rest), ws.HeaderSize(header); got != want {
		t.Fatalf("header of %d bytes, want the shortest, %d", got, want)
	}
	return rest
}

// mustID reads a socket id that the test has written down.
func mustID(tb testing.TB, s string) protocol.SocketID {
	tb.Helper()
	id, ok := protocol.ParseSocketID(s)
	if !ok {
		tb.Fatalf("ParseSocketID(%q) refused", s)
	}
	return id
}

// presenceSucceeded is the reply to a socket that came in when these users are there.
func presenceSucceeded(channel string, users ...protocol.RosterMember) outbound.Message {
	var ids, hash []byte
	for _, m := range users {
		ids, hash = protocol.AppendRosterRow(ids, hash, m)
	}
	return protocol.PresenceSucceededMessage(channel, len(users), ids, hash)
}

func goldenErrors() map[string]*protocol.Error {
	return map[string]*protocol.Error{
		"unknown_app":            protocol.ErrUnknownApp,
		"app_disabled":           protocol.ErrAppDisabled,
		"over_quota":             protocol.ErrOverQuota,
		"bad_version":            protocol.ErrBadVersion,
		"unsupported_version":    protocol.ErrUnsupportedVersion,
		"no_version":             protocol.ErrNoVersion,
		"origin_not_allowed":     protocol.ErrOriginNotAllowed,
		"unauthorized":           protocol.ErrUnauthorized,
		"not_member":             protocol.ErrNotMember,
		"over_capacity":          protocol.ErrOverCapacity,
		"invalid_format":         protocol.ErrInvalidFormat,
		"draining":               protocol.ErrDraining,
		"pong_timeout":           protocol.ErrPongTimeout,
		"client_events_disabled": protocol.ErrClientEventsDisabled,
		"rate_limit":             protocol.ErrRateLimit,
	}
}

func goldenMessages(t *testing.T) map[string]outbound.Message {
	t.Helper()
	client := protocol.ClientEvent{Event: []byte("client-test-message"), Data: []byte(`{ "a": [1.0, {}] }`)}
	silent := protocol.ClientEvent{Event: []byte("client-test-message"), Data: []byte(`null`)}
	forwarded := []byte(` {"event":"client-x", "user_id":"spoofed", "extra" : {"k": 1.0}, "data":"{\"a\":1}",` +
		`"channels":["other"], "channel":"other"} `)
	var decoded protocol.Message
	if err := protocol.Decode(forwarded, &decoded); err != nil {
		t.Fatal(err)
	}
	messages := map[string]outbound.Message{
		"connection_established":         protocol.ConnectionEstablishedMessage(mustID(t, "905761171.52956978"), 30),
		"pong":                           protocol.PongMessage(),
		"ping":                           protocol.PingMessage(),
		"subscription_succeeded":         protocol.SubscriptionSucceededMessage("test-channel"),
		"subscription_succeeded_unnamed": protocol.SubscriptionSucceededMessage(""),
		"presence_succeeded": presenceSucceeded("presence-room",
			protocol.RosterMember{ID: "1", IDRaw: []byte(`1`), Info: []byte(`{"name":"A"}`)}),
		"presence_succeeded_empty": presenceSucceeded("presence-room"),
		"presence_succeeded_mixed": presenceSucceeded("presence-room",
			protocol.RosterMember{ID: "0", IDRaw: []byte(`0`)},
			protocol.RosterMember{ID: "b/é", IDRaw: []byte(`"b/é"`), Info: []byte(`{"name":"<Zoë & \"co\">"}`)},
			protocol.RosterMember{ID: `q"`, IDRaw: []byte(`"q\""`), Info: []byte(`{}`)}),
		"subscription_error": protocol.SubscriptionErrorMessage("private-x", "AuthError",
			"The connection is unauthorized.", 401),
		"subscription_error_unnamed": protocol.SubscriptionErrorMessage("", "AuthError",
			"The connection is unauthorized.", 401),
		"refusal":             protocol.RefusalMessage(`Existing subscription to channel "a"`),
		"event_error":         protocol.EventErrorMessage(protocol.ErrRateLimit, "private-é"),
		"event_error_unnamed": protocol.EventErrorMessage(protocol.ErrInvalidFormat, ""),
		"cache_miss":          protocol.CacheMissMessage("cache-x"),
		"member_added": protocol.MemberAddedMessage("presence-room",
			[]byte(`{"user_id":2,"user_info":{"name":"Test User 2"}}`)),
		"member_added_anonymous": protocol.MemberAddedMessage("presence-room", []byte(`{}`)),
		"member_removed":         protocol.MemberRemovedMessage("presence-room", []byte(`3`)),
		"member_removed_text_id": protocol.MemberRemovedMessage("presence-room", []byte(`"a\"b"`)),
		"event":                  protocol.EventMessage(`App\Events\TestEvent`, "test-channel", `{"foo":"bar"}`, false),
		"event_batch":            protocol.EventMessage("NewEvent", "test-channel", `{"some":["data"]}`, true),
		"event_escapes": protocol.EventMessage("a/b <é> \"\\\b\f\n\r\t\x01", "",
			"'&' \xff \U0001F600\u2028\x7f", false),
		"client_event":           protocol.ClientEventMessage(&client, "private-room/é", nil),
		"client_event_user":      protocol.ClientEventMessage(&silent, "presence-room", []byte(`"1"`)),
		"client_event_forwarded": protocol.ForwardedMessage(forwarded, "room", decoded.Data, []byte(`7`)),
	}
	for name, e := range goldenErrors() {
		messages["error_"+name] = protocol.ErrorMessage(e, false)
		messages["error_"+name+"_object"] = protocol.ErrorMessage(e, true)
	}
	return messages
}

// TestGolden compares every outbound message with its file, byte for byte. The files are what
// Reverb puts on the wire, but with "/" and non-ASCII as they are and maps always objects.
func TestGolden(t *testing.T) {
	messages := goldenMessages(t)
	for name, message := range messages {
		t.Run(name, func(t *testing.T) {
			got := payload(t, message)
			file := filepath.Join("testdata", "golden", name+".json")
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if want := bytes.TrimSuffix(text, []byte("\n")); !bytes.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if !json.Valid(got) {
				t.Errorf("not JSON: %s", got)
			}
		})
	}
	files, err := filepath.Glob("testdata/golden/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); messages[name].IsZero() {
			t.Errorf("%s: no message of that name", file)
		}
	}
}
