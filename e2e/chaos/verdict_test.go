package chaos_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
)

// limit is how soon after a failure everybody must know the truth.
const limit = 30 * time.Second

// slack is how long before a failure an event may have been on its way, and how soon after it every node has noticed and subscribed again:
// up to 1.1 s were seen after a failover, with six cases at once on two processors.
const slack = 2 * time.Second

// expectation is what a failure may do.
type expectation struct {
	lossy  []int // slots whose clients may miss events of other nodes
	absent []int // slots whose residents may leave, once
	ghosts bool  // a node was taken for dead, or Redis has lost it: its id is remembered for a while
}

// verdict ends the traffic and looks whether everything was as it must be.
func (tr *traffic) verdict(e expectation) {
	tr.t.Helper()
	tr.flush()
	close(tr.visiting)
	tr.visits.Wait()
	tr.rosters(time.Until(tr.healed.Add(limit)))
	tr.t.Logf("healed after %v, rosters true after %v", tr.whole.Sub(tr.healed).Round(time.Millisecond),
		time.Since(tr.healed).Round(time.Millisecond))
	close(tr.publishing)
	tr.publishers.Wait()
	tr.lastOnes()
	for _, slot := range tr.s.living() {
		if tr.lives(slot) {
			tr.losses(slot, e)
		}
	}
	tr.counts()
	tr.caches()
	tr.rosters(time.Until(tr.healed.Add(limit)))
	tr.announcements(e)
	tr.leaveNothing(e)
}

// truth is who is in a channel.
func (tr *traffic) truth(den string) []int {
	users := map[int]bool{}
	for _, w := range tr.watchers {
		if w.channel == den && tr.lives(w.slot) {
			users[w.id] = true
		}
	}
	for _, r := range tr.residents {
		if tr.lives(r.slot) {
			users[r.id] = true
		}
	}
	for _, v := range tr.visitors {
		if id, ok := v.in[den]; ok {
			users[id] = true
		}
	}
	return slices.Sorted(maps.Keys(users))
}

// rosters waits until all nodes, and all who watch, know who is there.
func (tr *traffic) rosters(wait time.Duration) {
	tr.t.Helper()
	deadline := time.Now().Add(max(wait, time.Second))
	for _, den := range dens {
		want := tr.truth(den)
		for _, slot := range tr.s.living() {
			if !redistest.Eventually(time.Until(deadline), func() bool { return slices.Equal(tr.s.users(slot, den), want) }) {
				tr.s.fatal("%s: slot %d has\n%v, want\n%v", den, slot, tr.s.users(slot, den), want)
			}
		}
		for _, w := range tr.watchers {
			if w.channel != den || !tr.lives(w.slot) {
				continue
			}
			if !redistest.Eventually(time.Until(deadline), func() bool { return slices.Equal(w.present(), want) }) {
				tr.s.fatal("%s: who watches in slot %d has seen\n%v, want\n%v", den, w.slot, w.present(), want)
			}
		}
	}
}

// lastOnes waits for the last events: nothing fails any more.
func (tr *traffic) lastOnes() {
	tr.t.Helper()
	for _, l := range tr.hearing() {
		for _, st := range tr.streams() {
			if last := tr.books.last(st); st.channel == l.channel {
				tr.s.await(limit, fmt.Sprintf("event %d of node %d in %s has come to slot %d", last, st.node, l.channel, l.slot),
					func() bool { return l.latest(st.node) >= last })
			}
		}
	}
}

// losses compares what the listeners of a slot have missed with what its node has counted.
func (tr *traffic) losses(slot int, e expectation) {
	tr.t.Helper()
	lost, doubtful, ends := 0, 0, 0
	for _, l := range tr.listeners {
		if l.slot != slot {
			continue
		}
		for _, wrong := range l.wrong {
			tr.t.Errorf("slot %d, %s: %s", slot, l.channel, wrong)
		}
		for _, st := range tr.books.of(l.channel) {
			gaps, tail, unknown := l.missed(tr.books, st)
			if st.node == l.node && len(gaps)+len(tail) > 0 {
				tr.t.Errorf("slot %d, %s: %d events of its own node are missing", slot, l.channel, len(gaps)+len(tail))
				continue
			}
			for _, one := range append(gaps, tail...) {
				if one.at.Before(tr.from.Add(-slack)) || one.at.After(tr.whole.Add(slack)) {
					tr.t.Errorf("slot %d, %s: an event of node %d is missing that was published %v after the failure began, it took %v",
						slot, l.channel, st.node, one.at.Sub(tr.from), tr.whole.Sub(tr.from))
				}
			}
			if st.node != l.node {
				lost, doubtful, ends = lost+len(gaps), doubtful+unknown, ends+len(tail)
			}
		}
	}
	counted := tr.s.gauge(slot, "reverb_relay_lost_total")
	tr.t.Logf("slot %d: lost %d, counted %d, and %d last ones of dead nodes; duplicates %d, dropped %d", slot, lost, counted, ends,
		tr.s.gauge(slot, "reverb_relay_duplicates_total"), tr.s.gauge(slot, "reverb_relay_dropped_total"))
	if counted < lost || counted > lost+doubtful {
		tr.t.Errorf("slot %d: its clients miss %d events and perhaps %d more, it has counted %d", slot, lost, doubtful, counted)
	}
	if lost > 0 && !slices.Contains(e.lossy, slot) {
		tr.t.Errorf("slot %d: its clients miss %d events, though nothing of theirs failed", slot, lost)
	}
}

