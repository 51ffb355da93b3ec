package cluster_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling"
)

func TestRosterIsOfTheWholeCluster(t *testing.T) {
	redis := redistest.Start(t)
	a, b := startNode(t, redis), startNode(t, redis)
	a.join(channel, "u1", "u2")
	b.join(channel, "u3")
	sees(t, "u1 u2 u3", a, b)

	c := startNode(t, redis)
	c.join(channel, "u4")
	if got := c.roster(channel); got != "u1 u2 u3 u4" {
		t.Errorf("the roster on the third node is %q, want the order in which they came", got)
	}
	b.leave(channel, "u3")
	hears(t, "+u1 +u2 +u3 +u4 -u3", a)
	sees(t, "u1 u2 u4", a, c)

	a.leave(channel, "u1", "u2")
	c.leave(channel, "u4")
	sees(t, "none", a, b, c)
	emptied(t, redis)
}

func TestUserOnThreeNodesIsOneMember(t *testing.T) {
	redis := redistest.Start(t)
	nodes := []*node{startNode(t, redis), startNode(t, redis), startNode(t, redis), startNode(t, redis)}
	watcher := nodes[3]
	watcher.join(channel, "w")
	for _, n := range nodes[:3] {
		n.join(channel, "u", "u")
	}
	for _, n := range nodes[:3] {
		hears(t, "+w +u", watcher)
		n.leave(channel, "u", "u")
	}
	hears(t, "+w +u -u", watcher)
	watcher.leave(channel, "w")
	emptied(t, redis)
}

func TestLastSocketLeavesWhileAnotherJoins(t *testing.T) {
	redis := redistest.Start(t)
	a, b := startNode(t, redis), startNode(t, redis)
	b.join(channel, "w")
	a.join(channel, "u")
	for range 200 {
		a.leave(channel, "u")
		if err := wait(a.begin(channel, "u", 0)); err != nil {
			t.Fatal(err)
		}
	}
	sees(t, "u w", a, b)
	a.leave(channel, "u")
	sees(t, "w", b)
	b.leave(channel, "w")
	emptied(t, redis)
}

func TestMostMembers(t *testing.T) {
	redis := redistest.Start(t)
	a, b := startNode(t, redis), startNode(t, redis)
	a.join(channel, "u1")
	b.join(channel, "u2")
	if err := wait(a.begin(channel, "u3", 2)); !errors.Is(err, scaling.ErrMembers) {
		t.Errorf("third user: %v, want %v", err, scaling.ErrMembers)
	}
	if err := wait(a.begin(channel, "u2", 2)); err != nil {
		t.Errorf("second user on the other node: %v", err)
	}
	sees(t, "u1 u2", a, b)
	b.leave(channel, "u2")
	a.leave(channel, "u2")
	sees(t, "u1", a)
	if err := wait(b.begin(channel, "u3", 2)); err != nil {
		t.Errorf("when there is room: %v", err)
	}
	sees(t, "u1 u3", a, b)
}

func TestKilledNodeLosesItsMembersOnce(t *testing.T) {
	redis := redistest.Start(t)
	a, b, c := startNode(t, redis), startNode(t, redis), startNode(t, redis)
	a.join(channel, "u1", "u2")
	b.join(channel, "u2", "u3")
	c.join(channel, "w")
	sees(t, "u1 u2 u3 w", a, b, c)
	b.kill()
	hears(t, "+u1 +u2 +u3 +w -u3", a)
	sees(t, "u1 u2 w", a, c)
	a.kill()
	sees(t, "w", c)
	c.leave(channel, "w")
	emptied(t, redis)
}

