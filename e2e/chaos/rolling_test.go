package chaos_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"reverb/internal/redistest"
)

// faithful is a client of a presence channel that comes back at once, elsewhere, when its node closes the connection, as pusher-js does.
type faithful struct {
	s      *site
	t      testing.TB
	den    string
	id     int
	slot   int
	all    []int // who must always be there
	leave  chan struct{}
	joined chan struct{} // closed when it is in the channel for the first time

	mu    sync.Mutex
	now   *watcher
	wrong []string
	moves int
}

func (f *faithful) stay() {
	slot := f.slot
	for {
		var w *watcher
		if err := try(f.t, func(t testing.TB) { w = watch(t, f.s, slot, f.den, f.id) }); err != nil {
			slot = f.elsewhere(slot) // it was just stopping
			continue
		}
		f.arrived(w)
		select {
		case <-w.over:
		case <-f.leave:
			w.c.Close()
			<-w.over
			return
		}
		f.check(w)
		slot = f.elsewhere(slot)
	}
}

// elsewhere is another slot that has a node, or the same if there is no other.
func (f *faithful) elsewhere(than int) int {
	living := f.s.living()
	if others := slices.DeleteFunc(slices.Clone(living), func(slot int) bool { return slot == than }); len(others) > 0 {
		living = others
	}
	return living[f.id%len(living)]
}

func (f *faithful) arrived(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = w
	if f.moves++; f.moves == 1 {
		close(f.joined)
		return
	}
	if there := w.present(); !slices.Equal(there, f.all) {
		f.wrong = append(f.wrong, fmt.Sprintf("user %d comes to slot %d and finds %v", f.id, w.slot, there))
	}
}

// check looks at what the client was told on a connection: after all have come for the first time, nothing.
func (f *faithful) check(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wrong, removed := w.mistakes()
	f.wrong = append(f.wrong, wrong...)
	for id := range removed {
		f.wrong = append(f.wrong, fmt.Sprintf("user %d is told in slot %d that %d has left", f.id, w.slot, id))
	}
}

// All nodes are restarted, one after the other, and their clients come back on the others: nobody is told that anybody has left.
func TestRollingRestart(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		_, b := single(t, mode)
		s := newSite(t, b)
		clients := gather(t, s, 24)
		for slot := range slots {
			n := s.empty(slot)
			n.Signal(syscall.SIGTERM)
			if code := n.ExitCode(); code != 0 {
				t.Fatalf("exit code %d\n%s", code, n.Output())
			}
			s.start(slot)
			s.await(10*time.Second, "the new node knows the others", s.whole)
		}
		moves := 0
		for _, f := range clients {
			for _, slot := range s.living() {
				s.await(limit, "everybody is there", func() bool { return slices.Equal(s.users(slot, f.den), f.all) })
			}
			f.mu.Lock()
			moves += f.moves - 1
			f.mu.Unlock()
		}
		for _, f := range clients {
			f.check(f.now)
		}
		for _, f := range clients { // from now on they do see each other leave
			close(f.leave)
		}
		t.Logf("%d clients have moved %d times", len(clients), moves)
		if moves < len(clients) {
			t.Error("that is too few")
		}
		empty(t, s, false)
	})
}

// gather has n clients join and waits until all see all.
func gather(t *testing.T, s *site, n int) []*faithful {
	t.Helper()
	var clients []*faithful
	var all []int
	for i := range n {
		all = append(all, firstResident+i)
	}
	var staying sync.WaitGroup
	for i := range n {
		f := &faithful{
			s: s, t: t, den: dens[0], id: all[i], slot: i % slots, all: all, leave: make(chan struct{}), joined: make(chan struct{}),
		}
		clients = append(clients, f)
		staying.Go(f.stay)
	}
	t.Cleanup(func() {
		for _, f := range clients {
			select {
			case <-f.leave:
			default:
				close(f.leave)
			}
		}
		staying.Wait()
		wrong := map[string]bool{}
		for _, f := range clients {
			for _, text := range f.wrong {
				wrong[text] = true
			}
		}
		for _, text := range slices.Sorted(maps.Keys(wrong)) {
			t.Error(text)
		}
	})
	for _, f := range clients {
		<-f.joined
		if !redistest.Eventually(limit, func() bool { return slices.Equal(f.now.present(), all) }) {
			s.fatal("user %d sees %v", f.id, f.now.present())
		}
	}
	return clients
}
