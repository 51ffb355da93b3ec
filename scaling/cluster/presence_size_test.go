package cluster_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
)

// TestManyMembers joins many users to one channel on two nodes, and has a third one come to it. With CLUSTER_MEMBERS=10000 it says how fast
// that is.
func TestManyMembers(t *testing.T) {
	members := 1000
	if _, err := fmt.Sscan(os.Getenv("CLUSTER_MEMBERS"), &members); err != nil {
		members = 1000
	}
	redis := redistest.Start(t)
	patient := func() *node {
		proxy := redistest.NewProxy(t, redis.Addr)
		o := hasty(redis.Addr)
		o.Lease, o.Beat = 10*time.Second, time.Second
		return startNodeWith(t, proxy, o)
	}
	nodes := []*node{patient(), patient()}
	user := func(i int) string { return fmt.Sprint("user-", i) }

	begun := time.Now()
	var answers []*answer
	for i := range members {
		answers = append(answers, nodes[i%2].begin(channel, user(i), 0))
	}
	for i, a := range answers {
		if err := wait(a); err != nil {
			t.Fatalf("join %d: %v", i, err)
		}
	}
	t.Logf("%.0f joins/s", float64(members)/time.Since(begun).Seconds())
	all := func(n *node, want int) {
		t.Helper()
		eventually(t, "roster", func() string {
			if got := len(strings.Fields(n.roster(channel))); got != want {
				return fmt.Sprintf("%d users, want %d", got, want)
			}
			return ""
		})
	}
	all(nodes[0], members)
	all(nodes[1], members)

	begun = time.Now()
	late := patient()
	late.join(channel, "late")
	all(late, members+1)
	t.Logf("a node that comes to them has the roster after %v", time.Since(begun).Round(time.Millisecond))
	late.leave(channel, "late")

	begun = time.Now()
	for i := range members - 1 {
		nodes[i%2].leave(channel, user(i))
	}
	all(nodes[(members-1)%2], 1)
	t.Logf("%.0f leaves/s", float64(members)/time.Since(begun).Seconds())
	nodes[(members-1)%2].leave(channel, user(members-1))
	emptied(t, redis)
}