// counts asks every node for numbers of the whole cluster.
func (tr *traffic) counts() {
	tr.t.Helper()
	subscribers := map[string]int{}
	connections := 0
	for _, l := range tr.hearing() {
		subscribers[l.channel]++
		connections++
	}
	for _, w := range tr.watchers {
		if tr.lives(w.slot) {
			connections++
		}
	}
	for _, r := range tr.residents {
		if tr.lives(r.slot) {
			connections++
		}
	}
	for _, v := range tr.visitors {
		if len(v.in) > 0 { // who is in no channel does not count
			connections++
		}
	}
	for _, slot := range tr.s.living() {
		var all struct{ Connections int }
		var partial bool
		if !redistest.Eventually(limit, func() bool {
			partial = tr.s.get(slot, "/connections", nil, &all)
			return !partial && all.Connections == connections
		}) {
			tr.s.fatal("slot %d counts %d connections, partial: %t, want %d", slot, all.Connections, partial, connections)
		}
		for room, want := range subscribers {
			var one struct {
				Count int `json:"subscription_count"`
			}
			if tr.s.get(slot, "/channels/"+room, url.Values{"info": {"subscription_count"}}, &one) || one.Count != want {
				tr.t.Errorf("slot %d: %s has %d subscribers, want %d", slot, room, one.Count, want)
			}
		}
	}
}

// caches asks every node for the last event of the cache channel: all must have the same.
func (tr *traffic) caches() {
	tr.t.Helper()
	for _, room := range rooms {
		if !strings.HasPrefix(room, "cache-") {
			continue
		}
		var last []string
		for _, slot := range tr.s.living() {
			c := tr.s.connect(tr.t, slot)
			c.Join(secret, room, "")
			last = append(last, string(c.Event("e").Data))
			c.Close()
		}
		if len(slices.Compact(slices.Clone(last))) != 1 {
			tr.t.Errorf("%s: the nodes have cached %v", room, last)
		}
	}
}

// announcements looks at what those who watch were told.
func (tr *traffic) announcements(e expectation) {
	tr.t.Helper()
	for _, w := range tr.watchers {
		if !tr.lives(w.slot) {
			continue
		}
		wrong, removed := w.mistakes()
		if len(wrong) > 0 {
			tr.t.Errorf("slot %d, %s: %v", w.slot, w.channel, wrong)
		}
		for id, times := range removed {
			if id < firstResident {
				continue // visitors come and go
			}
			home := id/firstResident - 1
			if id >= firstWatcher {
				home = id - firstWatcher
			}
			if !slices.Contains(e.absent, home) || home == w.slot || times > 1 {
				tr.t.Errorf("slot %d, %s: was told %d times that %d of slot %d has left", w.slot, w.channel, times, id, home)
			}
		}
	}
}

// leaveNothing has all clients leave and waits until Redis knows nothing of them.
func (tr *traffic) leaveNothing(e expectation) {
	tr.t.Helper()
	for _, l := range tr.listeners {
		l.c.Close()
	}
	for _, w := range tr.watchers {
		w.c.Close()
	}
	for _, r := range tr.residents {
		r.c.Close()
	}
	for _, v := range tr.visitors {
		v.leave()
	}
	empty(tr.t, tr.s, e.ghosts)
}

// empty waits until Redis knows nothing of clients that have all left. ghosts says that nodes have died: of them it knows for thirty leases.
func empty(t testing.TB, s *site, ghosts bool) {
	t.Helper()
	wait := limit + lease() // last events have a time to live
	if ghosts && *long {
		wait += 35 * lease()
	}
	var left []string
	if !redistest.Eventually(wait, func() bool {
		left = slices.DeleteFunc(s.keys(), func(name string) bool { return isLasting(name, ghosts && !*long) })
		return len(left) == 0
	}) {
		s.fatal("nobody is there, but Redis holds %v", left)
	}
}

// isLasting says whether a key is there as long as nodes are, or, with ghosts, as long as one that died is remembered.
func isLasting(name string, ghosts bool) bool {
	switch name {
	case "reverb:{nodes}", "reverb:{nodes}:counts":
		return true
	}
	return ghosts && (name == "reverb:{nodes}:dead" || name == "reverb:{nodes}:buried" ||
		strings.HasPrefix(name, "reverb:{node:") && strings.HasSuffix(name, ":channels"))
}
