package cluster

import (
	"fmt"
	"testing"
	"time"

	"reverb/scaling"
	"reverb/scaling/bus"
)

// A channel that was forgotten begins after all that it had: a receiver that remembers more than this node takes nothing for old.
func TestSequencerForgets(t *testing.T) {
	b, err := bus.Open(bus.Options{Addrs: []string{"127.0.0.1:1"}}, bus.Hooks{Up: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	most := [2]int64{theAPI: 1 << 20, clientsAlone: 1 << 19}
	o := newSequencer(names{"p"}, newNodeID(), most)
	publishAs := func(channel string, client bool) uint64 {
		t.Helper()
		seq, err := o.publish(b, scaling.Message{App: "app", Channel: channel, Client: client}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	publish := func(channel string) uint64 { return publishAs(channel, false) }
	remembered := func(of publishers) (n int, bytes int64) {
		for i := range o.shards {
			for _, age := range []map[channelKey]*sequence{o.shards[i].ages[of].recent, o.shards[i].ages[of].before} {
				for _, x := range age {
					n, bytes = n+1, bytes+x.cost()
				}
			}
		}
		return n, bytes
	}
	known := func() int {
		n, _ := remembered(theAPI)
		return n
	}
	turn := func(n int) { o.sweep(o.start.Add(time.Duration(n) * sequenceIdle * time.Second)) }
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
	for of, client := range []bool{theAPI: false, clientsAlone: true} {
		for i := range 20_000 {
			o.addLocked(&o.shards[i%sequencerShards], channelKey{"app", fmt.Sprint(client, i)}, client)
		}
		if n, bytes := remembered(publishers(of)); bytes > most[of] || bytes < most[of]/3 {
			t.Errorf("%d channels of %d B are remembered, client %v, bound %d B", n, bytes, client, most[of])
		}
	}
	// A channel of clients alone is the application's from its first event on, and its sequence goes on.
	last := publishAs("shared", true)
	for _, client := range []bool{true, false, true, false} {
		if got := publishAs("shared", client); got != last+1 {
			t.Errorf("sequence %d after %d, client %v", got, last, client)
		}
		last++
	}
}
