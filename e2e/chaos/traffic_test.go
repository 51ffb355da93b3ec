package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"reverb/internal/testclient"
)

const (
	residentsPerNode = 4
	visitorCount     = 9
	visitorUsers     = 6                     // fewer than visitors: the same user on several nodes
	publishEvery     = 10 * time.Millisecond // on each node
	firstResident    = 100                   // ids of the residents of slot i begin at 100*(i+1)
	firstWatcher     = 1000
)

var (
	rooms = []string{"room-0", "room-1", "cache-room"}
	dens  = []string{"presence-den-0", "presence-den-1"}
)

// traffic is what goes on while something fails.
type traffic struct {
	s         *site
	t         testing.TB
	books     *ledger
	listeners []*listener
	watchers  []*watcher
	residents []*resident
	visitors  []*visitor

	visiting, publishing chan struct{} // closed to end it
	visits, publishers   sync.WaitGroup
	from, healed, whole  time.Time // of the failure
}

// resident is a client that stays in all dens.
type resident struct {
	slot, id int
	c        *testclient.Client
}

// start begins the traffic and waits until everybody has heard of everybody.
func start(t testing.TB, s *site) *traffic {
	t.Helper()
	tr := &traffic{s: s, t: t, books: newLedger(), visiting: make(chan struct{}), publishing: make(chan struct{})}
	for slot := range slots {
		for _, room := range rooms {
			tr.listeners = append(tr.listeners, listen(t, s, slot, room))
		}
		for _, den := range dens {
			tr.watchers = append(tr.watchers, watch(t, s, slot, den, firstWatcher+slot))
		}
	}
	for slot := range slots {
		for i := range residentsPerNode {
			tr.residents = append(tr.residents, reside(t, s, slot, firstResident*(slot+1)+i))
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range visitorCount {
		v := &visitor{s: s, t: t, random: rand.New(rand.NewPCG(seed, uint64(i))), in: map[string]int{}}
		tr.visitors = append(tr.visitors, v)
		tr.visits.Go(func() { v.visit(tr.visiting, dens, visitorUsers) })
	}
	for slot := range slots {
		tr.publishers.Go(func() { tr.publish(slot) })
	}
	t.Cleanup(tr.end)
	tr.flush()
	return tr
}

func reside(t testing.TB, s *site, slot, id int) *resident {
	t.Helper()
	r := &resident{slot: slot, id: id, c: s.connect(t, slot)}
	for _, den := range dens {
		r.c.Subscribe(secret, den, member(id))
	}
	go func() {
		for open := true; open; {
			_, open = next(r.c)
		}
	}()
	return r
}

// publish asks a slot's node to publish, one event after the other, until the end.
func (tr *traffic) publish(slot int) {
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tr.publishing:
			return
		case <-tick.C:
		}
		n := tr.s.node(slot)
		if n == nil {
			continue
		}
		st := stream{n.number, rooms[i%len(rooms)]}
		number := tr.books.begin(st)
		body := fmt.Sprintf(`{"name":"e","channel":%q,"data":"%d/%d"}`, st.channel, n.number, number)
		_ = try(tr.t, func(t testing.TB) {
			if n.app(client).Post(t, "/events", body).Status == http.StatusOK {
				tr.books.accept(st, number)
			}
		})
	}
}

// end ends the traffic; it may have ended.
func (tr *traffic) end() {
	for _, stop := range []chan struct{}{tr.visiting, tr.publishing} {
		select {
		case <-stop:
		default:
			close(stop)
		}
	}
	tr.visits.Wait()
	tr.publishers.Wait()
}

// flush waits until something that is published from now on by each node that lives has come to every listener that is on one.
func (tr *traffic) flush() {
	tr.t.Helper()
	mark := map[stream]int{}
	for _, st := range tr.streams() {
		mark[st] = tr.books.last(st) + 1
	}
	for _, l := range tr.hearing() {
		for st, n := range mark {
			if st.channel == l.channel {
				tr.s.await(10*time.Second, fmt.Sprintf("an event of node %d in %s has come to slot %d", st.node, st.channel, l.slot),
					func() bool { return l.latest(st.node) >= n })
			}
		}
	}
}

// streams are those of the nodes that live.
func (tr *traffic) streams() []stream {
	var all []stream
	for _, slot := range tr.s.living() {
		for _, room := range rooms {
			all = append(all, stream{tr.s.node(slot).number, room})
		}
	}
	return all
}

// hearing are the listeners on nodes that live.
func (tr *traffic) hearing() []*listener {
	var found []*listener
	for _, l := range tr.listeners {
		if n := tr.s.node(l.slot); n != nil && n.number == l.node {
			found = append(found, l)
		}
	}
	return found
}

// lives says whether the slot has had the same node all the time.
func (tr *traffic) lives(slot int) bool {
	n := tr.s.node(slot)
	return n != nil && n.number == slot
}

// fail has something fail, and waits until the nodes that live have found each other again.
func (tr *traffic) fail(f func()) {
	tr.t.Helper()
	tr.from = time.Now()
	f()
	tr.healed = time.Now()
	tr.s.await(limit, "the nodes have found each other again", tr.s.whole)
	tr.whole = time.Now()
}
