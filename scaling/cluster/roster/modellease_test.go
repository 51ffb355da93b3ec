package roster_test

import (
	"maps"
	"slices"
	"time"

	"reverb/scaling/cluster/roster"
)

// Leases, as package cluster keeps them: a node beats, the others bury it when they have seen the same last beat for a whole lease, and one of
// them looks after the users of a dead node until late commands of it cannot come any more.
const (
	lookEvery   = 3 * modelLease
	forgetAfter = 30 * modelLease
)

// modelNodes is what Redis knows about the nodes.
type modelNodes struct {
	stamp  int
	beats  map[string]int
	look   map[string]time.Time // dead nodes: when to look after them
	buried map[string]time.Time // since when
}

func newModelNodes() modelNodes {
	return modelNodes{beats: map[string]int{}, look: map[string]time.Time{}, buried: map[string]time.Time{}}
}

func (d *modelNodes) bury(id string, look, since time.Time) {
	delete(d.beats, id)
	d.look[id], d.buried[id] = look, since
}

// heard is the reply to a beat.
type heard struct {
	lives bool
	beats map[string]int
	due   string
}

func (d *modelNodes) beat(id string, fresh bool, former string, hasTime bool, now time.Time) (h heard) {
	if former != "" {
		d.bury(former, now.Add(modelLease), now)
	}
	_, known := d.beats[id]
	if _, dead := d.look[id]; dead || !known && !fresh {
		return heard{}
	}
	d.stamp++
	d.beats[id] = d.stamp
	if hasTime {
		for _, dead := range slices.Sorted(maps.Keys(d.look)) {
			if !now.Before(d.look[dead]) {
				h.due = dead
				d.look[dead] = now.Add(modelLease)
				break
			}
		}
	}
	h.lives, h.beats = true, maps.Clone(d.beats)
	return h
}

// beat says that the node lives, and then gives a tick to its channel.
func (n *modelNode) beat(again bool) {
	m := n.m
	n.beating = true
	id, former, fresh, losses, sent := n.id, n.former, n.fresh, n.losses, m.now
	hasTime := !n.reaping
	ended := func() {
		n.beating = false
		n.tick()
	}
	n.ask(slotNodes, func() func() {
		h := m.nodes.beat(id, fresh, former, hasTime, m.now)
		return func() {
			switch {
			case !h.lives && again:
				m.ids++
				n.id, n.former, n.fresh, n.talking = nameOf("n", m.ids), id, true, false
				m.log("  node %s comes back as %s", id, n.id)
				n.beat(false)
				return
			case h.lives && n.losses == losses:
				n.takeBeat(h, sent)
			}
			ended()
		}
	}, ended)
}

// takeBeat takes what a beat has told.
func (n *modelNode) takeBeat(h heard, sent time.Time) {
	m := n.m
	back, former := !n.talking, n.former
	if back || sent.Sub(n.beaten) > modelLease/2 {
		clear(n.sightings)
	}
	n.talking, n.fresh, n.former, n.beaten = true, false, "", sent
	if back {
		n.stepLater(roster.RedisBack{Former: former, WasLost: n.losses > 0})
	}
	maps.DeleteFunc(n.sightings, func(id string, _ sighting) bool { return h.beats[id] == 0 })
	for _, id := range slices.Sorted(maps.Keys(h.beats)) {
		s, seen := n.sightings[id]
		if id == n.id {
			continue
		}
		if !seen || s.beat != h.beats[id] {
			n.sightings[id] = sighting{h.beats[id], m.now}
			continue
		}
		if m.now.Sub(s.since) >= modelLease {
			n.ask(slotNodes, func() func() {
				if m.nodes.beats[id] == s.beat {
					m.nodes.bury(id, m.now, m.now)
					m.log("  redis: node %s is dead", id)
				}
				return nothing
			}, nothing)
		}
	}
	if h.due != "" && !n.reaping {
		n.reaping = true
		n.lookAfter(h.due)
	}
}

// lookAfter takes the users of a dead node out.
func (n *modelNode) lookAfter(id string) {
	m := n.m
	over := func() { n.reaping = false }
	looked := func(lingering int, ok bool) {
		if !ok {
			over()
			return
		}
		n.ask(slotNodes, func() func() {
			since, known := m.nodes.buried[id]
			if known {
				again := lookEvery
				if lingering > 0 {
					again = modelBeat
				}
				m.nodes.look[id] = m.now.Add(again)
			}
			forget := known && lingering == 0 && m.now.Sub(since) >= forgetAfter
			return func() {
				if !forget {
					over()
					return
				}
				n.ask(slotNode, func() func() {
					delete(m.registered, id)
					return func() {
						n.ask(slotNodes, func() func() {
							delete(m.nodes.look, id)
							delete(m.nodes.buried, id)
							return over
						}, over)
					}
				}, over)
			}
		}, over)
	}
	n.ask(slotNode, func() func() {
		registered := m.registered[id]
		return func() {
			if registered {
				n.dropAll(id, 0, looked)
				return
			}
			looked(0, true)
		}
	}, over)
}

// tick is the end of a beat.
func (n *modelNode) tick() {
	if n.wantsTick {
		n.wantsTick = false
		n.m.log("tick %s", n.id)
		n.stepLater(roster.Tick{})
	}
	n.stepLater(roster.CheckAgainstRedis{})
}

// stepLater has the view take the input, unless it is over by then.
func (n *modelNode) stepLater(in roster.Input) {
	v := n.view
	if v == nil {
		return
	}
	n.run(func() {
		if n.view == v {
			n.step(in)
		}
	})
}
