package cluster

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestGapFinder(t *testing.T) {
	type step struct {
		node  nodeID
		seq   uint64
		first bool
		fresh bool
		lost  uint64
	}
	tests := map[string][]step{
		"in order":              {{testNode, 1, true, true, 0}, {testNode, 2, false, true, 0}},
		"in the middle":         {{testNode, 70, false, true, 0}, {testNode, 71, false, true, 0}},
		"twice":                 {{testNode, 1, true, true, 0}, {testNode, 1, true, false, 0}, {testNode, 2, false, true, 0}},
		"a batch again":         {{testNode, 5, false, true, 0}, {testNode, 6, false, true, 0}, {testNode, 5, false, false, 0}, {testNode, 6, false, false, 0}, {testNode, 7, false, true, 0}},
		"a gap":                 {{testNode, 1, true, true, 0}, {testNode, 4, false, true, 2}},
		"the publisher forgot":  {{testNode, 1, true, true, 0}, {testNode, 90, true, true, 0}},
		"each node on its own":  {{testNode, 1, true, true, 0}, {otherNode, 1, true, true, 0}, {testNode, 2, false, true, 0}, {otherNode, 3, false, true, 1}},
		"older than the oldest": {{testNode, 9, true, true, 0}, {testNode, 3, false, false, 0}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var s gapFinder
			for i, st := range steps {
				fresh, lost := s.check(&event{node: st.node, seq: st.seq, first: st.first}, 0)
				if fresh != st.fresh || lost != st.lost {
					t.Errorf("step %d: fresh %v, lost %d, want %v, %d", i, fresh, lost, st.fresh, st.lost)
				}
			}
		})
	}
}

func TestGapFinderForgetTheSilent(t *testing.T) {
	var s gapFinder
	for i := range 1000 {
		s.check(&event{node: nodeID{byte(i), byte(i >> 8)}, seq: 1}, uint32(i*60))
	}
	if len(s) > manyNodes+1 {
		t.Errorf("%d nodes are remembered", len(s))
	}
}

func TestGapFinderAreBounded(t *testing.T) {
	var s gapFinder
	for i := range 2 * maxNodes {
		if fresh, lost := s.check(&event{node: nodeID{byte(i), byte(i >> 8)}, seq: 1}, 1); !fresh || lost != 0 {
			t.Fatalf("event %d: fresh %t, lost %d", i, fresh, lost)
		}
	}
	if len(s) != maxNodes {
		t.Errorf("%d nodes are remembered", len(s))
	}
}

func TestLanesKeepTheOrderOfAChannel(t *testing.T) {
	var mu sync.Mutex
	got := make(map[string][]byte)
	ls := newLanes(4, 1<<20, func(name string, payload []byte) {
		mu.Lock()
		defer mu.Unlock()
		got[name] = append(got[name], payload...)
	}, func(name string) { t.Errorf("dropped a message of %s", name) })
	want := make([]byte, 100)
	for i := range want {
		want[i] = byte(i)
		for c := range 10 {
			name := fmt.Sprint("channel ", c)
			if i%10 == 9 {
				ls.run(name, func() {
					mu.Lock()
					defer mu.Unlock()
					got[name] = append(got[name], byte(i))
				})
				continue
			}
			ls.message(name, []byte{byte(i)})
		}
	}
	ls.close()
	for c := range 10 {
		if name := fmt.Sprint("channel ", c); !slices.Equal(got[name], want) {
			t.Errorf("%s: %v", name, got[name])
		}
	}
	ls.run("channel 1", func() { t.Error("run after close") })
	ls.message("channel 1", nil)
}

func TestLanesAreBounded(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	var handled, dropped int
	ls := newLanes(1, 10*(100+jobCost), func(string, []byte) { handled++ }, func(string) { dropped++ })
	ls.run("x", func() { close(begun); <-goOn })
	<-begun
	for range 25 {
		ls.message("x", make([]byte, 100))
	}
	ran := false
	ls.run("x", func() { ran = true })
	if dropped != 15 {
		t.Errorf("dropped %d of 25, want 15", dropped)
	}
	close(goOn)
	ls.close()
	if handled != 10 || !ran {
		t.Errorf("handled %d, want 10; the call was made: %v", handled, ran)
	}
}

func TestLanesTakeOneMessageOfAnySize(t *testing.T) {
	handled := 0
	ls := newLanes(1, 10, func(string, []byte) { handled++ }, func(string) { t.Error("dropped") })
	ls.message("x", make([]byte, 1000))
	ls.close()
	if handled != 1 {
		t.Errorf("handled %d, want 1", handled)
	}
}

func TestLastEvent(t *testing.T) {
	now := time.Unix(1000, 0)
	own := func(l *lastEvent, seq uint64) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sentLocked(seq, now.Add(time.Second))
	}
	takes := func(l *lastEvent, at time.Time) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.takesLocked(at, false)
	}
	t.Run("fetched, nothing in between", func(t *testing.T) {
		var l lastEvent
		stored := false
		l.fetched(l.version(), now, false, func() { stored = true })
		if !stored {
			t.Error("not stored")
		}
	})
	t.Run("fetched, an event in between", func(t *testing.T) {
		for name, between := range map[string]func(*lastEvent){
			"own":     func(l *lastEvent) { own(l, 1) },
			"another": func(l *lastEvent) { takes(l, now) },
			"echo":    func(l *lastEvent) { l.echo(7, false, func() {}) },
		} {
			var l lastEvent
			v := l.version()
			between(&l)
			l.fetched(v, now, false, func() { t.Errorf("%s: stored what is older", name) })
		}
	})
	t.Run("fetched while an own event waits for Redis", func(t *testing.T) {
		var l lastEvent
		own(&l, 1)
		l.fetched(l.version(), now, false, func() { t.Error("stored what is older") })
	})
	t.Run("another node's while an own one is on its way", func(t *testing.T) {
		var l lastEvent
		own(&l, 1)
		own(&l, 2)
		l.echo(1, false, func() { t.Error("the older own event was cached again") })
		if takes(&l, now) {
			t.Error("taken, though Redis puts our second event after it")
		}
		l.echo(2, false, func() { t.Error("the own event was cached again") })
		if !takes(&l, now) {
			t.Error("not taken after our event came back")
		}
	})
	t.Run("an own event that never comes back", func(t *testing.T) {
		var l lastEvent
		own(&l, 1)
		if !takes(&l, now.Add(time.Second)) {
			t.Error("not taken after the time was up")
		}
	})
	t.Run("published before the channel was held", func(t *testing.T) {
		var l lastEvent
		stored := false
		l.echo(4, false, func() { stored = true })
		if !stored {
			t.Error("not stored")
		}
	})
}