func TestDeadNodesAreForgotten(t *testing.T) {
	redis := redistest.Start(t)
	watcher := func() *node {
		proxy := redistest.NewProxy(t, redis.Addr)
		o := hasty(proxy.Addr)
		o.Lease, o.Beat = 150*time.Millisecond, 30*time.Millisecond
		return startNodeWith(t, proxy, o)
	}
	a, b := watcher(), watcher()
	a.join(channel, "u1")
	b.join(channel, "u2")
	sees(t, "u1 u2", a, b)
	b.kill()
	sees(t, "u1", a)
	a.leave(channel, "u1")
	eventually(t, "traces of the dead", func() string {
		dead, _ := redis.Do("EXISTS", "reverb:{nodes}:dead", "reverb:{nodes}:buried").(int64)
		keys, _ := redis.Do("KEYS", "reverb:{node:*").([]any)
		if dead > 0 || len(keys) > 0 {
			return fmt.Sprint(dead, keys)
		}
		return ""
	})
}

func TestPartitionedNodeIsMissedAndComesBack(t *testing.T) {
	for name, part := range map[string]func(*redistest.Proxy){"cut": (*redistest.Proxy).Cut, "silent": (*redistest.Proxy).Blackhole} {
		t.Run(name, func(t *testing.T) {
			redis := redistest.Start(t)
			a, b := startNode(t, redis), startNode(t, redis)
			a.join(channel, "u1", "both")
			b.join(channel, "u2", "both")
			sees(t, "both u1 u2", a, b)

			part(b.proxy)
			sees(t, "both u1", a) // b's lease lapses
			eventually(t, "b is down", func() string {
				if b.relay.Status().Up {
					return "up"
				}
				return ""
			})
			b.join(channel, "u3") // what comes and goes meanwhile
			b.leave(channel, "u2")
			a.join(channel, "u4")
			a.leave(channel, "u1")
			sees(t, "both u1 u3", b) // what it knows
			sees(t, "both u4", a)

			b.proxy.Heal()
			sees(t, "both u3 u4", a, b)
			a.join(channel, "u5") // stays, so that a does not let go of the channel
			a.leave(channel, "both", "u4")
			sees(t, "both u3 u5", a, b)
			b.leave(channel, "both", "u3")
			a.leave(channel, "u5")
			emptied(t, redis)
		})
	}
}

func TestRedisRestartedEmptyIsNotHeard(t *testing.T) {
	redis := redistest.Start(t)
	a, b, c := startNode(t, redis), startNode(t, redis), startNode(t, redis)
	a.join(channel, "u1")
	b.join(channel, "u2", "u2")
	c.join(channel, "u3")
	sees(t, "u1 u2 u3", a, b, c)
	told := a.told(channel)
	redis.Restart()
	eventually(t, "redis knows all again", func() string {
		if n, _ := redis.Do("HLEN", "reverb:{app/presence-room}:m").(int64); n != 3 {
			return "not yet"
		}
		return ""
	})
	c.join(channel, "u4")
	hears(t, told+" +u4", a)
	c.leave(channel, "u4")
	sees(t, "u1 u2 u3", a, b, c)
	hears(t, told+" +u4 -u4", a)
	a.leave(channel, "u1")
	b.leave(channel, "u2")
	sees(t, "u2 u3", b, c)
	b.leave(channel, "u2")
	c.leave(channel, "u3")
	emptied(t, redis)
}

func TestNodeDiesWhileRedisIsAway(t *testing.T) {
	redis := redistest.Start(t)
	a, b := startNode(t, redis), startNode(t, redis)
	a.join(channel, "u1")
	b.join(channel, "u2")
	sees(t, "u1 u2", a, b)
	redis.Pause()
	eventually(t, "a is down", func() string {
		if a.relay.Status().Up {
			return "up"
		}
		return ""
	})
	b.kill()
	redis.Resume()
	sees(t, "u1", a)
	hears(t, "+u1 +u2 -u2", a)
	a.leave(channel, "u1")
	emptied(t, redis)
}

