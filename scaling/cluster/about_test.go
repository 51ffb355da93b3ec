package cluster_test

import (
	"fmt"
	"testing"
	"time"

	"reverb/internal/redistest"
)

// Each node lists the others with what they say of themselves, and forgets those that leave.
func TestNodesKnowEachOther(t *testing.T) {
	s := redistest.Start(t)
	begun := time.Now()
	options := func(name string) *peer {
		o := peerOptions(s)
		o.Name, o.Version = name, "1.0 of "+name
		return startPeer(t, o)
	}
	a, b, c := options("alpha"), options("beta"), options("")
	seen := func(n *peer) string {
		text := ""
		for _, other := range n.relay.Nodes() {
			if other.ID == "" || other.Heard.Before(begun) || other.Started.Before(begun.Truncate(time.Millisecond)) {
				t.Errorf("node %+v", other)
			}
			text += fmt.Sprintf("%s (%s, %d) ", other.Name, other.Version, other.Connections)
		}
		return text
	}
	want := func(n *peer, want string) {
		t.Helper()
		eventually(t, "the list of nodes", func() string {
			if got := seen(n); got != want {
				return fmt.Sprintf("got %q, want %q", got, want)
			}
			return ""
		})
	}
	want(a, " (1.0 of , 3) beta (1.0 of beta, 3) ")
	want(b, " (1.0 of , 3) alpha (1.0 of alpha, 3) ")
	c.relay.Close()
	want(a, "beta (1.0 of beta, 3) ")
	if left := s.Do("HLEN", "reverb:{nodes}:counts"); fmt.Sprint(left) != "4" {
		t.Errorf("%v fields of two nodes are in Redis, want 4", left)
	}
}
