package roster_test

import (
	"time"

	"reverb/protocol"
	"reverb/scaling/cluster/roster"
)

// Times of the model, of its own clock. Those of the cluster have the proportions of production.
const (
	modelBeat    = time.Second
	modelLease   = 10 * time.Second
	modelGrace   = 3 * time.Second
	modelRetell  = 5 * time.Second
	modelLinger  = 5 * time.Second
	modelTimeout = 3 * time.Second        // a link that answers nothing for so long is lost
	modelDelay   = 300 * time.Millisecond // the most that anything waits on its way
)

// modelNode is one node: its link to Redis, its lease, its lane of the channel, and the hub behind them.
type modelNode struct {
	m     *model
	index int
	id    string
	dead  bool // its process has ended; it may come back as another one

	// The link. Redis keeps the order of what comes over one connection to one slot; slots and subscriptions have their own.
	online  bool
	silent  time.Time // since when the link carries nothing; zero: it does
	back    time.Time // when a lost link is there again
	calls   [slots]fifo[call]
	replies [slots]fifo[call]
	subs    fifo[call] // SUBSCRIBE and UNSUBSCRIBE
	pushed  fifo[push] // what Redis has sent over the subscribing connection
	lane    fifo[call] // what is to be done for the channel, in order

	// The lease.
	former           string
	fresh, talking   bool
	losses           int
	beaten, nextBeat time.Time
	beating, reaping bool
	closing          bool
	sightings        map[string]sighting
	wantsTick        bool

	// The channel.
	interest  *modelInterest
	subbed    bool // Redis sends it the deltas
	view      *roster.View
	held      bool
	told      []string                        // what was announced, when a test says what happens
	list      map[string]*protocol.MemberData // as subscribers see it
	sockets   map[string]int                  // answered, and not left
	inView    map[string]int                  // the same as the view knows it
	joining   int
	joins     map[string]int       // under way
	heldSince map[string]time.Time // of sockets
}

type sighting struct {
	beat  int
	since time.Time
}

// modelInterest is the channel from its first join until it is let go.
type modelInterest struct {
	refs    int
	holding bool // the channel is held, or is about to be
	open    bool
	waiting []func()
	idle    time.Time // since when there are no refs
}

// Slots of Redis Cluster: a link has a connection of its own for each.
const (
	slotRoster = iota // the channel's keys
	slotNodes         // which nodes live
	slotNode          // in which channels a node has users
	slots
)

// call is something that waits since a time. A call to Redis has do run there, which returns what its reply does; lost is called instead when
// there is no reply.
type call struct {
	since time.Time
	do    func() (reply func())
	lost  func()
}

// push is what Redis sends by itself: a delta, or the confirmation of a subscription.
type push struct {
	since     time.Time
	delta     roster.Delta
	confirmed *modelInterest
}

func (m *model) startNode(index int) *modelNode {
	m.ids++
	n := &modelNode{
		m: m, index: index, id: nameOf("n", m.ids), fresh: true, nextBeat: m.now,
		online: !m.now.Before(m.away), back: m.away,
		sightings: map[string]sighting{}, list: map[string]*protocol.MemberData{}, sockets: map[string]int{}, inView: map[string]int{}, joins: map[string]int{}, heldSince: map[string]time.Time{},
	}
	return n
}

// ask sends a call to Redis.
func (n *modelNode) ask(slot int, do func() func(), lost func()) {
	if !n.online {
		lost()
		return
	}
	n.calls[slot].push(call{since: n.m.now, do: do, lost: lost})
}

// run puts something into the lane of the channel.
func (n *modelNode) run(do func()) {
	n.lane.push(call{since: n.m.now, do: func() func() { do(); return nil }})
}

func (n *modelNode) alive() bool { return n.talking && n.m.now.Sub(n.beaten) < modelLease-modelBeat }

