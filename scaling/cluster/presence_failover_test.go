package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

// Users who join and leave while the master of Redis is killed are there, or are not, when the replica has taken its place.
func TestRosterSurvivesAFailover(t *testing.T) {
	redis := redistest.StartSentinels(t)
	start := func() *node {
		o := hasty("")
		o.Redis.Addrs = nil
		o.Redis.Sentinel = bus.Sentinel{Master: redistest.MasterName, Addrs: redis.Addrs}
		o.Lease = time.Second
		return startNodeWith(t, nil, o)
	}
	nodes := []*node{start(), start()}
	for i := range 20 {
		nodes[i%2].join(channel, fmt.Sprint("u", i))
	}
	replica := redis.Replica
	redis.Master.Kill()
	want := []string{}
	for i := range 20 {
		if i%4 < 2 {
			nodes[i%2].leave(channel, fmt.Sprint("u", i))
		} else {
			want = append(want, fmt.Sprint("u", i))
		}
		nodes[i%2].join(channel, fmt.Sprint("v", i))
		want = append(want, fmt.Sprint("v", i))
	}
	redis.AwaitMaster(replica)
	slices.Sort(want)
	sees(t, strings.Join(want, " "), nodes...)
	eventually(t, "redis", func() string {
		users, _ := replica.Do("HKEYS", "reverb:{app/presence-room}:m").([]any)
		var got []string
		for _, user := range users {
			got = append(got, user.(string))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Sprint(got)
		}
		return ""
	})
	for _, user := range want {
		var i int
		if _, err := fmt.Sscan(user[1:], &i); err != nil {
			t.Fatal(err)
		}
		nodes[i%2].leave(channel, user)
	}
	emptied(t, replica)
}
