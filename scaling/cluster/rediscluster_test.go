package cluster_test

import (
	"fmt"
	"testing"

	"reverb/internal/redistest"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/cluster"
)

// TestRedisCluster does everything once over a Redis Cluster, where names lie on different masters.
func TestRedisCluster(t *testing.T) {
	c := redistest.StartCluster(t, 3)
	o := cluster.Options{Redis: bus.Options{Addrs: c.Addrs(), Cluster: true}}
	a, b := startPeer(t, o), startPeer(t, o)
	for i := range 20 {
		channel := fmt.Sprint("cache-room ", i)
		a.publish(channel, "before")
		b.subscribe(channel)
		await(t, "cached "+channel, func() bool { return b.lastEvent(channel) == "before" })
		a.publish(channel, "live")
		await(t, "live on "+channel, func() bool {
			got := b.received(channel) // the first one too, if it went out when b was subscribed already
			return len(got) > 0 && got[len(got)-1] == "live"
		})
		if n := subscribers(c, fmt.Sprintf("reverb:{app/%s}", channel)); n != 1 {
			t.Errorf("%s has %d subscribers in Redis, want 1", channel, n)
		}
	}
	a.relay.Terminate("app", "7")
	await(t, "terminated", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.terminated) == 1
	})
	answer := a.ask(scaling.Query{Of: scaling.QueryChannels, App: "app"})
	if answer.Partial() || answer.Nodes != 2 || len(answer.Channels) != 20 {
		t.Errorf("%d of %d nodes: %d channels", answer.Answered, answer.Nodes, len(answer.Channels))
	}
}

// subscribers counts those of a sharded channel, on whichever master.
func subscribers(c *redistest.Cluster, channel string) (n int) {
	for _, s := range c.Nodes {
		n += s.Subscribers(channel)
	}
	return n
}
