package roster_test

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// What must be true of the model, after each step or when it is quiet.

// checkJoin finds an announced user that cannot be there.
func (m *model) checkJoin(n *modelNode, user string) {
	window := 2*modelLease + lateness + lookEvery
	if m.trouble == calm {
		window = 2*modelGrace + 2*modelBeat + 4*modelDelay
	}
	if m.sockets[user] == 0 && m.joins[user] == 0 && m.now.Sub(m.last[user]) > window {
		m.fail("node %s: %s is announced, who left %v ago", n.id, user, m.now.Sub(m.last[user]))
	}
}

// checkLeave finds a user that is announced as gone and was there all the time. A node without Redis cannot know which users are on other nodes.
func (m *model) checkLeave(n *modelNode, user string) {
	if !n.online || m.script {
		return
	}
	window := 6 * modelDelay
	if m.now.Sub(m.troubled) < time.Minute {
		window = modelRetell + 4*modelBeat
		if m.trouble == wild {
			return
		}
	}
	for _, other := range m.cluster {
		if there := m.now.Sub(other.heldSince[user]); other.sockets[user] > 0 && !other.dead && there > window {
			m.fail("node %s: %s is announced as gone, and has been on node %s for %v", n.id, user, other.id, there)
		}
	}
}

func (m *model) checkRedis() {
	if wrong := m.redis.inconsistent(); wrong != "" {
		m.fail("redis: %s", wrong)
	}
}

// differs says in what Redis or a node differ from the truth.
func (m *model) differs() string {
	users := slices.Sorted(maps.Keys(m.sockets))
	if got := slices.Sorted(maps.Keys(m.redis.members)); !slices.Equal(got, users) {
		return fmt.Sprintf("redis has %v, want %v", got, users)
	}
	for _, n := range m.cluster {
		if n.dead {
			continue
		}
		if got := slices.Sorted(maps.Keys(m.redis.onNode[n.id])); !slices.Equal(got, slices.Sorted(maps.Keys(n.sockets))) {
			return fmt.Sprintf("redis has %v on %s, want %v", got, n.id, n.sockets)
		}
		if n.joining > 0 {
			return fmt.Sprintf("%d joins of %s were not answered", n.joining, n.id)
		}
		if !n.held {
			continue
		}
		if got := slices.Sorted(maps.Keys(n.list)); !slices.Equal(got, users) {
			return fmt.Sprintf("node %s has %v, want %v", n.id, got, users)
		}
		for user, member := range n.list {
			if string(member.Raw) != m.redis.members[user].data {
				return fmt.Sprintf("node %s has %s for %s, redis %s", n.id, member.Raw, user, m.redis.members[user].data)
			}
		}
	}
	return ""
}

// left says what of the channel is left in Redis.
func (m *model) left() string {
	left := m.redis.left()
	for id := range m.registered {
		if _, dead := m.nodes.look[id]; !dead {
			left += " " + id + " is registered"
		}
	}
	return left
}

// remembered says what is known of dead nodes.
func (m *model) remembered() string {
	if len(m.nodes.look)+len(m.nodes.buried)+len(m.registered) == 0 {
		return ""
	}
	return fmt.Sprint(m.nodes.look, m.nodes.buried, m.registered)
}
