package roster_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// stage is a model in which nothing happens by chance, and what its nodes have announced.
func stage(t *testing.T) *model {
	t.Helper()
	m := newModel(1, wild)
	m.script = true
	m.pass(2 * modelBeat)
	return m
}

// pass lets time pass in which everything gets where it belongs.
func (m *model) pass(d time.Duration) {
	for end := m.now.Add(d); m.now.Before(end); {
		m.advance(50 * time.Millisecond)
		for _, n := range m.cluster {
			for moved := true; moved; {
				moved = false
				for way := range ways {
					if _, any := n.since(way); any && !n.dead {
						n.bring(way)
						moved = true
					}
				}
			}
		}
	}
}

func (m *model) subscribe(n *modelNode, users ...string) {
	for _, user := range users {
		n.join(user, dataOf(user), 0)
	}
	m.pass(time.Second)
}

// hears checks what a node has announced since the last time.
func (n *modelNode) hears(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(n.told, " "); got != want {
		t.Errorf("node %d announced %q, want %q", n.index, got, want)
	}
	n.told = nil
}

func (m *model) expectNothingWrong(t *testing.T) {
	t.Helper()
	if wrong := m.differs(); wrong != "" {
		t.Error(wrong)
	}
}

func TestKilledNodeLosesItsMembersOnce(t *testing.T) {
	m := stage(t)
	a, b := m.cluster[0], m.cluster[1]
	m.subscribe(a, "w", "both")
	m.subscribe(b, "both", "u")
	a.told = nil
	b.kill()
	m.pass(modelLease + 4*modelBeat)
	a.hears(t, "-u")
	m.expectNothingWrong(t)
}

// A command of a killed node comes after the others have looked after its members: they look again.
func TestLateCommandOfAKilledNode(t *testing.T) {
	m := stage(t)
	a, b := m.cluster[0], m.cluster[1]
	m.subscribe(a, "w")
	m.subscribe(b, "u")
	id := b.id
	b.kill()
	m.pass(modelLease + 4*modelBeat)
	m.last["late"] = m.now
	m.redis.join(id, "late", dataOf("late"), 0, "g9")
	m.pass(lookEvery + 4*modelBeat)
	m.expectNothingWrong(t)
	a.leave("w", false)
	m.pass(2 * forgetAfter)
	if left := m.redis.left() + m.remembered(); left != "" {
		t.Errorf("left in Redis: %s", left)
	}
}

func TestRedisRestartedEmptyIsNotHeard(t *testing.T) {
	m := stage(t)
	for i, n := range m.cluster {
		m.subscribe(n, nameOf("u", i))
	}
	for _, n := range m.cluster {
		n.told = nil
	}
	m.loseRedis(m.now.Add(time.Second))
	m.pass(modelRetell + 4*modelBeat)
	for _, n := range m.cluster {
		n.hears(t, "")
	}
	m.expectNothingWrong(t)
}

// A node dies while Redis is away and comes back empty: nobody tells of its members, and nobody waits for them for ever.
func TestNodeDiesWhileRedisIsAway(t *testing.T) {
	m := stage(t)
	a, b := m.cluster[0], m.cluster[1]
	m.subscribe(a, "w")
	m.subscribe(b, "u")
	a.told = nil
	m.loseRedis(m.now.Add(time.Second))
	b.kill()
	m.pass(modelRetell + 4*modelBeat)
	a.hears(t, "-u")
	m.expectNothingWrong(t)
}

// A silent link for longer than the lease: the others miss the node's members, and welcome them back once.
func TestPartitionedNodeIsMissedAndComesBack(t *testing.T) {
	m := stage(t)
	a, b := m.cluster[0], m.cluster[1]
	m.subscribe(a, "w")
	m.subscribe(b, "u")
	a.told, b.told = nil, nil
	b.silent, b.back = m.now, m.now.Add(2*modelLease)
	m.pass(modelLease + 4*modelBeat)
	a.hears(t, "-u")
	m.pass(modelLease + 4*modelBeat)
	a.hears(t, "+u")
	b.hears(t, "")
	m.expectNothingWrong(t)
}

// A deployment restarts one node after the other, and each one's clients come back to another one at once.
func TestRollingRestartIsSilent(t *testing.T) {
	m := stage(t)
	watcher, from, to := m.cluster[0], m.cluster[1], m.cluster[2]
	m.subscribe(watcher, "w")
	m.subscribe(from, "u1", "u2")
	watcher.told = nil
	from.leave("u1", true)
	from.leave("u2", true)
	m.subscribe(to, "u1", "u2")
	from.quit()
	m.pass(2*modelGrace + modelLease)
	watcher.hears(t, "")
	m.expectNothingWrong(t)
}

// A run can be repeated: a failure that chance has found is found again.
func TestRunsAreRepeatable(t *testing.T) {
	for seed := range uint64(30) {
		var traces [2]string
		for i := range traces {
			m := newModel(seed, trouble(seed%3))
			m.traced = true
			err := m.live(1500)
			traces[i] = fmt.Sprint(strings.Join(m.trace, "\n"), err, slices.Sorted(maps.Keys(m.sockets)))
		}
		if traces[0] != traces[1] {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}
