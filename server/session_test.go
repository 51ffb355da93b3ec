package server_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

func TestMessages(t *testing.T) {
	deep := strings.Repeat("[", 600) + strings.Repeat("]", 600)
	tests := []struct {
		name, message string
		want          []string
	}{
		{"ping", `{"event":"pusher:ping"}`, []string{pong}},
		{"ping with empty data", `{"event":"pusher:ping","data":{}}`, []string{pong}},
		{"ping with text data", `{"event":"pusher:ping","data":"{}"}`, []string{pong}},
		{"ping with a scalar", `{"event":"pusher:ping","data":"hello"}`, []string{invalid}},
		{"pong", `{"event":"pusher:pong","data":{}}`, nil},
		{"established from the client", `{"event":"pusher:connection_established"}`, []string{invalid}},
		{"signin", `{"event":"pusher:signin","data":{"auth":"x","user_data":"{}"}}`, []string{invalid}},
		{"unknown", `{"event":"pusher:what"}`, []string{invalid}},
		{"only the prefix", `{"event":"pusher:"}`, []string{invalid}},
		{"prefix twice", `{"event":"pusher:pusher:ping"}`, []string{invalid}},
		{"another case", `{"event":"pusher:Ping"}`, []string{invalid}},
		{"no JSON", `Hi`, []string{invalid}},
		{"empty", ``, []string{invalid}},
		{"null", `null`, []string{invalid}},
		{"array", `[]`, []string{invalid}},
		{"object", `{}`, []string{invalid}},
		{"event an array", `{"event":[]}`, []string{invalid}},
		{"event blank", `{"event":" "}`, []string{invalid}},
		{"trailing comma", `{"event":"pusher:ping",}`, []string{invalid}},
		{"mark", "\ufeff" + `{"event":"pusher:ping"}`, []string{invalid}},
		{"lone surrogate", `{"event":"\ud800"}`, []string{invalid}},
		{"deep", `{"event":"pusher:ping","data":` + deep + `}`, []string{invalid}},
		{"not a client event", `{"event":"other","channel":"room","data":{}}`, nil},
		{"not a client event, malformed", `{"event":"other"}`, []string{invalid}},
	}
	withApp(t, appWith(nil), func(n *node) {
		c := n.connect()
		refused := 0
		for _, tt := range tests {
			t.Log(tt.name)
			if len(tt.want) == 1 && tt.want[0] == invalid {
				refused++
			}
			c.say(tt.message)
			c.expect(tt.want...)
		}
		c.recv.Message([]byte(`{"event":"pusher:ping"}`), true) // binary is as good as text
		c.expect(pong)
		if got := c.closed(); got != "" {
			t.Errorf("closed: %s", got)
		}
		if got := n.metric(`reverb_messages_invalid_total{app="1",code="4200"}`); got != strconv.Itoa(refused) {
			t.Errorf("invalid %q, want %d", got, refused)
		}
		c.leave()
		if got := n.metric(`reverb_connections_closed_total{app="1",reason="hangup"}`); got != "1" {
			t.Errorf("closed by hang-up %q, want 1", got)
		}
		if got := n.metric(`reverb_connections{app="1"}`); got != "0" {
			t.Errorf("connections %q, want 0", got)
		}
	})
}

// recorder is a Trace that keeps what it is told.
type recorder struct {
	mu    sync.Mutex
	calls []string
}

func (r *recorder) add(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, s)
}

func (r *recorder) told() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.calls, "\n")
}

func (r *recorder) Established(string)                { r.add("established") }
func (r *recorder) MessageReceived(string, []byte)    { r.add("received") }
func (r *recorder) MessageHandled(string)             { r.add("handled") }
func (r *recorder) ControlFrame(string)               { r.add("control") }
func (r *recorder) BroadcastingTo(c string, p []byte) { r.add("to " + c + " " + string(p)) }
func (r *recorder) PruningStale()                     { r.add("pruning") }
func (r *recorder) PingingInactive()                  { r.add("pinging") }
func (r *recorder) Pinged(string)                     { r.add("pinged") }
func (r *recorder) Pruned(string)                     { r.add("pruned") }
func (r *recorder) Closed(string)                     { r.add("closed") }
func (r *recorder) Error(_ string, err error)         { r.add("error " + err.Error()) }

