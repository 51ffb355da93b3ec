package cluster_test

import (
	"strconv"
	"sync"
	"testing"

	"reverb/internal/redistest"
)

// TestPartition: a node that is cut off and comes back has missed what was published meanwhile, and knows how much; what it published
// itself arrives, once and in order.
func TestPartition(t *testing.T) {
	for name, cut := range map[string]func(*redistest.Proxy){
		"cut":       (*redistest.Proxy).Cut,
		"blackhole": (*redistest.Proxy).Blackhole,
	} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Start(t)
			proxy := redistest.NewProxy(t, s.Addr)
			o := peerOptions(s)
			o.Redis.Addrs = []string{proxy.Addr}
			a, b := startPeer(t, peerOptions(s)), startPeer(t, o)
			a.subscribe("room")
			b.subscribe("room")
			a.publish("room", "before")
			b.expect("room", "before")

			cut(proxy)
			await(t, "b is down", func() bool { return !b.relay.Status().Up })
			await(t, "redis has noticed", func() bool { return s.Subscribers(roomName) == 1 || name == "blackhole" })
			want := []string{"before"}
			for i := range 30 {
				a.publish("room", "missed")
				b.publish("room", strconv.Itoa(i))
				want = append(want, strconv.Itoa(i))
			}
			await(t, "a's are through", func() bool { return a.relay.Counts().Own == 31 })
			proxy.Heal()
			await(t, "b is up", func() bool { return b.relay.Status().Up })
			await(t, "b's are through", func() bool { return a.relay.Counts().Received == 30 })
			a.publish("room", "after")
			b.expect("room", append(want, "after")...)
			if got := b.relay.Counts(); got.Lost != 30 || got.Duplicates != 0 {
				t.Errorf("b counted %+v, want 30 lost", got)
			}
			if got := a.relay.Counts(); got.Lost != 0 {
				t.Errorf("a counted %+v, want none lost", got)
			}
		})
	}
}

// TestSlowNode: a node whose own work is too slow drops, counts, and fetches what it has missed of a cache channel.
func TestSlowNode(t *testing.T) {
	s := redistest.Start(t)
	var mu sync.Mutex
	dropped := make(map[string]int)
	o := peerOptions(s)
	o.InboundBytes = 4 << 10
	o.Dropped = func(reason string, n int) {
		mu.Lock()
		defer mu.Unlock()
		dropped[reason] += n
	}
	a, b := startPeer(t, peerOptions(s)), startPeer(t, o)
	b.subscribe("cache-room")
	gate := make(chan struct{})
	b.mu.Lock()
	b.gate = gate
	b.mu.Unlock()
	const total = 300
	for i := range total {
		a.publish("cache-room", strconv.Itoa(i))
	}
	last := strconv.Itoa(total - 1)
	await(t, "the last one is published", func() bool { return s.Do("GET", cacheKey) == last })
	await(t, "b drops", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return dropped["relay_queue"] > 0
	})
	b.mu.Lock()
	b.gate = nil
	b.mu.Unlock()
	close(gate)
	b.remembers(last)
	a.publish("cache-room", "one more")
	await(t, "b has one more", func() bool { return b.lastEvent("cache-room") == "one more" })
	c := b.relay.Counts()
	mu.Lock()
	defer mu.Unlock()
	if int(c.Lost) != dropped["relay_queue"] || c.Received+c.Lost != total+1 {
		t.Errorf("dropped %v, counted %+v", dropped, c)
	}
}
