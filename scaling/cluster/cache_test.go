package cluster_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"reverb/internal/redistest"
	"reverb/scaling/cluster"
)

const cacheKey = "reverb:{app/cache-room}:e"

func (n *peer) remembers(want string) {
	n.t.Helper()
	await(n.t, "cached "+want, func() bool { return n.lastEvent("cache-room") == want })
}

func TestLastEventIsOnEveryNode(t *testing.T) {
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	a.publish("cache-room", "while nobody listened")
	await(t, "kept in redis", func() bool { return s.Do("GET", cacheKey) == "while nobody listened" })
	if ms, _ := s.Do("PTTL", cacheKey).(int64); ms <= 0 || ms > 30*60*1000 {
		t.Errorf("kept for %d ms, want 30 min", ms)
	}
	for _, n := range []*peer{a, b} {
		n.subscribe("cache-room")
		if got := n.lastEvent("cache-room"); got != "while nobody listened" {
			t.Errorf("cached %q when the join was done", got)
		}
	}
	b.publish("cache-room", "of b")
	a.remembers("of b")
	b.remembers("of b")
	c := startPeer(t, peerOptions(s))
	c.subscribe("cache-room")
	c.remembers("of b")
}

func TestOnlyCacheChannelsAreKept(t *testing.T) {
	s := redistest.Start(t)
	a := startPeer(t, peerOptions(s))
	a.publish("room", "x")
	m := eventOf("cache-room", "not to be cached")
	m.Cache = false
	if err := a.relay.Publish(m); err != nil {
		t.Fatal(err)
	}
	a.publish("private-encrypted-cache-room", "z") // one by Pusher's names, not by Reverb's
	await(t, "kept", func() bool { return s.Do("EXISTS", "reverb:{app/private-encrypted-cache-room}:e") == int64(1) })
	a.publish("cache-other", "y")
	await(t, "kept", func() bool { return s.Do("EXISTS", "reverb:{app/cache-other}:e") == int64(1) })
	if n := s.Do("EXISTS", cacheKey, "reverb:{app/room}:e"); n != int64(0) {
		t.Errorf("%v events are kept that should not be", n)
	}
}

// TestLastEventIsTheSameEverywhere: two nodes publish at once; what each has cached in the end is what Redis has.
func TestLastEventIsTheSameEverywhere(t *testing.T) {
	s := redistest.Start(t)
	a, b, c := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	all := []*peer{a, b, c}
	for _, n := range all {
		n.subscribe("cache-room")
	}
	total := 0
	for round := range 10 {
		var publishers sync.WaitGroup
		for i, n := range all[:2] {
			publishers.Go(func() {
				for k := range 20 {
					n.publish("cache-room", fmt.Sprintf("%d %d %d", i, round, k))
				}
			})
		}
		publishers.Wait()
		total += 40
		await(t, "all events everywhere", func() bool {
			x, y, z := a.relay.Counts(), b.relay.Counts(), c.relay.Counts()
			return x.Received+x.Own == uint64(total) && y.Received+y.Own == uint64(total) && z.Received == uint64(total)
		})
		want, _ := s.Do("GET", cacheKey).(string)
		for i, n := range all {
			await(t, fmt.Sprintf("node %d has cached %q", i, want), func() bool { return n.lastEvent("cache-room") == want })
		}
	}
}

// TestRedisIsEmptied: the nodes that hold a cache channel give its last event back.
func TestRedisIsEmptied(t *testing.T) {
	s := redistest.Start(t)
	a := startPeer(t, peerOptions(s))
	a.subscribe("cache-room")
	a.publish("cache-room", "kept")
	s.Restart()
	await(t, "the event is back", func() bool { return s.Do("GET", cacheKey) == "kept" })
	b := startPeer(t, peerOptions(s))
	b.subscribe("cache-room")
	b.remembers("kept")
}

