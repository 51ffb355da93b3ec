package cluster

import (
	"log/slog"

	"reverb/scaling"
	"reverb/scaling/bus"
)

// receiveControl takes what was published to all nodes or to this one: questions, answers, terminations.
func (r *Relay) receiveControl(_ string, payload []byte) {
	ok := true
	switch payload[0] {
	case kindQuery:
		var q question
		if q, ok = decodeQuestion(payload); ok && q.node != r.node.process {
			r.answer(q)
		}
	case kindAnswer:
		var a reply
		if a, ok = decodeReply(payload); ok {
			r.gather.take(a)
		}
	case kindTerminate:
		var node nodeID
		var app, userID string
		if node, app, userID, ok = decodeTerminate(payload); ok && node != r.node.process {
			r.handler.Terminate(app, userID)
		}
	}
	if !ok {
		r.counters.malform()
	}
}

// answer tells another node what this one knows.
func (r *Relay) answer(q question) {
	r.counters.answered.Add(1)
	a := reply{node: r.node.id(), id: q.id, answer: r.handler.Answer(q.query)}
	m := bus.Message{Name: r.names.node(q.node.String()), Payload: encodeReply(a)}
	if err := r.bus.Publish(m); err != nil {
		r.trouble.Log(slog.LevelWarn, "", "answer a question of another node", slog.Any("err", err))
	}
}

// localAnswer is what this node alone knows, as one of one.
func (r *Relay) localAnswer(q scaling.Query) scaling.Answer {
	a := r.handler.Answer(q)
	a.Nodes, a.Answered = 1, 1
	return a
}
