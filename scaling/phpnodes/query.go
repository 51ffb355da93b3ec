package phpnodes

import (
	"context"
	"unicode/utf8"

	"reverb/protocol"
	"reverb/scaling"
)

// Query asks the nodes of this program through their own relay, and PHP nodes with Reverb's questions, at the same time. See
// scaling.Querier; what PHP nodes cannot tell: subscriptions of a presence channel (as many as it has users are assumed), and who of its
// users is also elsewhere (they are counted twice in Users of a channel, but not listed twice).
func (r *Relay) Query(ctx context.Context, q scaling.Query) scaling.Answer {
	ctx, cancel := context.WithTimeout(ctx, r.opts.QueryTimeout)
	defer cancel()
	questions := r.questions(q)
	asked := make([]*round, len(questions))
	for i := range questions {
		asked[i] = r.ask(&questions[i])
	}
	a := r.nodes.Query(ctx, q)
	missing := 0
	for i, rd := range asked {
		if rd == nil {
			missing = max(missing, 1)
			continue
		}
		select {
		case <-rd.done:
		case <-ctx.Done():
		}
		answers, answered, silent := r.rounds.end(rd)
		missing = max(missing, silent)
		if answered > a.Answered { // each one is a node, those of this program included
			a.Nodes += answered - a.Answered
			a.Answered = answered
		}
		r.merge(&a, &questions[i], answers)
	}
	if !r.bus.Up() {
		missing = max(missing, 1) // PHP nodes were not asked, and there may be some
	}
	a.Nodes = max(a.Nodes, a.Answered+missing)
	return a
}

// questions are what PHP nodes have to be asked. They end over CHANNEL_USERS of a channel that is no presence channel.
func (r *Relay) questions(q scaling.Query) []metric {
	const counts = "occupied,user_count,subscription_count"
	switch q.Of {
	case scaling.QueryConnections:
		return []metric{{app: q.App, of: metricConnections}}
	case scaling.QueryUsers:
		occupied := metric{app: q.App, of: metricChannel, channel: q.Channel, info: counts}
		if !protocol.KindOf(q.Channel).IsPresence() {
			return []metric{occupied}
		}
		return []metric{occupied, {app: q.App, of: metricUsers, channel: q.Channel}}
	case scaling.QueryChannels:
		m := metric{app: q.App, of: metricChannels, filter: q.Prefix, info: counts}
		if q.Names != nil {
			if len(q.Names) == 0 {
				return nil
			}
			m.filter, m.channels = "", q.Names
			if len(q.Names) == 1 {
				m.info += ",cache" // of many it would be too much for the PHP nodes
			}
		}
		return []metric{m}
	}
	return nil
}

// ask begins a round and publishes the question; nil when it cannot be asked.
func (r *Relay) ask(m *metric) *round {
	rd := r.rounds.begin()
	if rd == nil {
		return nil
	}
	m.key = rd.key
	serialised := serialise(m, r.apps.object(m.app))
	if !utf8.Valid(serialised) {
		// JSON would change the text and not the lengths in it. There is no such name on a PHP node, so nobody has to be asked.
		r.rounds.told(rd, 0, nil)
		return rd
	}
	s := signature{node: r.id}
	text := s.appendTo(appendQuestion(nil, serialised))
	r.bus.PublishCount(r.opts.Channel, text, func(n int, err error) { r.rounds.told(rd, n, err) })
	return rd
}
