package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/outbound"
	"reverb/scaling"
)

const occupantsKey = "reverb:{app/cache-room}:o"

// whisper publishes a client's event.
func (n *peer) whisper(channel, payload string) {
	n.t.Helper()
	m := eventOf(channel, payload)
	m.Client = true
	if err := n.relay.Publish(m); err != nil {
		n.t.Errorf("whisper %s to %s: %v", payload, channel, err)
	}
}

// finds is what a subscriber that comes now is told.
func (n *peer) finds(want string) {
	n.t.Helper()
	n.subscribe("cache-room")
	if got := n.lastEvent("cache-room"); got != want {
		n.t.Errorf("a new subscriber is told %q, want %q", got, want)
	}
	n.unsubscribe("cache-room")
}

func isEmpty(t *testing.T, s *redistest.Server) {
	t.Helper()
	await(t, "nothing in redis", func() bool { return s.Do("EXISTS", cacheKey, occupantsKey) == int64(0) })
}

// A client's event is kept as long as somebody is in the channel, on whatever node, and not a moment longer.
func TestClientEventIsKeptWhileTheChannelIsOccupied(t *testing.T) {
	s := redistest.Start(t)
	o := peerOptions(s)
	o.Linger = time.Hour // what lingers is nobody
	a, b, c := startPeer(t, o), startPeer(t, o), startPeer(t, o)
	a.subscribe("cache-room")
	b.subscribe("cache-room")
	a.whisper("cache-room", "w")
	b.remembers("w")
	a.unsubscribe("cache-room") // at once: b may not have said yet that it is there
	await(t, "kept for b", func() bool { return s.Do("GET", cacheKey) == "\x01w" })
	c.finds("w")
	a.finds("w")
	b.unsubscribe("cache-room")
	isEmpty(t, s)
	for _, n := range []*peer{a, b, c} {
		n.finds("")
	}
	isEmpty(t, s)
}

// Nobody can make Redis keep anything by whispering to channels that nobody is in.
func TestClientEventForNobodyIsNotKept(t *testing.T) {
	s := redistest.Start(t)
	o := peerOptions(s)
	o.Linger = time.Hour
	a, b := startPeer(t, o), startPeer(t, o)
	a.subscribe("room")
	a.whisper("cache-room", "1")
	a.subscribe("cache-room")
	a.unsubscribe("cache-room")
	a.whisper("cache-room", "2")
	b.whisper("cache-room", "3")
	a.publish("room", "end") // behind all that
	b.publish("room", "end")
	await(t, "all published", func() bool { return len(a.received("room")) == 2 && a.relay.Counts().Received == 2 })
	if n := s.Do("EXISTS", cacheKey, occupantsKey); n != int64(0) {
		t.Errorf("%v keys are kept", n)
	}
	b.finds("")
	a.finds("")
}

// Somebody who is not in the channel whispers to it: it is kept, for somebody else is.
func TestClientEventOfAnOutsiderIsKept(t *testing.T) {
	s := redistest.Start(t)
	a, b, c := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	b.subscribe("cache-room")
	a.whisper("cache-room", "from outside")
	await(t, "kept", func() bool { return s.Do("GET", cacheKey) == "\x01from outside" })
	c.finds("from outside")
	b.unsubscribe("cache-room")
	isEmpty(t, s)
}

// An event of the application takes the place of a client's event and stays, as before.
func TestApplicationEventAfterAClients(t *testing.T) {
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	a.subscribe("cache-room")
	a.whisper("cache-room", "w")
	a.publish("cache-room", "e")
	a.unsubscribe("cache-room")
	b.subscribe("cache-room") // maybe before Redis has any of that
	await(t, "told", func() bool { return b.lastEvent("cache-room") == "e" })
	b.unsubscribe("cache-room")
	await(t, "nobody vouches", func() bool { return s.Do("EXISTS", occupantsKey) == int64(0) })
	if got := s.Do("GET", cacheKey); got != "e" {
		t.Errorf("kept %q, want e", got)
	}
	b.finds("e")
}

// The word of a node that is gone ends by itself, and nobody is told the event in between.
func TestClientEventOfADeadNode(t *testing.T) {
	s := redistest.Start(t)
	o := peerOptions(s)
	o.Vouch = 300 * time.Millisecond
	a := startPeer(t, o)
	a.subscribe("cache-room")
	a.whisper("cache-room", "w")
	await(t, "kept", func() bool { return s.Do("GET", cacheKey) == "\x01w" })
	late := time.Now().Add(2 * o.Vouch)
	await(t, "kept on", func() bool { return time.Now().After(late) })
	startPeer(t, o).finds("w")
	a.relay.Close() // without a Leave
	isEmpty(t, s)
	startPeer(t, o).finds("")
}

// Redis comes back empty: the node with somebody in the channel gives the event back.
func TestClientEventSurvivesRedis(t *testing.T) {
	s := redistest.Start(t)
	a := startPeer(t, peerOptions(s))
	a.subscribe("cache-room")
	a.whisper("cache-room", "w")
	await(t, "kept", func() bool { return s.Do("GET", cacheKey) == "\x01w" })
	s.Restart()
	await(t, "given back", func() bool { return s.Do("GET", cacheKey) == "\x01w" })
	startPeer(t, peerOptions(s)).finds("w")
	a.unsubscribe("cache-room")
	isEmpty(t, s)
}

// The oldest events of an app make room for new ones, those of clients and those of the application each within their own bytes.
func TestCachedBytesAreBounded(t *testing.T) {
	s := redistest.Start(t)
	o := peerOptions(s)
	const limit, size, events = 64 << 10, 1 << 10, 200
	evicted := map[bool]int{}
	o.CacheLimit = func(string, bool) int64 { return limit }
	o.Evicted = func(_ string, client bool) { evicted[client]++ } // by the one goroutine that publishes here
	a := startPeer(t, o)
	for _, client := range []bool{false, true} {
		for i := range events {
			channel := fmt.Sprintf("cache-%v-%d", client, i)
			a.subscribe(channel)
			m := scaling.Message{App: "app", Channel: channel, Payload: outbound.New(strings.Repeat("x", size)), Cache: true, Client: client}
			if err := a.relay.Publish(m); err != nil {
				t.Fatal(err)
			}
		}
		key := fmt.Sprintf("reverb:{app/cache-%v-%d}:e", client, events-1)
		await(t, "the last is kept", func() bool { return s.Do("EXISTS", key) == int64(1) })
		kept := 0
		for i := range events {
			if s.Do("EXISTS", fmt.Sprintf("reverb:{app/cache-%v-%d}:e", client, i)) == int64(1) {
				kept++
			}
		}
		if kept*size > limit || kept*size < limit/2 || kept+evicted[client] != events {
			t.Errorf("client %v: %d events of %d B are kept, %d had to go, bound %d B", client, kept, size, evicted[client], limit)
		}
	}
}