// behindProxy has a node reach Redis through a proxy.
func behindProxy(t *testing.T, s *redistest.Server) (*redistest.Proxy, cluster.Options) {
	proxy, o := redistest.NewProxy(t, s.Addr), peerOptions(s)
	o.Redis.Addrs = []string{proxy.Addr}
	return proxy, o
}

// isBackFirst starts Redis again, and opens the proxy when this node is there. The node behind the proxy would else publish what waits as soon
// as its own time to settle is over, and Redis keeps nothing for a node that comes later.
func (n *peer) isBackFirst(s *redistest.Server, proxy *redistest.Proxy) {
	n.t.Helper()
	proxy.Cut()
	s.Restart()
	await(n.t, "one node is back", func() bool { return n.relay.Status().Up })
	proxy.Heal()
}

// TestRedisAway: this node's subscribers miss nothing, the others get what waited, in order, when they are back.
func TestRedisAway(t *testing.T) {
	s := redistest.Start(t)
	proxy, o := behindProxy(t, s)
	a, b := startPeer(t, o), startPeer(t, peerOptions(s))
	a.subscribe("cache-room")
	b.subscribe("cache-room")
	a.publish("cache-room", "0")
	b.expect("cache-room", "0")
	s.Kill()
	for _, n := range []*peer{a, b} {
		await(t, "down", func() bool { st := n.relay.Status(); return !st.Up && st.Err != "" })
	}
	want := []string{"0"}
	for i := range 50 {
		a.publish("cache-room", strconv.Itoa(i+1))
		want = append(want, strconv.Itoa(i+1))
	}
	a.expect("cache-room", want...)
	a.subscribe("room") // works without Redis
	b.subscribe("room")
	if st := a.relay.Status(); st.WaitingBytes == 0 {
		t.Error("nothing waits")
	}
	b.isBackFirst(s, proxy)
	b.expect("cache-room", want...)
	b.remembers("50")
	a.remembers("50")
	await(t, "kept in redis", func() bool { return s.Do("GET", cacheKey) == "50" })
	b.publish("room", "x")
	a.expect("room", "x")
	for _, n := range []*peer{a, b} {
		if c := n.relay.Counts(); c.Lost != 0 {
			t.Errorf("counted as lost: %+v", c)
		}
	}
	await(t, "nothing waits", func() bool { return a.relay.Status().WaitingBytes == 0 })
}

// TestWaitingIsBounded: what does not fit is refused, dropped for a reason, and the others see the gap.
func TestWaitingIsBounded(t *testing.T) {
	s := redistest.Start(t)
	var mu sync.Mutex
	dropped := make(map[string]int)
	proxy, o := behindProxy(t, s)
	o.Redis.BufferBytes = 2000
	o.Dropped = func(reason string, n int) {
		mu.Lock()
		defer mu.Unlock()
		dropped[reason] += n
	}
	a, b := startPeer(t, o), startPeer(t, peerOptions(s))
	b.subscribe("room")
	a.subscribe("room")
	a.publish("room", "first")
	b.expect("room", "first")
	s.Kill()
	await(t, "down", func() bool { return !a.relay.Status().Up })
	refused := 0
	for i := range 100 {
		if a.relay.Publish(eventOf("room", strconv.Itoa(i))) != nil {
			refused++
		}
	}
	if refused == 0 || refused == 100 {
		t.Fatalf("%d of 100 were refused", refused)
	}
	if got := len(a.received("room")); got != 101 {
		t.Errorf("a's subscribers got %d, want all 101", got)
	}
	b.isBackFirst(s, proxy)
	await(t, "the rest arrives", func() bool { return len(b.received("room")) == 101-refused })
	await(t, "nothing waits", func() bool { return a.relay.Status().WaitingBytes == 0 })
	a.publish("room", "last")
	await(t, "b counts the gap", func() bool { return b.relay.Counts().Lost == uint64(refused) })
	mu.Lock()
	defer mu.Unlock()
	if dropped["relay_full"] != refused {
		t.Errorf("dropped %v, want %d", dropped, refused)
	}
}
