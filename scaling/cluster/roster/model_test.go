package roster_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"reverb/protocol"
	"reverb/scaling/cluster/roster"
)

const (
	lateness    = 20 * time.Second // commands of a killed process may still come so long after its end
	answerBound = 15 * time.Second // of each join, whatever happens
	quietBound  = 75 * time.Second // after the last trouble every list is the truth
)

var errLost = errors.New("the link is lost")

// trouble is what may happen in a run.
type trouble int

const (
	calm  trouble = iota // delays
	short                // links and Redis are lost for a moment, one after the other
	wild                 // anything
)

// model is three nodes, their Redis, the network between, and the truth about which users are where.
type model struct {
	rnd     *rand.Rand
	now     time.Time
	trouble trouble
	pace    time.Duration
	steps   int
	trace   []string
	traced  bool
	script  bool // a test says what happens: no killed node comes back by itself

	redis      *twin
	nodes      modelNodes
	registered map[string]bool // by id: the node has users in the channel
	late       fifo[call]      // commands of killed processes
	away       time.Time       // until then Redis is away

	cluster          []*modelNode
	ids, generations int
	troubled         time.Time // when something happened last

	sockets map[string]int       // of a user, on all nodes
	joins   map[string]int       // under way
	last    map[string]time.Time // when a user had sockets or joins last
}

func newModel(seed uint64, t trouble) *model {
	m := &model{
		rnd: rand.New(rand.NewPCG(seed, uint64(t))), now: time.Unix(1e9, 0), trouble: t,
		nodes: newModelNodes(), registered: map[string]bool{},
		sockets: map[string]int{}, joins: map[string]int{}, last: map[string]time.Time{},
	}
	m.pace = []time.Duration{10 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond}[m.rnd.IntN(3)]
	m.emptyRedis()
	for i := range 3 {
		m.cluster = append(m.cluster, m.startNode(i))
	}
	return m
}

// failure ends a run.
type failure string