func TestTrace(t *testing.T) {
	var trace recorder
	n := newNode(t, configured(appWith(nil)), &trace)
	defer n.stop()
	s := n.Open(new(transporttest.Conn), &transport.Request{Path: "/app/key"})
	s.Message([]byte(`{"event":"pusher:ping"}`), false)
	s.Message([]byte(`?`), false)
	s.Control(transport.ControlPing)
	n.publish(server.Publication{Event: "e", Data: "d", Channels: []string{"nobody"}})
	s.Closed(transport.ReasonHangup)
	n.Open(new(transporttest.Conn), &transport.Request{Path: "/app/none"}).Closed(transport.ReasonServerClose)
	want := []string{
		"established", "received", "handled", "received", "error Invalid message format (4200)", "control",
		`to nobody {"event":"e","data":"d","channel":"nobody"}`, "closed", "closed",
	}
	if got := trace.told(); got != strings.Join(want, "\n") {
		t.Errorf("got %s", got)
	}
}

// A million idle connections are a million of these.
func TestSessionSize(t *testing.T) {
	if got := unsafe.Sizeof(server.Session{}); got > 112 {
		t.Errorf("a session has %d bytes, want at most 112", got)
	}
}

func TestAllocations(t *testing.T) {
	n := newNode(t, configured(appWith(nil)), nil)
	defer n.stop()
	open := func() transport.Receiver {
		s := n.Open(transporttest.Discard{}, &transport.Request{Path: "/app/key"})
		s.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"room"}}`), false)
		return s
	}
	a, b := open(), open()
	defer a.Closed(transport.ReasonHangup)
	defer b.Closed(transport.ReasonHangup)
	tests := []struct {
		name, message string
		max           float64
	}{
		{"ping", `{"event":"pusher:ping","data":{}}`, 0},
		{"pong", `{"event":"pusher:pong","data":{}}`, 0},
		{"refused", `nonsense`, 0},
		{"client event", `{"event":"client-typing","channel":"room","data":{"user":"Joe"}}`, 4}, // two names, the event, its frame
	}
	for _, tt := range tests {
		payload := []byte(tt.message)
		if got := testing.AllocsPerRun(500, func() { a.Message(payload, false) }); got > tt.max {
			t.Errorf("%s: %v allocations, want at most %v", tt.name, got, tt.max)
		}
	}
}

// Sessions are ended from everywhere while they handle messages; every subscription is given back once.
func TestEndWhileBusy(t *testing.T) {
	n := newNode(t, configured(appWith(nil)), nil)
	defer n.stop()
	var all sync.WaitGroup
	for range 200 {
		s := n.Open(transporttest.Discard{}, &transport.Request{Path: "/app/key"})
		all.Go(func() {
			for _, channel := range []string{"a", "b", "c", "d"} {
				s.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"`+channel+`"}}`), false)
			}
			s.Closed(transport.ReasonHangup)
		})
	}
	for range 2 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			n.Drain(ctx)
		})
	}
	all.Wait()
	if got := n.hub.Stats(); got.Subscriptions != 0 || got.Channels != 0 {
		t.Errorf("left behind: %+v", got)
	}
	if got, _ := n.ConnectionCount(t.Context(), n.App("1")); got != 0 || n.SessionsForTest() != 0 {
		t.Errorf("%d connections, %d sessions are left", got, n.SessionsForTest())
	}
}

// panicky is a connection whose Send panics.
type panicky struct{ transporttest.Discard }

func (p panicky) Answer(frame []byte) { p.Send(frame) }

func (panicky) Send(frame []byte) {
	if strings.Contains(string(frame), "pong") {
		panic("boom")
	}
}

// A transport survives a panic and calls Closed; no subscription may stay behind.
func TestClosedAfterPanic(t *testing.T) {
	n := newNode(t, configured(appWith(nil)), nil)
	defer n.stop()
	s := n.Open(panicky{}, &transport.Request{Path: "/app/key"})
	s.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"room"}}`), false)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		s.Message([]byte(`{"event":"pusher:ping"}`), false)
	}()
	s.Closed(transport.ReasonPanic)
	if n.hub.Occupied("1", "room") || n.SessionsForTest() != 0 {
		t.Error("something is left of the session")
	}
}
