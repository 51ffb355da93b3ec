package cluster_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"reverb/internal/redistest"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/cluster"
)

const roomName = "reverb:{app/room}" // the Redis channel of channel room

func TestPublishReachesEachNodeOnceAndInOrder(t *testing.T) {
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	a.subscribe("room")
	b.subscribe("room")
	var want []string
	for i := range 2000 {
		want = append(want, fmt.Sprint(i))
		a.publish("room", want[i])
	}
	a.expect("room", want...)
	b.expect("room", want...)
	await(t, "a's own events come back", func() bool { return a.relay.Counts().Own == 2000 })
	if got := a.received("room"); len(got) != 2000 {
		t.Errorf("a got %d events after its own came back, want 2000", len(got))
	}
	if c := b.relay.Counts(); c.Received != 2000 || c.Lost != 0 || c.Duplicates != 0 || c.Malformed != 0 {
		t.Errorf("b counted %+v", c)
	}
}

func TestBothWaysAtOnce(t *testing.T) {
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	a.subscribe("room")
	b.subscribe("room")
	var publishers sync.WaitGroup
	for name, n := range map[string]*peer{"a": a, "b": b} {
		for p := range 4 {
			publishers.Go(func() {
				for i := range 250 {
					n.publish("room", fmt.Sprintf("%s%d %03d", name, p, i))
				}
			})
		}
	}
	publishers.Wait()
	for _, n := range []*peer{a, b} {
		await(t, "all events", func() bool { return len(n.received("room")) >= 2000 })
		by := make(map[string][]string)
		for _, payload := range n.received("room") {
			by[payload[:2]] = append(by[payload[:2]], payload)
		}
		for publisher, got := range by {
			if len(got) != 250 || !slices.IsSorted(got) {
				t.Errorf("of %s: %d events, in order: %v", publisher, len(got), slices.IsSorted(got))
			}
		}
	}
}

func TestExclusionAndElsewhere(t *testing.T) {
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	a.subscribe("room")
	b.subscribe("room")
	m := eventOf("room", "to all but one")
	m.Except = protocol.NewSocketID()
	if err := a.relay.Publish(m); err != nil {
		t.Fatal(err)
	}
	b.expect("room", "to all but one")
	if b.excepts[0] != m.Except || a.excepts[0] != m.Except {
		t.Errorf("except %v and %v, want %v", a.excepts, b.excepts, m.Except)
	}
	m = eventOf("room", "only to the others")
	m.Elsewhere = true
	if err := a.relay.Publish(m); err != nil {
		t.Fatal(err)
	}
	b.expect("room", "to all but one", "only to the others")
	a.expect("room", "to all but one")
}

// TestNoInterestNoWork: what nobody on a node needs does not come to it.
func TestNoInterestNoWork(t *testing.T) {
	s := redistest.Start(t)
	a, b, c := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	b.subscribe("room")
	c.subscribe("other")
	for i := range 100 {
		a.publish("room", fmt.Sprint(i))
	}
	await(t, "b gets them", func() bool { return len(b.received("room")) == 100 })
	for name, n := range map[string]*peer{"a": a, "c": c} {
		if counts := n.relay.Counts(); counts.Received+counts.Own+counts.Unwanted != 0 {
			t.Errorf("%s had work: %+v", name, counts)
		}
	}
	if got := s.Subscribers(roomName); got != 1 {
		t.Errorf("%d subscribers in Redis, want 1", got)
	}
}

// TestSubscribedBeforeDone: whatever is published after Join's done arrives.
func TestSubscribedBeforeDone(t *testing.T) {
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	for i := range 100 {
		channel := fmt.Sprint("room ", i)
		b.subscribe(channel)
		a.publish(channel, "x")
	}
	for i := range 100 {
		b.expect(fmt.Sprint("room ", i), "x")
	}
}

func TestLinger(t *testing.T) {
	s := redistest.Start(t)
	n := startPeer(t, peerOptions(s))
	n.subscribe("room")
	for range 20 { // a page that is loaded again
		n.unsubscribe("room")
		n.subscribe("room")
	}
	n.mu.Lock()
	if want := []string{"hold room"}; !slices.Equal(n.calls, want) {
		t.Errorf("calls %v, want %v", n.calls, want)
	}
	n.mu.Unlock()
	if got := s.Subscribers(roomName); got != 1 {
		t.Errorf("%d subscribers, want 1", got)
	}
	n.unsubscribe("room")
	await(t, "unsubscribed", func() bool { return s.Subscribers(roomName) == 0 })
	await(t, "released", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.calls) == 2 && n.calls[1] == "release room"
	})
	if got := n.relay.Counts().Interests; got != 0 {
		t.Errorf("%d interests are left", got)
	}
	n.subscribe("room")
	if got := s.Subscribers(roomName); got != 1 {
		t.Errorf("%d subscribers after coming back, want 1", got)
	}
}

// TestJoinsAtRandom joins and leaves from many goroutines: every Hold has its Release, never two at a time (the node checks that).
func TestJoinsAtRandom(t *testing.T) {
	s := redistest.Start(t)
	o := peerOptions(s)
	o.Linger = 1 // at once
	n := startPeer(t, o)
	var users sync.WaitGroup
	for u := range 8 {
		users.Go(func() {
			for i := range 50 {
				channel := fmt.Sprint("room ", (u+i)%3)
				n.subscribe(channel)
				n.unsubscribe(channel)
			}
		})
	}
	users.Wait()
	await(t, "all released", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.held) == 0
	})
	for i := range 3 {
		await(t, "unsubscribed", func() bool { return s.Subscribers(fmt.Sprintf("reverb:{app/room %d}", i)) == 0 })
	}
}

func TestTerminate(t *testing.T) {
	s := redistest.Start(t)
	a, b, c := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	a.relay.Terminate("app", "7")
	for _, n := range []*peer{a, b, c} {
		await(t, "terminated", func() bool {
			n.mu.Lock()
			defer n.mu.Unlock()
			return len(n.terminated) == 1 && n.terminated[0] == "app 7"
		})
	}
}

func TestForeignBytesAreIgnored(t *testing.T) {
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	b.subscribe("room")
	for _, payload := range []string{"", "{}", "\x01", "\x01\x09", "\x02\x01+", "\x03", "\x04\x01", "\x05\x01"} {
		s.Do("PUBLISH", roomName, payload)
		s.Do("PUBLISH", "reverb:{all}", payload)
	}
	a.publish("room", "x")
	b.expect("room", "x")
	if b.relay.Counts().Malformed == 0 {
		t.Error("nothing was counted")
	}
}

func TestOptions(t *testing.T) {
	s := redistest.Start(t)
	for name, change := range map[string]func(*cluster.Options){
		"prefix with a brace": func(o *cluster.Options) { o.Prefix = "a{b" },
		"lease of two beats":  func(o *cluster.Options) { o.Lease = 2 * o.Beat },
	} {
		o := peerOptions(s)
		change(&o)
		if _, err := cluster.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r, err := cluster.New(cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(&peer{}); err == nil {
		t.Error("started without an address")
	}
	r.Close() // does nothing
}

func TestClose(t *testing.T) {
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	b.subscribe("room")
	for i := range 100 {
		a.publish("room", fmt.Sprint(i))
	}
	a.relay.Close()
	await(t, "what waited is sent", func() bool { return len(b.received("room")) == 100 })
	done := make(chan error, 1)
	a.relay.Join(scaling.Join{App: "app", Channel: "late"}, func(err error) { done <- err })
	if err := <-done; err == nil {
		t.Error("joined a closed relay")
	}
}
