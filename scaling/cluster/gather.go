package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"reverb/scaling"
)

// gather asks all nodes and waits for their answers, but not for those of nodes that are gone or did not answer the last time.
//
// Redis tells how many nodes have received the question; the beats tell which nodes there are. A node that was killed
// receives nothing and so is not waited for; one that is stopped receives and does not answer: it is waited for once, and then again when
// it has answered something, however late. Receivers that no beat explains ("strangers": a node that just started, or was stopped for
// longer than its lease, or a foreign client that listens in) are also waited for once.
type gather struct {
	relay *Relay // constant

	mu sync.Mutex
	// Guarded by mu.
	last      uint64 // id of the last round
	rounds    map[uint64]*round
	suspects  map[string]struct{} // ids of nodes that did not answer
	strangers int                 // receivers that nobody knows and that did not answer
}

// round is one question and its answers. It is guarded by the mutex of gather.
type round struct {
	peers     []string         // the nodes that live, as of the beginning; not changed
	receivers int              // other than this node; -1 while Redis has not told
	replies   map[string]reply // by node
	done      chan struct{}    // closed when there is nothing more to wait for
	closed    bool
}

// maxRounds bounds the questions that wait for answers at a time.
const maxRounds = 4096

func newGather(r *Relay) *gather {
	return &gather{relay: r, rounds: make(map[uint64]*round), suspects: make(map[string]struct{})}
}

// Query asks all nodes; see scaling.Querier.
func (r *Relay) Query(ctx context.Context, q scaling.Query) scaling.Answer {
	ctx, cancel := context.WithTimeout(ctx, r.opts.QueryTimeout)
	defer cancel()
	if a, ok := r.fromOwnView(ctx, q); ok {
		return a
	}
	r.counters.asked.Add(1)
	id, rd := r.gather.begin(r.presence.peers())
	if rd == nil {
		return r.alone(q)
	}
	payload := encodeQuestion(question{node: r.node.process, id: id, query: q})
	r.bus.PublishCount(r.names.all(), payload, func(n int, err error) { r.gather.told(rd, n, err) })
	a := r.localAnswer(q)
	select {
	case <-rd.done:
	case <-ctx.Done():
	}
	r.gather.end(id, rd, &a, errors.Is(ctx.Err(), context.DeadlineExceeded))
	if a.Partial() {
		r.counters.partial.Add(1)
	}
	return a
}

// fromOwnView answers for the users of a presence channel that has subscribers here: this node follows the roster of the cluster, and asks
// Redis alone whether it has all of it.
func (r *Relay) fromOwnView(ctx context.Context, q scaling.Query) (scaling.Answer, bool) {
	if q.Of != scaling.QueryUsers || !r.bus.Up() {
		return scaling.Answer{}, false
	}
	name := r.names.events(q.App, q.Channel)
	if c := r.interests.find(name); c == nil || !c.kind.IsPresence() || !r.presence.caughtUp(ctx, name) {
		return scaling.Answer{}, false
	}
	a := r.localAnswer(q)
	return a, len(a.Channels) > 0
}

// alone answers for the cluster without having asked it.
func (r *Relay) alone(q scaling.Query) scaling.Answer {
	a := r.localAnswer(q)
	a.Nodes += max(1, len(r.presence.peers()))
	r.counters.partial.Add(1)
	return a
}

// begin opens a round; nil when there are too many.
func (g *gather) begin(peers []string) (uint64, *round) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.rounds) >= maxRounds {
		return 0, nil
	}
	g.last++
	rd := &round{peers: peers, receivers: -1, replies: make(map[string]reply), done: make(chan struct{})}
	g.rounds[g.last] = rd
	return g.last, rd
}

// told notes how many nodes received the question, this one included; with an error nobody did.
func (g *gather) told(rd *round, n int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		rd.receivers = 0
		rd.closeLocked()
		return
	}
	rd.receivers = max(0, n-1)
	g.testLocked(rd)
}

// take takes an answer.
func (g *gather) take(a reply) {
	g.mu.Lock()
	defer g.mu.Unlock()
	node := a.node.String()
	delete(g.suspects, node)
	rd := g.rounds[a.id]
	if rd == nil {
		return // too late
	}
	rd.replies[node] = a
	g.testLocked(rd)
}

// testLocked ends a round when all nodes have answered that can be expected to. It is called on both events, the answer and Redis' count,
// because either may be the last.
func (g *gather) testLocked(rd *round) {
	if rd.receivers < 0 {
		return
	}
	missing, silent := g.missingLocked(rd)
	if len(rd.replies) >= rd.receivers || missing == silent && len(rd.replies)+silent+g.strangers >= rd.receivers {
		rd.closeLocked()
	}
}

// missingLocked counts the peers that have not answered, and those among them of whom nothing else was expected.
func (g *gather) missingLocked(rd *round) (missing, silent int) {
	for _, id := range rd.peers {
		if _, ok := rd.replies[id]; ok {
			continue
		}
		missing++
		if _, ok := g.suspects[id]; ok {
			silent++
		}
	}
	return missing, silent
}

// end closes the round and adds its answers to a. Nodes that did not answer in time are remembered.
func (g *gather) end(id uint64, rd *round, a *scaling.Answer, late bool) {
	g.mu.Lock()
	delete(g.rounds, id)
	receivers := max(rd.receivers, 0)
	missing, _ := g.missingLocked(rd)
	nodes := max(len(rd.peers), receivers-g.strangers, len(rd.replies))
	if rd.receivers >= 0 {
		unknown := max(0, receivers-len(rd.replies)-missing)
		if late && !rd.closed {
			g.suspectLocked(rd)
			g.strangers = unknown
		}
		g.strangers = min(g.strangers, unknown)
	}
	g.mu.Unlock()
	// From here on nobody else touches the round.
	if len(rd.replies) == 0 && !g.relay.bus.Up() {
		nodes = max(nodes, 1) // nobody could be asked, and there may be somebody
	}
	a.Nodes += nodes
	for _, id := range slices.Sorted(maps.Keys(rd.replies)) { // the same answer each time
		if r := rd.replies[id]; !r.tooBig {
			r.answer.Answered = 1
			a.Merge(r.answer)
		}
	}
}

// suspectLocked remembers the peers that did not answer, in place of those of an earlier round.
func (g *gather) suspectLocked(rd *round) {
	clear(g.suspects)
	for _, id := range rd.peers {
		if _, ok := rd.replies[id]; !ok {
			g.suspects[id] = struct{}{}
		}
	}
}

func (rd *round) closeLocked() {
	if !rd.closed {
		rd.closed = true
		close(rd.done)
	}
}