func (m *model) fail(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

func (m *model) log(format string, args ...any) {
	if m.traced {
		m.trace = append(m.trace, m.now.Sub(time.Unix(1e9, 0)).String()+" "+fmt.Sprintf(format, args...))
	}
}

// emptyRedis makes Redis know nothing.
func (m *model) emptyRedis() {
	m.redis = newTwin(m.publish)
	m.nodes = newModelNodes()
	clear(m.registered)
	m.late.clear()
}

func (m *model) publish(d roster.Delta) {
	m.log("  redis: delta %c%s %v", d.Sign, d.UserID, d.At)
	for _, n := range m.cluster {
		if n.subbed && !n.dead {
			n.pushed.push(push{since: m.now, delta: d})
		}
	}
}

// step has one thing happen.
func (m *model) step() {
	m.steps++
	switch n := m.rnd.IntN(1000); {
	case n < 500:
		m.bringSome()
	case n < 700:
		m.client(m.anyNode())
	case n < 700+m.chance():
		m.strike(m.anyNode())
	default:
		m.advance(time.Duration(m.rnd.Int64N(int64(m.pace))))
	}
}

// chance is how many steps of a thousand are trouble.
func (m *model) chance() int {
	switch {
	case m.trouble == wild:
		return 8
	case m.trouble == short && m.now.Sub(m.troubled) > 20*time.Second:
		return 20
	}
	return 0
}

func (m *model) anyNode() *modelNode { return m.cluster[m.rnd.IntN(len(m.cluster))] }

// bringSome brings something that waits to its end.
func (m *model) bringSome() {
	n := m.anyNode()
	from := m.rnd.IntN(ways)
	for i := range ways {
		way := (from + i) % ways
		if _, any := n.since(way); any && !n.dead {
			n.bring(way)
			return
		}
	}
}

// client has a client come or go.
func (m *model) client(n *modelNode) {
	if n.dead || n.closing {
		return
	}
	all := 0
	for _, count := range n.sockets {
		all += count
	}
	switch user := nameOf("u", m.rnd.IntN(5)); {
	case m.rnd.IntN(6) > all && n.joining < 4:
		most := 0
		if m.rnd.IntN(10) == 0 {
			most = 3
		}
		m.log("node %s: a socket of %s comes", n.id, user)
		n.join(user, modelData[user][m.rnd.IntN(2)], most)
	case n.sockets[user] > 0:
		grace := m.rnd.IntN(4) == 0
		m.log("node %s: a socket of %s goes, grace %v", n.id, user, grace)
		n.leave(user, grace)
	}
}

// strike has trouble come.
func (m *model) strike(n *modelNode) {
	m.troubled = m.now
	away := func(most time.Duration) time.Time { return m.now.Add(time.Duration(m.rnd.Int64N(int64(most)))) }
	if m.trouble == short {
		switch m.rnd.IntN(4) {
		case 0:
			n.loseLink(away(2 * time.Second))
		case 1:
			m.loseRedis(away(2 * time.Second))
		case 2:
			m.lapse(n)
		case 3:
			n.duplicate()
		}
		return
	}
	switch i := m.rnd.IntN(100); {
	case i < 25:
		n.loseLink(away(2 * modelLease))
	case i < 40:
		if n.silent.IsZero() && n.online {
			m.log("node %s: the link is silent", n.id)
			n.silent, n.back = m.now, away(2*modelLease)
		}
	case i < 50:
		m.loseRedis(away(2 * modelLease))
	case i < 60:
		m.lapse(n)
	case i < 65:
		n.duplicate()
	case i < 75 && n.pushed.len() > 0:
		m.log("node %s: something pushed is lost and nobody hears of it", n.id)
		if p := n.pushed.pop(); p.confirmed != nil {
			n.take(p)
		}
	case i < 90:
		if !n.dead {
			n.kill()
		}
	case !n.dead && !n.closing:
		n.quit()
	}
}

// loseRedis restarts Redis empty.
func (m *model) loseRedis(back time.Time) {
	m.log("redis is lost for %v", back.Sub(m.now))
	m.away = back
	for _, n := range m.cluster {
		if !n.dead {
			n.loseLink(back)
		}
	}
	m.emptyRedis()
}

// lapse interrupts the subscription of a node, which hears of that.
func (m *model) lapse(n *modelNode) {
	if n.dead || !n.online || !n.subbed {
		return
	}
	m.log("node %s: the subscription lapses", n.id)
	for n.pushed.len() > 0 {
		if p := n.pushed.pop(); p.confirmed != nil {
			n.take(p)
		}
	}
	n.stepLater(roster.DeltasLost{})
}

// advance lets time pass. Nothing waits for longer than modelDelay.
func (m *model) advance(d time.Duration) {
	m.now = m.now.Add(d)
	m.redis.now = m.now.UnixMilli()
	for m.late.len() > 0 && m.late.first().since.Before(m.now) {
		m.log("a command of a dead node comes")
		m.late.pop().do()
		m.checkRedis()
	}
	for i, n := range m.cluster {
		switch {
		case n.dead:
			if !m.script && m.rnd.IntN(20) == 0 {
				m.cluster[i] = m.startNode(i)
			}
		case !n.silent.IsZero() && m.now.Sub(n.silent) > modelTimeout:
			n.loseLink(n.back)
		case !n.online && !m.now.Before(n.back):
			n.findLink()
		}
		if n.online && !n.dead && !n.closing && !n.beating && !m.now.Before(n.nextBeat) {
			n.nextBeat = m.now.Add(modelBeat)
			n.beat(true)
		}
		if i := n.interest; i != nil && !n.dead && i.refs == 0 && m.now.Sub(i.idle) > modelLinger {
			n.release()
		}
		m.bringOverdue(n)
	}
}

func (m *model) bringOverdue(n *modelNode) {
	for moved := true; moved && !n.dead; {
		moved = false
		for way := range ways {
			if since, any := n.since(way); any && !n.dead && m.now.Sub(since) > modelDelay {
				n.bring(way)
				m.steps++
				moved = true
			}
		}
	}
}

// lets counts a socket out.
func (m *model) lets(user string) {
	if m.sockets[user]--; m.sockets[user] == 0 {
		delete(m.sockets, user)
		m.last[user] = m.now
	}
}

// quiet ends all trouble and waits until nothing is wrong.
func (m *model) quiet(wrong func() string, bound time.Duration) {
	m.away = m.now
	for _, n := range m.cluster {
		n.back = m.now
		if !n.silent.IsZero() {
			n.loseLink(m.now)
		}
	}
	for start := m.now; ; {
		m.advance(100 * time.Millisecond)
		w := wrong()
		if m.late.len() > 0 {
			start = m.now
		}
		if w == "" && m.late.len() == 0 {
			return
		}
		if m.now.Sub(start) > bound {
			m.fail("%v after the last trouble: %s", bound, w)
		}
	}
}

// live runs the model once, from the first socket until the last trace is gone.
func (m *model) live(steps int) (err error) {
	defer func() {
		if f, ok := recover().(failure); ok {
			err = errors.New(string(f))
		} else if f := recover(); f != nil {
			panic(f)
		}
	}()
	for m.steps < steps {
		m.step()
	}
	m.quiet(m.differs, quietBound)
	for _, n := range m.cluster {
		for _, user := range slices.Sorted(maps.Keys(n.sockets)) {
			for n.sockets[user] > 0 {
				n.leave(user, false)
			}
		}
	}
	m.quiet(m.left, quietBound)
	if m.rnd.IntN(20) == 0 {
		m.quiet(m.remembered, 2*forgetAfter)
	}
	return nil
}

// TestAnyOrderOfEvents has three nodes live through random orders of events. ROSTER_STEPS sets how many; ROSTER_SEED has one run repeated and
// told.
func TestAnyOrderOfEvents(t *testing.T) {
	steps := defaultSteps
	if s := os.Getenv("ROSTER_STEPS"); s != "" {
		steps, _ = strconv.Atoi(s)
	}
	seed, single := uint64(time.Now().UnixNano()), false
	if s := os.Getenv("ROSTER_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
		single = true
	}
	start, runs := time.Now(), 0
	for done := 0; done < steps; seed++ {
		m := newModel(seed, trouble(seed%3))
		m.traced = single
		if err := m.live(1500); err != nil {
			again := newModel(seed, trouble(seed%3))
			again.traced = true
			_ = again.live(1500)
			t.Fatalf("%s\nROSTER_SEED=%d: %v", strings.Join(again.trace[max(0, len(again.trace)-300):], "\n"), seed, err)
		}
		done += m.steps
		runs++
		if single {
			t.Log(strings.Join(m.trace, "\n"))
			return
		}
	}
	t.Logf("%d steps in %d runs, %v", steps, runs, time.Since(start).Round(time.Millisecond))
}

// nameOf makes a name.
func nameOf(prefix string, i int) string { return prefix + strconv.Itoa(i) }

// modelData are the channel_data that the sockets of a user come with.
var modelData = func() map[string][2]string {
	all := map[string][2]string{}
	for i := range 5 {
		user := nameOf("u", i)
		all[user] = [2]string{`{"user_id":"` + user + `","user_info":"old"}`, `{"user_id":"` + user + `","user_info":"new"}`}
	}
	return all
}()

func memberOf(data string) *protocol.MemberData {
	m, err := roster.ParseMember(data)
	if err != nil {
		panic(err)
	}
	return m
}