func TestDegraded(t *testing.T) {
	redis := redistest.Start(t)
	a := startNode(t, redis)
	a.join(channel, "u1")
	redis.Stop()
	a.join(channel, "u2", "u2")
	a.join("presence-other", "u3")
	if err := wait(a.begin(channel, "u4", 2)); !errors.Is(err, scaling.ErrMembers) {
		t.Errorf("third user of two: %v, want %v", err, scaling.ErrMembers)
	}
	a.leave(channel, "u1", "u2")
	sees(t, "u2", a)
	a.leave("presence-other", "u3")
	redis.Restart()
	eventually(t, "redis knows", func() string {
		if n, _ := redis.Do("HLEN", "reverb:{app/presence-room}:m").(int64); n != 1 {
			return "not yet"
		}
		return ""
	})
	a.leave(channel, "u2")
	emptied(t, redis)
}

func TestGrace(t *testing.T) {
	redis := redistest.Start(t)
	old, watcher := startNode(t, redis), startNode(t, redis)
	watcher.join(channel, "w")
	old.join(channel, "back", "gone", "late")
	hears(t, "+w +back +gone +late", watcher)

	old.leaveWithGrace(channel, "back", "gone")
	old.relay.Close() // "late" is handed over by the relay
	watcher.join(channel, "back")
	sees(t, "back w", watcher)
	told := watcher.told(channel)
	if told != "+w +back +gone +late -gone -late" && told != "+w +back +gone +late -late -gone" {
		t.Errorf("told %q", told)
	}
	watcher.leave(channel, "w", "back")
	emptied(t, redis)
}

func TestGraceOfANodeThatLives(t *testing.T) {
	redis := redistest.Start(t)
	draining, watcher := startNode(t, redis), startNode(t, redis)
	watcher.join(channel, "w")
	draining.join(channel, "u1", "u2")
	hears(t, "+w +u1 +u2", watcher)
	draining.leaveWithGrace(channel, "u1", "u2")
	draining.join(channel, "u2")
	hears(t, "+w +u1 +u2 -u1", watcher)
	draining.leave(channel, "u2")
	watcher.leave(channel, "w")
	emptied(t, redis)
}

func TestOtherConnections(t *testing.T) {
	redis := redistest.Start(t)
	a, b, c := startNode(t, redis), startNode(t, redis), startNode(t, redis)
	b.mu.Lock()
	b.open[app] = 5
	b.mu.Unlock()
	others := func(want int) {
		t.Helper()
		eventually(t, "connections of the others", func() string {
			if a.relay.OtherConnections(app) != want {
				return "not yet"
			}
			return ""
		})
	}
	others(6)
	b.kill()
	others(1)
	c.relay.Close()
	others(0)
}

// A deployment restarts one node after the other, and each one's clients come back to another one at once.
func TestRollingRestartIsSilent(t *testing.T) {
	redis := redistest.Start(t)
	watcher, old := startNode(t, redis), startNode(t, redis)
	watcher.join(channel, "w")
	old.join(channel, "u1", "u2", "u3")
	const told = "+w +u1 +u2 +u3"
	for range 3 {
		next := startNode(t, redis)
		for _, user := range []string{"u1", "u2", "u3"} {
			old.leaveWithGrace(channel, user)
			next.join(channel, user)
		}
		old.relay.Close()
		old = next
	}
	old.leave(channel, "u2")
	hears(t, told+" -u2", watcher)
	sees(t, "u1 u3 w", watcher, old)
	old.leave(channel, "u1", "u3")
	watcher.leave(channel, "w")
	emptied(t, redis)
}

// A node that has only begun has been told of nobody whom Redis could have lost: a user who leaves is gone at once.
func TestLeaveWhileTheNodeBegins(t *testing.T) {
	redis := redistest.Start(t)
	proxy := redistest.NewProxy(t, redis.Addr)
	o := hasty(proxy.Addr)
	o.Retell = time.Minute
	n := startNodeWith(t, proxy, o)
	n.join(channel, "u1", "u2")
	n.leave(channel, "u1")
	hears(t, "+u1 +u2 -u1", n)
}
