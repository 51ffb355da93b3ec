package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/cluster/roster"
)

// lease is what this node knows about the nodes that live, itself included. It may be used from any goroutine.
//
// A node lives while it beats. Another one that has seen the same last beat of it for a whole lease, by its own monotonic clock and while
// it could see, buries it; Redis refuses that if there has been a beat since. So no clock that jumps kills anybody, nor does an outage of
// Redis. A node that is buried finds out by its next beat, and before that by its own clock: it does nothing under an id whose last beat
// is so old that the others may have buried it.
type lease struct {
	mu sync.Mutex
	// Guarded by mu.
	id      string    // of this node
	former  string    // its id before, if that must still be buried; else empty
	fresh   bool      // id has not beaten yet
	talking bool      // it has, since Redis was last lost
	losses  int       // of Redis
	beaten  time.Time // when the last answered beat was sent
	others  others

	// Owned by the goroutine that beats.
	sightings map[string]*sighting // of the other nodes
}

// others are the other nodes that live, as the last beat has heard. It is not changed, but replaced.
type others struct {
	live      []string
	nodes     []scaling.Node // the same, by name
	elsewhere map[string]int // connections by app on them
}

// sighting is the last beat of another node.
type sighting struct {
	beat  string
	since time.Time // when it was first seen
}

// start makes this node known to itself as id.
func (l *lease) start(id string) { l.id, l.fresh = id, true }

// lose says that Redis is lost: under which id this node lives must be asked again.
func (l *lease) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.talking = false
	l.losses++
}

// session returns the id of this node, and whether the node may act under it.
func (p *presence) session() (id string, ok bool) {
	l := &p.lease
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id, l.talking && time.Since(l.beaten) < p.o.Lease-p.o.Beat
}

// interrupted reports whether Redis was ever lost.
func (p *presence) interrupted() bool {
	p.lease.mu.Lock()
	defer p.lease.mu.Unlock()
	return p.lease.losses > 0
}

// peers are the other nodes that live, as the last beat has heard.
func (p *presence) peers() []string {
	p.lease.mu.Lock()
	defer p.lease.mu.Unlock()
	return p.lease.others.live
}

// otherConnections is how many open connections the other nodes have for an app.
func (p *presence) otherConnections(app string) int {
	p.lease.mu.Lock()
	defer p.lease.mu.Unlock()
	return p.lease.others.elsewhere[app]
}

// beat says that this node lives, and hears which others do. If the others have taken it for dead, or Redis has lost it, it comes back under
// another id.
func (p *presence) beat(ctx context.Context) {
	for range 2 {
		p.lease.mu.Lock()
		id, former, fresh, losses := p.lease.id, p.lease.former, p.lease.fresh, p.lease.losses
		p.lease.mu.Unlock()
		connections, _ := json.Marshal(p.handler.Connections()) // a map of integers
		sent := time.Now()
		reply, err := p.do(ctx, p.nodesCommand(beatScript, id, string(connections), flag(fresh), former,
			milliseconds(p.o.Lease), flag(!p.reaping.Load()), milliseconds(4*p.o.Lease+p.o.Grace),
			p.about))
		if err != nil {
			p.complain("beat", err)
			return
		}
		heard, err := readHeard(reply)
		switch {
		case err != nil:
			p.complain("beat", err)
			return
		case heard.lives:
			p.alive(ctx, sent, losses, heard)
			return
		}
		p.renew(id)
	}
}

// renew gives this node another id than the one that was taken for dead.
func (p *presence) renew(dead string) {
	id := p.node.renew().String()
	p.o.Log.Warn("the others, or redis, have given this node up: it comes back", "node", dead, "as", id)
	p.lease.mu.Lock()
	defer p.lease.mu.Unlock()
	p.lease.id, p.lease.former, p.lease.fresh, p.lease.talking = id, dead, true, false
}

// heard is the reply to a beat.
type heard struct {
	lives       bool
	beats       map[string]string // by node
	connections map[string]string // by node, JSON; and what each says of itself, see aboutField
	due         []string          // dead nodes to look after
}

func readHeard(reply bus.Reply) (h heard, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 4 {
		return h, orMalformed(err)
	}
	state, err := parts[0].Text()
	if err != nil {
		return h, err
	}
	h.lives = state == "lives"
	if h.beats, err = pairs(parts[1]); err != nil {
		return h, err
	}
	if h.connections, err = pairs(parts[2]); err != nil {
		return h, err
	}
	h.due, err = parts[3].Texts()
	return h, err
}

