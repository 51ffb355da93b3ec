package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
)

// world is nodes to which anything may happen, and the truth about which users are where.
type world struct {
	t     *testing.T
	rnd   *rand.Rand
	redis *redistest.Server
	nodes []*dweller
}

// dweller is a node of the world.
type dweller struct {
	*node
	sockets []socket // joined, or about to be
	parted  int      // steps until its way to Redis heals; 0: it is whole
}

type socket struct {
	channel, user string
	done          *answer
}

var worldChannels = []string{channel, "presence-lobby"}

func (w *world) addNode() { w.nodes = append(w.nodes, &dweller{node: startNode(w.t, w.redis)}) }

func (w *world) step() {
	d := w.nodes[w.rnd.IntN(len(w.nodes))]
	switch n := w.rnd.IntN(1000); {
	case n < 550:
		user, channel := fmt.Sprint("u", w.rnd.IntN(12)), worldChannels[w.rnd.IntN(len(worldChannels))]
		d.sockets = append(d.sockets, socket{channel, user, d.begin(channel, user, 0)})
	case n < 960:
		d.leaveOne(w.rnd)
	case n < 975:
		if d.parted == 0 {
			d.parted = 1 + w.rnd.IntN(150)
			[]func(){d.proxy.Cut, d.proxy.Blackhole}[w.rnd.IntN(2)]()
		}
	case n < 985:
		w.nodes = slices.DeleteFunc(w.nodes, func(other *dweller) bool { return other == d })
		d.kill()
		w.addNode()
	case n < 990:
		w.nodes = slices.DeleteFunc(w.nodes, func(other *dweller) bool { return other == d })
		d.relay.Close()
		w.addNode()
	case n < 994:
		w.redis.Restart()
	}
	for _, d := range w.nodes {
		if d.parted > 0 {
			if d.parted--; d.parted == 0 {
				d.proxy.Heal()
			}
		}
	}
}

// leaveOne ends a random socket, after its join if that is under way.
func (d *dweller) leaveOne(rnd *rand.Rand) {
	if len(d.sockets) == 0 {
		return
	}
	i := rnd.IntN(len(d.sockets))
	s := d.sockets[i]
	d.sockets = slices.Delete(d.sockets, i, i+1)
	if err := wait(s.done); err != nil {
		d.t.Fatalf("join %s to %s: %v; parted %d, status %+v", s.user, s.channel, err, d.parted, d.relay.Status())
	}
	if rnd.IntN(4) == 0 {
		d.leaveWithGrace(s.channel, s.user)
	} else {
		d.leave(s.channel, s.user)
	}
}

// users are those who have a socket, "user:nodes" in one line.
func (w *world) users(channel string) map[string]int {
	users := map[string]int{}
	for _, d := range w.nodes {
		here := map[string]bool{}
		for _, s := range d.sockets {
			if s.channel == channel {
				here[s.user] = true
			}
		}
		for user := range here {
			users[user]++
		}
	}
	return users
}

// differs says in what Redis or a node differ from the truth.
func (w *world) differs() string {
	for _, channel := range worldChannels {
		users := w.users(channel)
		got := map[string]int{}
		flat, _ := w.redis.Do("HGETALL", "reverb:{app/"+channel+"}:c").([]any)
		for pair := range slices.Chunk(flat, 2) {
			got[pair[0].(string)], _ = strconv.Atoi(pair[1].(string))
		}
		if fmt.Sprint(got) != fmt.Sprint(users) {
			return fmt.Sprintf("redis has %v, want %v in %s", got, users, channel)
		}
		for i, d := range w.nodes {
			roster := strings.Fields(d.roster(channel))
			if slices.Equal(roster, []string{"none"}) {
				continue // nobody is subscribed here
			}
			slices.Sort(roster)
			want := make([]string, 0, len(users))
			for user := range users {
				want = append(want, user)
			}
			slices.Sort(want)
			if !slices.Equal(roster, want) {
				return fmt.Sprintf("node %d has %v, want %v in %s", i, roster, want, channel)
			}
		}
	}
	return ""
}

// TestRandomLife has nodes joined, left, killed, closed and cut off at random, and Redis lost: when peace returns everybody knows the truth,
// and what was announced never contradicted itself.
func TestRandomLife(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CLUSTER_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("CLUSTER_SEED=%d", seed)
	steps := 1500
	if testing.Short() {
		steps = 300
	}
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), redis: redistest.Start(t)}
	for range 4 {
		w.addNode()
	}
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for range steps {
		<-pace.C
		w.step()
	}
	for _, d := range w.nodes {
		d.proxy.Heal()
		for _, s := range d.sockets {
			if err := wait(s.done); err != nil {
				t.Errorf("join %s: %v", s.user, err)
			}
		}
	}
	eventually(t, "peace", w.differs)
	for _, d := range w.nodes {
		for len(d.sockets) > 0 {
			d.leaveOne(w.rnd)
		}
	}
	eventually(t, "nobody is left", w.differs)
	emptied(t, w.redis)
}
