package bus_test

import (
	"slices"
	"strconv"
	"testing"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

func behind(s *redistest.Sentinels) bus.Options {
	return bus.Options{Sentinel: bus.Sentinel{Master: redistest.MasterName, Addrs: s.Addrs}}
}

func TestFollowsSentinel(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	from, to := up(t, behind(s)), up(t, behind(s))
	to.subscribe("x")
	from.publish("x", "0")
	to.await("a message", func() bool { return to.count("x") == 1 })

	s.Failover() // the old master lives on, as a replica
	// What is published before a node has noticed goes to the old master, which takes it and tells nobody.
	to.await("the new master", func() bool {
		return from.history() == "up, down, up" && to.history() == "up, down, up" && s.Master.Subscribers("x") == 1
	})
	from.publish("x", "1")
	to.await("a message through the new master", func() bool { return to.count("x") == 2 })

	s.Master.Kill()
	to.await("down", func() bool { return !from.Up() && !to.Up() })
	for i := 2; i < 100; i++ {
		from.publish("x", strconv.Itoa(i))
	}
	s.AwaitMaster(s.Replica)
	to.await("what waited", func() bool { return to.count("x") == 100 })
	if got := to.messages("x"); !slices.Equal(got, numbers(100)) {
		t.Errorf("got %v", got)
	}
}

func TestOneSentinelIsEnough(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	s.Sentinel(0).Kill()
	s.Sentinel(2).Pause()
	p := up(t, behind(s))
	p.subscribe("x")
	p.publish("x", "m")
	p.await("a message", func() bool { return p.count("x") == 1 })
	s.Sentinel(2).Resume()
}
