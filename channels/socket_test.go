package channels_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"reverb/channels"
	"reverb/outbound"
	"reverb/protocol"
)

const app = "app"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// socket is a Subscriber that notes what it is sent.
type socket struct {
	id   protocol.SocketID
	line bool          // it takes lines, not text frames
	hold chan struct{} // if not nil, Send waits for it: a pass that stands still, which no real socket does

	mu    sync.Mutex
	sends int
	got   []string // payloads
}

func newSocket() *socket { return &socket{id: protocol.NewSocketID()} }

// newSocketOf is one of many sockets, which take text frames and lines in turn.
func newSocketOf(i int) *socket {
	s := newSocket()
	s.line = i%2 == 1
	return s
}

func newSockets(n int) []*socket {
	all := make([]*socket, n)
	for i := range all {
		all[i] = newSocket()
	}
	return all
}

func (s *socket) SocketID() protocol.SocketID { return s.id }

// lines is an encoding beside text frames: each message is a line, as of a stream over HTTP.
var lines = outbound.NewEncoding(func(dst, json []byte) []byte { return append(append(dst, json...), '\n') })

func (s *socket) Encoding() *outbound.Encoding {
	if s.line {
		return lines
	}
	return outbound.TextFrame
}

func (s *socket) Send(encoded []byte) {
	if s.hold != nil {
		<-s.hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sends++
	if s.line {
		s.got = append(s.got, strings.Split(strings.TrimSuffix(string(encoded), "\n"), "\n")...)
		return
	}
	s.got = append(s.got, payloads(encoded)...)
}

func (s *socket) Answer(encoded []byte) { s.Send(encoded) }

// take returns what came since the last take.
func (s *socket) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// payloads are the texts of the WebSocket frames in f.
func payloads(f []byte) []string {
	var texts []string
	for len(f) > 0 {
		n, head := int(f[1]), 2
		switch n {
		case 126:
			n, head = int(binary.BigEndian.Uint16(f[2:])), 4
		case 127:
			n, head = int(binary.BigEndian.Uint64(f[2:])), 10
		}
		texts = append(texts, string(f[head:head+n]))
		f = f[head+n:]
	}
	return texts
}

// discard is a Subscriber that costs nothing.
type discard struct{ id protocol.SocketID }

func (d *discard) SocketID() protocol.SocketID  { return d.id }
func (d *discard) Encoding() *outbound.Encoding { return outbound.TextFrame }
func (d *discard) Send([]byte)                  {}
func (d *discard) Answer([]byte)                {}

func newHub(tb testing.TB, o channels.Options) *channels.Hub {
	tb.Helper()
	h := channels.NewHub(o)
	tb.Cleanup(h.Close)
	return h
}

func join(tb testing.TB, h *channels.Hub, name string, s channels.Subscriber, data string) *channels.Subscription {
	tb.Helper()
	return rejoin(tb, h, name, s, nil, data)
}

func rejoin(tb testing.TB, h *channels.Hub, name string, s channels.Subscriber, old *channels.Subscription, data string) *channels.Subscription {
	tb.Helper()
	sub, err := h.Subscribe(app, name, s, old, options(tb, name, data))
	if err != nil {
		tb.Fatalf("Subscribe(%s): %v", name, err)
	}
	return sub
}

func options(tb testing.TB, name, data string) channels.JoinOptions {
	tb.Helper()
	o := channels.JoinOptions{Kind: protocol.KindOf(name)}
	if data != "" {
		d, err := protocol.ParseMemberData(data)
		if err != nil {
			tb.Fatalf("ParseMemberData(%s): %v", data, err)
		}
		o.Data = &d
	}
	return o
}

// say publishes text as a frame.
func say(tb testing.TB, h *channels.Hub, name, text string, except *socket) {
	tb.Helper()
	var id protocol.SocketID
	if except != nil {
		id = except.id
	}
	exists, err := h.Broadcast(app, name, channels.Event{Message: outbound.New(text), Except: id, Cache: true})
	if err != nil || !exists {
		tb.Fatalf("Broadcast(%s, %s): %v, %v", name, text, exists, err)
	}
}

func wantGot(tb testing.TB, who string, s *socket, want ...string) {
	tb.Helper()
	if got := s.take(); !slices.Equal(got, want) {
		tb.Errorf("%s got\n%q, want\n%q", who, got, want)
	}
}

func succeeded(name string) string {
	return fmt.Sprintf(`{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":%q}`, name)
}

func present(presence string) string {
	return internal("subscription_succeeded", room, `{"presence":`+presence+`}`)
}

func added(name, data string) string { return internal("member_added", name, data) }
func removed(name, data string) string {
	return internal("member_removed", name, `{"user_id":`+data+`}`)
}

func internal(event, name, data string) string {
	quoted, _ := json.Marshal(data)
	return fmt.Sprintf(`{"event":"pusher_internal:%s","data":%s,"channel":%q}`, event, quoted, name)
}

func miss(name string) string { return fmt.Sprintf(`{"event":"pusher:cache_miss","channel":%q}`, name) }

func check(tb testing.TB, h *channels.Hub) {
	tb.Helper()
	if err := h.ConsistencyCheck(); err != nil {
		tb.Errorf("ConsistencyCheck: %v", err)
	}
}
