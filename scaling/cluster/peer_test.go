package cluster_test

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/cluster"
)

// soon bounds what a test waits for. Everything takes milliseconds, but for a machine that is busy.
const soon = 20 * time.Second

// peer is a relay and a Handler that notes what it is given. It knows channels as the hub does: held or not, with a roster and an event.
type peer struct {
	relay *cluster.Relay
	t     testing.TB

	mu sync.Mutex
	// Guarded by mu.
	got         map[string][]string // payloads by channel, as delivered while held
	excepts     []protocol.SocketID
	subscribers map[string]int
	held        map[string]bool
	cached      map[string]string
	ofClient    map[string]bool // of cached
	terminated  []string
	members     map[string][]*protocol.MemberData
	answering   func(scaling.Query) scaling.Answer // nil: of what is known here
	calls       []string                           // Hold and Release
	gate        chan struct{}                      // not nil: Deliver waits until it is closed
}

func peerOptions(s *redistest.Server) cluster.Options {
	return cluster.Options{
		Redis:  bus.Options{Addrs: []string{s.Addr}, Settle: 50 * time.Millisecond},
		Beat:   50 * time.Millisecond,
		Lease:  500 * time.Millisecond,
		Linger: 200 * time.Millisecond,

		QueryTimeout: soon,
	}
}

// startPeer starts a node that ends with the test.
func startPeer(t testing.TB, o cluster.Options) *peer {
	t.Helper()
	r, err := cluster.New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	n := newPeer(t, r)
	if err := r.Start(n); err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(r.Close)
	return n
}

func newPeer(t testing.TB, r *cluster.Relay) *peer {
	return &peer{
		t: t, relay: r, got: make(map[string][]string), subscribers: make(map[string]int), held: make(map[string]bool),
		cached: make(map[string]string), ofClient: make(map[string]bool), members: make(map[string][]*protocol.MemberData),
	}
}

func (n *peer) Deliver(m scaling.Message) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if gate := n.gate; gate != nil {
		n.mu.Unlock()
		<-gate
		n.mu.Lock()
	}
	if !n.held[m.Channel] {
		return nil
	}
	n.got[m.Channel] = append(n.got[m.Channel], string(m.Payload.JSON()))
	n.excepts = append(n.excepts, m.Except)
	if m.Cache && protocol.KindOf(m.Channel).IsCache() && (!m.Client || n.subscribers[m.Channel] > 0) {
		n.cached[m.Channel] = string(m.Payload.JSON())
		n.ofClient[m.Channel] = m.Client
	}
	return nil
}

func (n *peer) Terminate(app, userID string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.terminated = append(n.terminated, app+" "+userID)
}

func (n *peer) Hold(_, channel string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held[channel] {
		n.t.Errorf("%s is held twice", channel)
	}
	n.held[channel] = true
	n.calls = append(n.calls, "hold "+channel)
}

func (n *peer) Release(_, channel string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.held[channel] {
		n.t.Errorf("%s is released and was not held", channel)
	}
	delete(n.held, channel)
	delete(n.cached, channel)
	delete(n.members, channel)
	n.calls = append(n.calls, "release "+channel)
}

func (n *peer) MemberAdded(_, channel string, m *protocol.MemberData) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.members[channel] = append(slices.Clip(n.members[channel]), m)
}

func (n *peer) MemberRemoved(_, channel, userID string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.members[channel] = slices.DeleteFunc(slices.Clone(n.members[channel]), func(m *protocol.MemberData) bool { return m.UserID == userID })
}

func (n *peer) Cached(_, channel string, event outbound.Message, client bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.held[channel] {
		n.t.Errorf("%s gets a cached event and is not held", channel)
	}
	if event.IsZero() {
		delete(n.cached, channel)
		return
	}
	n.cached[channel], n.ofClient[channel] = string(event.JSON()), client
}

func (n *peer) Roster(_, channel string) []*protocol.MemberData {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.members[channel]
}

func (n *peer) Connections() map[string]int { return map[string]int{"app": 3} }

func (n *peer) Answer(q scaling.Query) scaling.Answer {
	n.mu.Lock()
	answering := n.answering
	n.mu.Unlock()
	if answering != nil {
		return answering(q)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	a := scaling.Answer{Connections: 3}
	for _, channel := range slices.Sorted(maps.Keys(n.subscribers)) {
		info := scaling.ChannelInfo{Name: channel, Subscriptions: n.subscribers[channel], Users: len(n.members[channel])}
		if event, ok := n.cached[channel]; ok {
			info.Cache, info.ClientCache = []byte(event), n.ofClient[channel]
		}
		a.Channels = append(a.Channels, info)
	}
	return a
}

// subscribe joins and waits until that is done.
func (n *peer) subscribe(channel string) {
	n.t.Helper()
	done := make(chan error, 2)
	n.relay.Join(scaling.Join{App: "app", Channel: channel, Kind: protocol.KindOf(channel)}, func(err error) { done <- err })
	select {
	case err := <-done:
		if err != nil {
			n.t.Fatalf("join %s: %v", channel, err)
		}
	case <-time.After(soon):
		n.t.Fatalf("join %s: not done", channel)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.held[channel] {
		n.t.Errorf("%s is joined and not held", channel)
	}
	n.subscribers[channel]++
}

func (n *peer) unsubscribe(channel string) {
	n.mu.Lock()
	if n.subscribers[channel]--; n.subscribers[channel] == 0 {
		delete(n.subscribers, channel)
		if n.ofClient[channel] {
			delete(n.cached, channel)
		}
	}
	n.mu.Unlock()
	n.relay.Leave(scaling.Leave{App: "app", Channel: channel, Kind: protocol.KindOf(channel)})
}

func (n *peer) publish(channel, payload string) {
	n.t.Helper()
	if err := n.relay.Publish(eventOf(channel, payload)); err != nil {
		n.t.Errorf("publish %s to %s: %v", payload, channel, err)
	}
}

func eventOf(channel, payload string) scaling.Message {
	return scaling.Message{App: "app", Channel: channel, Payload: outbound.New(payload), Cache: true}
}

func (n *peer) received(channel string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.got[channel])
}

func (n *peer) lastEvent(channel string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cached[channel]
}

// expect waits until the channel got exactly these payloads.
func (n *peer) expect(channel string, want ...string) {
	n.t.Helper()
	if !redistest.Eventually(soon, func() bool { return len(n.received(channel)) >= len(want) }) || !slices.Equal(n.received(channel), want) {
		n.t.Errorf("%s got %v, want %v", channel, n.received(channel), want)
	}
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !redistest.Eventually(soon, ok) {
		t.Fatalf("not in time: %s", what)
	}
}

// listen subscribes to a Redis channel, as redis-cli does, until the test ends.
func listen(t testing.TB, s *redistest.Server, channel string) {
	t.Helper()
	before := s.Subscribers(channel)
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := fmt.Fprintf(c, "SUBSCRIBE %s\r\n", channel); err != nil {
		t.Fatal(err)
	}
	await(t, "subscribed", func() bool { return s.Subscribers(channel) == before+1 })
}
