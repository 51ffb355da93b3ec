package cluster

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/cluster/roster"
	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

// nobody is a Handler that does nothing, at once.
type nobody struct{ delivered int }

func (n *nobody) Deliver(scaling.Message) error                     { n.delivered++; return nil }
func (*nobody) Terminate(_, _ string)                               {}
func (*nobody) Hold(_, _ string)                                    {}
func (*nobody) Release(_, _ string)                                 {}
func (*nobody) MemberAdded(_, _ string, _ *protocol.MemberData)     {}
func (*nobody) MemberRemoved(_, _, _ string)                        {}
func (*nobody) Cached(_, _ string, _ outbound.Message, _ bool)      {}
func (*nobody) Roster(_, _ string) (members []*protocol.MemberData) { return nil }
func (*nobody) Answer(scaling.Query) (a scaling.Answer)             { return a }
func (*nobody) Connections() map[string]int                         { return nil }

// relayOf is a relay that holds a channel and has no Redis.
func relayOf(t testing.TB, h scaling.Handler, channel string) (r *Relay, name string) {
	t.Helper()
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.handler = h
	name = r.names.events("app", channel)
	r.interests.acquire(name, func() *interest {
		return &interest{app: "app", channel: channel, name: name, kind: protocol.KindOf(channel), held: true}
	}, func(*interest) {}, nil)
	return r, name
}

func received(t testing.TB) event {
	return event{node: testNode, except: socketID(t, "123456789.987654321"), payload: outbound.New(make([]byte, 200))}
}

func TestReceivingAllocatesNothing(t *testing.T) {
	h := &nobody{}
	r, name := relayOf(t, h, "private-room")
	e, buffer := received(t), make([]byte, 0, 300)
	allocations := testing.AllocsPerRun(1000, func() {
		e.seq++
		r.receive(name, appendEvent(buffer, e))
	})
	if allocations != 0 || h.delivered < 1000 || r.counters.lost.Load() != 0 {
		t.Errorf("%v allocations for each of %d messages, want none; lost %d", allocations, h.delivered, r.counters.lost.Load())
	}
}

// lonely is a bus without Redis: what is published is dropped when the small buffer is full.
func lonely(t testing.TB) *bus.Bus {
	t.Helper()
	b, err := bus.Open(bus.Options{Addrs: []string{"127.0.0.1:1"}, BufferBytes: 1 << 10}, bus.Hooks{Up: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// TestPublishingAllocatesTheEnvelope: one piece of memory for the message, which goes to Redis as it is.
func TestPublishingAllocatesTheEnvelope(t *testing.T) {
	r, _ := relayOf(t, &nobody{}, "private-room")
	r.bus = lonely(t)
	m := scaling.Message{App: "app", Channel: "private-room", Payload: outbound.New(make([]byte, 200)), Cache: true}
	for r.Publish(m) == nil { // until the buffer is full: how the bus keeps messages is not measured here
		continue
	}
	if allocations := testing.AllocsPerRun(1000, func() { _ = r.Publish(m) }); allocations > 1 {
		t.Errorf("%v allocations, want 1", allocations)
	}
}

func BenchmarkReceive(b *testing.B) {
	r, name := relayOf(b, &nobody{}, "private-room")
	e, buffer := received(b), make([]byte, 0, 300)
	b.ReportAllocs()
	for b.Loop() {
		e.seq++
		r.receive(name, appendEvent(buffer, e))
	}
}

// BenchmarkDelivery is an event of another node from the bytes of Redis to the frame that a client is sent.
func BenchmarkDelivery(b *testing.B) {
	hub := channels.NewHub(channels.Options{})
	defer hub.Close()
	s := server.New(server.Options{
		Config: &config.Config{
			Apps:   config.Apps{config.NewApp("app", "key", "secret")},
			Server: config.Server{Limits: config.Limits{MaxMessageSize: 1 << 20, MaxSubscriptions: 100}},
		},
		Hub: hub, Relay: scaling.NewLocal(), Metrics: metrics.New("test"), Log: slog.New(slog.DiscardHandler),
	})
	client := s.Open(transporttest.Discard{}, &transport.Request{Path: "/app/key"})
	client.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"room"}}`), false)
	r, name := relayOf(b, s.Node(), "room")
	e := received(b)
	b.ReportAllocs()
	for b.Loop() {
		e.seq++
		r.receive(name, appendEvent(make([]byte, 0, 300), e))
	}
}

func BenchmarkPublish(b *testing.B) {
	r, _ := relayOf(b, &nobody{}, "private-room")
	r.bus = lonely(b)
	m := scaling.Message{App: "app", Channel: "private-room", Payload: outbound.New(make([]byte, 200)), Cache: true}
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Publish(m)
	}
}

func BenchmarkLanes(b *testing.B) {
	h := &nobody{}
	r, name := relayOf(b, h, "private-room")
	ls := newLanes(2, 1<<30, r.receive, func(string) { b.Error("dropped") })
	e := received(b)
	b.ReportAllocs()
	for b.Loop() {
		e.seq++
		ls.message(name, appendEvent(make([]byte, 0, 300), e))
	}
	ls.close()
}

// BenchmarkDelta is what a join and a leave of another node cost this one.
func BenchmarkDelta(b *testing.B) {
	r, name := relayOf(b, &nobody{}, "presence-room")
	r.bus = lonely(b)
	p := newPresence(r.bus, r.names, r.handler, r.node, newLanes(1, 1<<20, nil, nil), r.trouble, r.opts)
	defer p.lanes.close()
	c := p.view("app", "presence-room", name)
	at := roster.Moment{Now: time.Now(), Node: "n", Alive: true, Online: true}
	c.view.Step(roster.Open{}, at)
	c.view.Step(roster.Fetched{To: roster.Fetch{Node: "n"}}, at)
	version := 0
	b.ReportAllocs()
	for b.Loop() {
		version++
		p.delta(name, fmt.Appendf(nil, `+g1 %d {"user_id":"u1","user_info":{"name":"Mr u1"}}`, version))
		version++
		p.delta(name, fmt.Appendf(nil, "-g1 %d u1", version))
	}
}