// pairs reads a flat list of names and values.
func pairs(reply bus.Reply) (map[string]string, error) {
	flat, err := reply.Texts()
	if err != nil {
		return nil, err
	}
	m := make(map[string]string, len(flat)/2)
	for pair := range slices.Chunk(flat, 2) {
		if len(pair) == 2 {
			m[pair[0]] = pair[1]
		}
	}
	return m, nil
}

// alive takes what a beat has heard.
func (p *presence) alive(ctx context.Context, sent time.Time, losses int, h heard) {
	l := &p.lease
	l.mu.Lock()
	if l.losses != losses {
		l.mu.Unlock()
		return // Redis was lost since: its subscriptions do not hold, this reply is of the past
	}
	back, former := !l.talking, l.former
	if back || sent.Sub(l.beaten) > p.o.Lease/2 {
		clear(l.sightings) // whom we could not see, we cannot miss
	}
	l.talking, l.fresh, l.former, l.beaten = true, false, "", sent
	id := l.id
	l.mu.Unlock()
	// A connection that is opened asks for these numbers on its event loop: the reply, which grows with nodes and apps, is read first.
	silent, o := l.sight(h, id, time.Now(), p.o.Lease)
	l.mu.Lock()
	l.others = o
	l.mu.Unlock()

	if back {
		p.stepEach(roster.RedisBack{Former: former, WasLost: p.interrupted()})
	}
	for node, beat := range silent {
		p.o.Log.Warn("a node is dead", "node", node)
		p.bus.Do(p.nodesCommand(buryScript, node, beat, "0"), func(bus.Reply) { p.beatNow() })
	}
	if len(h.due) > 0 && p.reaping.CompareAndSwap(false, true) {
		p.tasks.Go(func() {
			p.lookAfter(ctx, h.due[0])
			p.reaping.Store(false)
			p.beatNow() // there may be another
		})
	}
}

// sight notes the beats of the other nodes. It returns the last beats of those that have been silent for a lease, and the others.
func (l *lease) sight(h heard, id string, now time.Time, lease time.Duration) (silent map[string]string, o others) {
	delete(h.beats, id)
	if l.sightings == nil {
		l.sightings = make(map[string]*sighting)
	}
	maps.DeleteFunc(l.sightings, func(node string, _ *sighting) bool { return h.beats[node] == "" })
	o.live, o.nodes = make([]string, 0, len(h.beats)), make([]scaling.Node, 0, len(h.beats))
	o.elsewhere = make(map[string]int)
	silent = make(map[string]string)
	for node, beat := range h.beats {
		s := l.sightings[node]
		if s == nil || s.beat != beat {
			s = &sighting{beat, now}
			l.sightings[node] = s
		}
		if now.Sub(s.since) >= lease {
			silent[node] = beat
			continue
		}
		o.live = append(o.live, node)
		n := readAbout(node, h.connections[aboutField(node)])
		n.Heard = s.since
		var connections map[string]int
		if json.Unmarshal([]byte(h.connections[node]), &connections) == nil {
			for app, open := range connections {
				o.elsewhere[app] += open
				n.Connections += open
			}
		}
		o.nodes = append(o.nodes, n)
	}
	slices.SortFunc(o.nodes, func(a, b scaling.Node) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return silent, o
}

// quitTimeout bounds how long leaving the cluster takes.
const quitTimeout = time.Second

// quit takes this node out of the cluster: its members get their grace.
func (p *presence) quit() {
	ctx, cancel := context.WithTimeout(context.Background(), quitTimeout)
	defer cancel()
	p.quitting.Store(true)
	defer p.stepEach(roster.RedisLost{}) // joins that wait are let in; it is over anyway
	id, ok := p.session()
	if !ok {
		return // the others will miss it
	}
	// First it is dead, then it lets go: if that fails half-way the others do the rest.
	if _, err := p.do(ctx, p.nodesCommand(buryScript, id, "", milliseconds(p.o.Grace), flag(p.interrupted()))); err != nil {
		p.complain("leave the cluster", err)
		return
	}
	var all []*channelView
	p.views.each(func(c *channelView) { all = append(all, c) })
	results := make(chan error, len(all))
	for _, c := range all {
		p.lanes.run(c.events, func() { // after the leaves that were asked for before
			p.dropAll(c.events, id, p.o.Grace, func(_ int64, err error) { results <- err })
		})
	}
	for range all {
		select {
		case err := <-results:
			if err != nil {
				p.complain("leave the cluster", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