// step has the view take an input, as package cluster does.
func (n *modelNode) step(in roster.Input) {
	if n.view == nil {
		n.view = roster.New(roster.Settings{Beat: modelBeat, Grace: modelGrace, Retell: modelRetell})
	}
	v := n.view
	out := v.Step(in, roster.Moment{Now: n.m.now, Node: n.id, Alive: n.alive(), Online: n.online && !n.closing})
	for _, e := range out.Events {
		n.hear(e)
	}
	for _, c := range out.Commands {
		n.do(v, c)
	}
	if wrong := v.Inconsistent(); wrong != "" {
		n.m.fail("node %s: the view is inconsistent: %s", n.id, wrong)
	}
	n.wantsTick = out.Tick || n.wantsTick && !out.Over
	if out.Over && n.view == v {
		n.view = nil
	}
}

// hear is the hub, and the joins that wait.
func (n *modelNode) hear(e roster.Event) {
	m := n.m
	switch e.Kind {
	case roster.MemberAdded:
		if !n.held {
			m.fail("node %s: %s is added to a channel that is not held", n.id, e.UserID)
		}
		known := n.list[e.UserID]
		if known != nil && string(known.Raw) == string(e.Member.Raw) {
			m.fail("node %s: %s is announced twice", n.id, e.UserID)
		}
		if known == nil {
			m.checkJoin(n, e.UserID)
		}
		n.list[e.UserID] = e.Member
		n.announced("+" + e.UserID)
	case roster.MemberRemoved:
		if n.list[e.UserID] == nil {
			m.fail("node %s: %s leaves and was not there", n.id, e.UserID)
		}
		if n.inView[e.UserID] > 0 {
			m.fail("node %s: %s leaves and has a socket here", n.id, e.UserID)
		}
		m.checkLeave(n, e.UserID)
		delete(n.list, e.UserID)
		n.announced("-" + e.UserID)
	case roster.Opened:
		if i := n.interest; i != nil && !i.open {
			i.open = true
			for _, enter := range i.waiting {
				enter()
			}
			i.waiting = nil
		}
	case roster.Answered:
		e.Done(e.Err)
	}
}

// do carries out a command.
func (n *modelNode) do(v *roster.View, command roster.Command) {
	m := n.m
	reply := func(in roster.Input) func() {
		return func() {
			n.run(func() {
				if n.view == v {
					n.step(in)
				} else {
					v.Step(in, roster.Moment{Now: m.now, Node: n.id})
				}
			})
		}
	}
	now := func(in roster.Input) { reply(in)() }
	switch to := command.(type) {
	case roster.TellJoin:
		m.generations++
		generation := nameOf("g", m.generations)
		n.ask(slotRoster, func() func() {
			outcome, at, elsewhere := m.redis.join(to.Node, to.UserID, string(to.Data), to.Most, generation)
			m.log("  redis: join %s on %s: %s %v", to.UserID, to.Node, outcome, at)
			return reply(roster.JoinTold{To: to, Full: outcome == "full", At: at, Elsewhere: elsewhere})
		}, func() { now(roster.JoinTold{To: to, Err: errLost}) })
	case roster.TellLeave:
		n.ask(slotRoster, func() func() {
			sign, at := m.redis.leave(to.Node, to.UserID, to.Grace.Milliseconds())
			m.log("  redis: leave %s on %s: %q %v", to.UserID, to.Node, sign, at)
			if sign != string(roster.SignRemoved) {
				at = roster.Position{}
			}
			return reply(roster.LeaveTold{To: to, At: at})
		}, func() { now(roster.LeaveTold{To: to, Err: errLost}) })
	case roster.Fetch:
		n.ask(slotRoster, func() func() {
			in := m.redis.fetch(to.Node)
			in.To = to
			m.log("  redis: fetch for %s: %v", to.Node, in.At)
			return reply(in)
		}, func() { now(roster.Fetched{To: to, Err: errLost}) })
	case roster.Compare:
		n.ask(slotRoster, func() func() {
			at, held := m.redis.check(to.Node)
			return reply(roster.Compared{To: to, At: at, Held: held})
		}, func() { now(roster.Compared{To: to, Err: errLost}) })
	case roster.Register:
		n.ask(slotNode, func() func() {
			m.registered[to.Node] = true
			return reply(roster.Registered{To: to})
		}, func() { now(roster.Registered{To: to, Err: errLost}) })
	case roster.Unregister:
		n.ask(slotNode, func() func() { delete(m.registered, to.Node); return nothing }, nothing)
	case roster.DropNode:
		n.dropAll(to.Node, 0, func(int, bool) {})
	case roster.EndGraces:
		n.ask(slotRoster, func() func() {
			_, left := m.redis.drop("", 0, 0, modelGrace.Milliseconds())
			m.log("  redis: %d are in their grace", left)
			return reply(roster.GracesEnded{To: to, Left: left})
		}, func() { now(roster.GracesEnded{To: to, Err: errLost}) })
	}
}

