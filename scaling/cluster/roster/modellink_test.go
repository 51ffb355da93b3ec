package roster_test

import (
	"time"

	"reverb/scaling/cluster/roster"
)

// fifo is a queue.
type fifo[T any] struct {
	items []T
	next  int
}

func (q *fifo[T]) push(x T) { q.items = append(q.items, x) }
func (q *fifo[T]) len() int { return len(q.items) - q.next }
func (q *fifo[T]) first() T { return q.items[q.next] }
func (q *fifo[T]) clear()   { q.items, q.next = nil, 0 }

func (q *fifo[T]) pop() T {
	x := q.items[q.next]
	var zero T
	q.items[q.next] = zero
	if q.next++; q.next == len(q.items) {
		q.items, q.next = q.items[:0], 0
	}
	return x
}

// The ways on which something waits: lane, calls and replies of each slot, subscriptions, what is pushed.
const ways = 1 + 2*slots + 2

// since is since when the first thing of a way waits.
func (n *modelNode) since(way int) (since time.Time, any bool) {
	carries := n.silent.IsZero()
	switch {
	case way == 0:
		return firstSince(&n.lane, true)
	case way <= slots:
		return firstSince(&n.calls[way-1], carries)
	case way <= 2*slots:
		return firstSince(&n.replies[way-1-slots], carries)
	case way == 2*slots+1:
		return firstSince(&n.subs, carries)
	case carries && n.pushed.len() > 0:
		return n.pushed.first().since, true
	}
	return time.Time{}, false
}

func firstSince(q *fifo[call], carries bool) (time.Time, bool) {
	if !carries || q.len() == 0 {
		return time.Time{}, false
	}
	return q.first().since, true
}

// bring brings the first thing of a way to its end.
func (n *modelNode) bring(way int) {
	switch {
	case way == 0:
		n.lane.pop().do()
	case way <= slots:
		c := n.calls[way-1].pop()
		reply := c.do()
		n.replies[way-1].push(call{since: n.m.now, do: func() func() { reply(); return nil }, lost: c.lost})
		n.m.checkRedis()
	case way <= 2*slots:
		n.replies[way-1-slots].pop().do()
	case way == 2*slots+1:
		n.subs.pop().do()
	default:
		n.take(n.pushed.pop())
	}
}

// take takes what Redis has sent by itself.
func (n *modelNode) take(p push) {
	if p.confirmed != nil {
		if !p.confirmed.holding {
			n.hold(p.confirmed)
		}
		return
	}
	n.run(func() {
		if n.held {
			n.step(roster.DeltaCame{Delta: p.delta})
		}
	})
}

// duplicate has what was pushed come twice, once after everything else.
func (n *modelNode) duplicate() {
	if n.pushed.len() > 0 && n.pushed.first().confirmed == nil {
		n.m.log("node %s: a delta comes twice", n.id)
		again := n.pushed.first()
		again.since = n.m.now
		n.pushed.push(again)
	}
}

// loseLink ends the link. Of what is on its way to Redis some gets there; no reply comes.
func (n *modelNode) loseLink(back time.Time) {
	m := n.m
	n.back = back
	if !n.online {
		return
	}
	m.log("node %s loses its link", n.id)
	n.online, n.subbed, n.silent, n.talking = false, false, time.Time{}, false
	n.losses++
	first := m.rnd.IntN(2) == 0
	if first {
		n.stepLater(roster.RedisLost{})
	}
	for _, lost := range n.abandon() {
		lost()
	}
	if !first {
		n.stepLater(roster.RedisLost{})
	}
	if i := n.interest; i != nil && !i.holding {
		n.hold(i)
	}
}

// abandon ends everything on the link, and returns what is to be called because no reply comes.
func (n *modelNode) abandon() (lost []func()) {
	m := n.m
	for slot := range slots {
		for n.replies[slot].len() > 0 {
			lost = append(lost, n.replies[slot].pop().lost)
		}
		arrives := m.rnd.IntN(4)
		for n.calls[slot].len() > 0 {
			c := n.calls[slot].pop()
			lost = append(lost, c.lost)
			switch {
			case arrives > 0:
				arrives--
				c.do()
				m.checkRedis()
			case n.dead && !n.closing && m.rnd.IntN(2) == 0: // a node that leaves by itself says so after everything else
				m.late.push(call{since: m.now.Add(time.Duration(m.rnd.Int64N(int64(lateness)))), do: c.do})
			}
		}
	}
	n.subs.clear()
	n.pushed.clear()
	return lost
}

// findLink ends an outage: subscriptions come first, then what the node has to say.
func (n *modelNode) findLink() {
	n.m.log("node %s has a link again", n.id)
	n.online, n.subbed = true, n.interest != nil
	n.nextBeat = n.m.now
}

// kill ends the process at once.
func (n *modelNode) kill() {
	n.m.log("node %s is killed", n.id)
	n.dead = true
	n.abandon()
	n.end()
}

// end has the sockets of the node closed.
func (n *modelNode) end() {
	n.dead, n.subbed = true, false
	for user, count := range n.sockets {
		for range count {
			n.m.lets(user)
		}
	}
	clear(n.sockets)
	for user, count := range n.joins {
		n.m.joins[user] -= count
		n.m.last[user] = n.m.now
	}
}

// quit takes the node out of the cluster by its own will: it says that it is dead, then its users get their grace.
func (n *modelNode) quit() {
	m := n.m
	n.closing = true
	id, lost := n.id, n.losses > 0
	if !n.online || !n.alive() {
		n.kill()
		return
	}
	m.log("node %s leaves", id)
	n.ask(slotNodes, func() func() {
		since := m.now
		if !lost {
			since = time.Time{}
		}
		m.nodes.bury(id, m.now.Add(modelGrace), since)
		return func() {
			n.run(func() { n.dropAll(id, modelGrace, func(int, bool) { n.end() }) })
		}
	}, n.end)
}
