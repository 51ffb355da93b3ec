package cluster_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
	"reverb/scaling/cluster"
)

// In a Redis Cluster the channels lie on different masters, and a channel may move while people come and go.
func TestRosterInARedisCluster(t *testing.T) {
	redis := redistest.StartCluster(t, 3)
	start := func() *node {
		return startNodeWith(t, nil, cluster.Options{
			Redis: bus.Options{Addrs: redis.Addrs(), Cluster: true, Settle: -1},
			Lease: time.Second, Beat: 50 * time.Millisecond, Retell: 400 * time.Millisecond, Grace: 400 * time.Millisecond,
			Linger: 50 * time.Millisecond,
		})
	}
	a, b := start(), start()
	var channels []string
	for i := range 12 {
		channels = append(channels, fmt.Sprint("presence-", i))
	}
	for _, channel := range channels {
		a.join(channel, "u1")
		b.join(channel, "u2")
	}
	see := func(want string) {
		t.Helper()
		for _, channel := range channels {
			for _, n := range []*node{a, b} {
				eventually(t, channel, func() string {
					got := strings.Fields(n.roster(channel))
					slices.Sort(got)
					if s := strings.Join(got, " "); s != want {
						return fmt.Sprintf("%q, want %q", s, want)
					}
					return ""
				})
			}
		}
	}
	see("u1 u2")

	var answers []*answer
	for i, channel := range channels {
		if i%3 == 0 {
			moveChannel(t, redis, channel)
		}
		for j := range 20 {
			answers = append(answers, a.begin(channel, fmt.Sprint("v", j), 0))
		}
	}
	for _, answer := range answers {
		if err := wait(answer); err != nil {
			t.Error(err)
		}
	}
	for _, channel := range channels {
		for j := range 20 {
			a.leave(channel, fmt.Sprint("v", j))
		}
	}
	see("u1 u2")
	for _, channel := range channels {
		a.leave(channel, "u1")
	}
	see2 := func() string {
		for _, channel := range channels {
			if got := b.roster(channel); got != "u2" {
				return channel + ": " + got
			}
		}
		return ""
	}
	eventually(t, "who is left", see2)
	for _, channel := range channels {
		b.leave(channel, "u2")
	}
	eventually(t, "keys", func() string {
		var left []string
		for _, server := range redis.Nodes {
			keys, _ := server.Do("KEYS", "*").([]any)
			for _, k := range keys {
				if key := k.(string); !strings.Contains(key, "{nodes}") {
					left = append(left, key)
				}
			}
		}
		return strings.Join(left, " ")
	})
}

// moveChannel moves the slot of a channel to another master.
func moveChannel(t *testing.T, redis *redistest.Cluster, channel string) {
	t.Helper()
	slot, err := strconv.Atoi(fmt.Sprint(redis.Nodes[0].Do("CLUSTER", "KEYSLOT", "reverb:{app/"+channel+"}")))
	if err != nil {
		t.Fatal(err)
	}
	owner := redis.Owner(slot)
	i := slices.Index(redis.Nodes, owner)
	redis.MoveSlot(slot, redis.Nodes[(i+1)%len(redis.Nodes)])
}
