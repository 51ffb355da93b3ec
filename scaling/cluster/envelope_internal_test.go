package cluster

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
)

var (
	testNode  = nodeID{0, 1, 2, 3, 4, 5, 6, 7}
	otherNode = nodeID{15, 14, 13, 12, 11, 10, 9, 8}
)

func socketID(t testing.TB, s string) protocol.SocketID {
	t.Helper()
	id, ok := protocol.ParseSocketID(s)
	if !ok {
		t.Fatalf("%q is no socket id", s)
	}
	return id
}

// examples are one of each message, by the name of its golden file.
func examples(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"event": appendEvent(nil, event{node: testNode, seq: 1, payload: outbound.New(`{"event":"e","channel":"room"}`)}),
		"event_except": appendEvent(nil, event{
			node: testNode, seq: 300, first: true, cache: true, except: socketID(t, "12.4294967295"), payload: outbound.New(`{}`),
		}),
		"question": encodeQuestion(question{node: testNode, id: 5,
			query: scaling.Query{Of: scaling.QueryChannels, App: "app", Prefix: "presence-"}}),
		"question_names": encodeQuestion(question{node: testNode, id: 6,
			query: scaling.Query{Of: scaling.QueryChannels, App: "app", Names: []string{"a", "b"}}}),
		"question_no_names": encodeQuestion(question{node: testNode, id: 7,
			query: scaling.Query{Of: scaling.QueryUsers, App: "app", Names: []string{}, Channel: "presence-room"}}),
		"answer": encodeReply(reply{node: testNode, id: 5, answer: scaling.Answer{
			Connections: 1000,
			Channels: []scaling.ChannelInfo{
				{Name: "cache-a", Subscriptions: 2, Cache: []byte(`{"event":"e"}`)},
				{Name: "presence-b", Subscriptions: 300, Users: 299, Anonymous: true},
			},
			Users: []protocol.RosterMember{{ID: "1", IDRaw: []byte(`1`)}, {ID: "x", IDRaw: []byte(`"x"`), Info: []byte(`{"n":1}`)}},
		}}),
		"answer_too_big": encodeReply(reply{node: testNode, id: 5, tooBig: true}),
		"terminate":      encodeTerminate(testNode, "app", "user 7"),
	}
}

// TestGolden keeps the bytes: nodes of two releases work together while a site is updated.
func TestGolden(t *testing.T) {
	for name, got := range examples(t) {
		path := filepath.Join("testdata", name+".hex")
		text := strings.Join(strings.Fields(hex.Dump(got)), " ")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, []byte(hex.Dump(got)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if text != strings.Join(strings.Fields(string(want)), " ") {
			t.Errorf("%s:\n%swant:\n%s", name, hex.Dump(got), want)
		}
	}
	if deltaHeader[0] != kindDelta || deltaHeader[1] != version {
		t.Errorf("deltaHeader %x", deltaHeader)
	}
}

// again decodes a message and encodes what came out.
func again(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return nil, false
	}
	switch b[0] {
	case kindEvent:
		e, ok := decodeEvent(bytes.Clone(b)) // it takes it over
		return appendEvent(nil, e), ok
	case kindQuery:
		q, ok := decodeQuestion(b)
		return encodeQuestion(q), ok
	case kindAnswer:
		a, ok := decodeReply(b)
		return encodeReply(a), ok
	case kindTerminate:
		node, app, user, ok := decodeTerminate(b)
		return encodeTerminate(node, app, user), ok
	}
	return nil, false
}

func TestRoundTrip(t *testing.T) {
	for name, b := range examples(t) {
		if got, ok := again(b); !ok || !bytes.Equal(got, b) {
			t.Errorf("%s: %v %x, want %x", name, ok, got, b)
		}
	}
}

// TestCut cuts every message at every byte: only an event may be shorter, by what its payload is.
func TestCut(t *testing.T) {
	for name, b := range examples(t) {
		least := len(b)
		if e, ok := decodeEvent(bytes.Clone(b)); ok {
			least -= len(e.payload.JSON())
		}
		for n := range least {
			if _, ok := again(b[:n]); ok {
				t.Errorf("%s: %d of %d bytes were taken", name, n, len(b))
			}
		}
	}
}

func TestOtherVersion(t *testing.T) {
	for name, b := range examples(t) {
		b[1]++
		if _, ok := again(b); ok {
			t.Errorf("%s of another version was taken", name)
		}
	}
}

func TestAnswerTooBig(t *testing.T) {
	b := encodeReply(reply{node: testNode, id: 9, answer: scaling.Answer{
		Channels: []scaling.ChannelInfo{{Name: "cache", Cache: make([]byte, maxAnswer)}},
	}})
	a, ok := decodeReply(b)
	if !ok || !a.tooBig || a.id != 9 || a.answer.Channels != nil || len(b) > 32 {
		t.Errorf("%d bytes: %v %+v", len(b), ok, a)
	}
}

func TestAnswerOutOfOrder(t *testing.T) {
	b := encodeReply(reply{node: testNode, answer: scaling.Answer{Channels: []scaling.ChannelInfo{{Name: "b"}, {Name: "a"}}}})
	if _, ok := decodeReply(b); ok {
		t.Error("channels out of order were taken; Merge needs them by name")
	}
}

// FuzzDecode takes any bytes: nothing may panic, and what is taken means the same when it is written and read again.
func FuzzDecode(f *testing.F) {
	for _, b := range examples(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		written, ok := again(b)
		if !ok {
			return
		}
		twice, ok := again(written)
		if !ok || !reflect.DeepEqual(written, twice) {
			t.Errorf("%x: written %x, read and written again %v %x", b, written, ok, twice)
		}
	})
}

func TestNames(t *testing.T) {
	n := names{"reverb"}
	seen := make(map[string]string)
	for _, app := range []string{"app", "a/b", "a", "a%2Fb", "node", "nodes", "all"} {
		for _, channel := range []string{"room", "b/room", "", "x}y", "x}", "{x}", "a}:m"} {
			name := n.events(app, channel)
			if before, ok := seen[name]; ok {
				t.Errorf("%q of app %q channel %q is that of %s, too", name, app, channel, before)
			}
			seen[name] = app + " " + channel
		}
	}
	for _, ours := range []string{n.all(), n.nodes(), n.node(testNode.String())} {
		if of, ok := seen[ours]; ok {
			t.Errorf("%q is that of %s, too", ours, of)
		}
	}
	if got, want := n.events("app", "room"), "reverb:{app/room}"; got != want {
		t.Errorf("events: %q, want %q", got, want)
	}
	if got, want := n.node(testNode.String()), "reverb:{node:0001020304050607}"; got != want {
		t.Errorf("node: %q, want %q", got, want)
	}
}

func TestIdentity(t *testing.T) {
	n := newIdentity()
	process, first := n.process, n.id()
	second := n.renew()
	if first == second || n.id() != second || n.process != process || process == first || len(second.String()) != 16 {
		t.Errorf("process %v, first %v, then %v: now %v of %v", process, first, second, n.id(), n.process)
	}
}