func (n *modelNode) announced(what string) {
	n.m.log("    node %s: %s", n.id, what)
	if n.m.script {
		n.told = append(n.told, what)
	}
}

func nothing() {}

// dropAll takes all users of a node out of the channel, two at a time.
func (n *modelNode) dropAll(id string, grace time.Duration, done func(lingering int, ok bool)) {
	n.ask(slotRoster, func() func() {
		held, lingering := n.m.redis.drop(id, 2, grace.Milliseconds(), modelGrace.Milliseconds())
		n.m.log("  redis: drop %s, %d left", id, held)
		return func() {
			if held > 0 {
				n.dropAll(id, grace, done)
				return
			}
			done(lingering, true)
		}
	}, func() { done(0, false) })
}

// join subscribes one more socket of a user.
func (n *modelNode) join(user, data string, most int) {
	m := n.m
	since := m.now
	n.joining++
	n.joins[user]++
	m.joins[user]++
	enter := func() {
		i := n.interest
		n.run(func() {
			n.step(roster.Join{Member: memberOf(data), Most: most, Done: func(err error) {
				n.joining--
				n.joins[user]--
				m.joins[user]--
				m.last[user] = m.now
				if waited := m.now.Sub(since); waited > answerBound {
					m.fail("node %s: the join of %s was answered after %v", n.id, user, waited)
				}
				if err != nil {
					m.log("    node %s: %s is refused", n.id, user)
					n.drop(i)
					return
				}
				if n.list[user] == nil {
					m.fail("node %s: %s has joined and is not in the list", n.id, user)
				}
				n.inView[user]++
				m.sockets[user]++
				if n.sockets[user]++; n.sockets[user] == 1 {
					n.heldSince[user] = m.now
				}
			}})
		})
	}
	if n.interest == nil {
		n.interest = &modelInterest{}
		n.subscribe(n.interest)
	}
	n.interest.refs++
	if !n.interest.open {
		n.interest.waiting = append(n.interest.waiting, enter)
		return
	}
	enter()
}

// leave ends one socket of a user.
func (n *modelNode) leave(user string, grace bool) {
	if n.sockets[user]--; n.sockets[user] == 0 {
		delete(n.sockets, user)
	}
	n.m.lets(user)
	n.run(func() {
		if n.inView[user]--; n.inView[user] == 0 {
			delete(n.inView, user)
		}
		n.step(roster.Leave{UserID: user, Grace: grace})
	})
	n.drop(n.interest)
}

func (n *modelNode) drop(i *modelInterest) {
	if i.refs--; i.refs == 0 {
		i.idle = n.m.now
	}
}

// subscribe asks Redis for the channel, which is held when that is confirmed, or Redis is down.
func (n *modelNode) subscribe(i *modelInterest) {
	if !n.online {
		n.hold(i)
		return
	}
	n.toSubscriber(func() {
		n.subbed = true
		n.pushed.push(push{since: n.m.now, confirmed: i})
	})
}

func (n *modelNode) hold(i *modelInterest) {
	i.holding = true
	n.run(func() {
		n.held = true
		n.step(roster.Open{})
	})
}

// release lets go of a channel without sockets.
func (n *modelNode) release() {
	n.interest = nil
	if n.online {
		n.toSubscriber(func() { n.subbed = false })
	}
	n.run(func() {
		n.held = false
		n.step(roster.Close{})
		clear(n.list)
	})
}

func (n *modelNode) toSubscriber(do func()) {
	n.subs.push(call{since: n.m.now, do: func() func() { do(); return nil }})
}
