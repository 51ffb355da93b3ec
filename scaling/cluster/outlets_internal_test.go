package cluster

import (
	"fmt"
	"testing"
	"time"

	"reverb/scaling"
	"reverb/scaling/bus"
)

// A channel that was forgotten begins after all that it had: a receiver that remembers more than this node takes nothing for old.
func TestOutletsForget(t *testing.T) {
	b, err := bus.Open(bus.Options{Addrs: []string{"127.0.0.1:1"}}, bus.Hooks{Up: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	o := newOutlets(names{"p"}, newNodeID())
	publish := func(channel string) uint64 {
		t.Helper()
		seq, err := o.publish(b, scaling.Message{App: "app", Channel: channel}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	known := func() (n int) {
		for i := range o.shards {
			n += len(o.shards[i].recent) + len(o.shards[i].before)
		}
		return n
	}
	turn := func(n int) { o.sweep(o.start.Add(time.Duration(n) * outletIdle * time.Second)) }
	for want := uint64(1); want <= 3; want++ {
		if got := publish("room"); got != want {
			t.Errorf("sequence %d, want %d", got, want)
		}
	}
	turn(1)
	if got := publish("room"); got != 4 {
		t.Errorf("after a turn: sequence %d, want 4", got)
	}
	turn(2)
	turn(2)
	if got := publish("room"); got != 5 {
		t.Errorf("in use: sequence %d, want 5", got)
	}
	turn(3)
	turn(4)
	if n := known(); n != 0 {
		t.Errorf("%d channels are remembered", n)
	}
	if got := publish("room"); got <= 5 {
		t.Errorf("forgotten: sequence %d, want one after 5", got)
	}
	sh := &o.shards[0]
	for i := range 4 * outletMany {
		sh.addLocked(o.names, channelKey{"app", fmt.Sprint(i)})
	}
	if n := known(); n > 2*outletMany+1 {
		t.Errorf("%d channels are remembered, at most %d may be", n, 2*outletMany+1)
	}
}
