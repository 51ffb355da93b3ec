package phpnodes

import (
	"errors"
	"log/slog"
	"time"
)

// Why a message was ignored, as the metric tells it.
const (
	ignoredUnreadable = "unreadable"   // no message of Reverb 1.7 or later
	ignoredType       = "unknown_type" // of a type that has no meaning here
)

var errBusy = errors.New("too many questions wait")

// receive takes what Redis sends, on the goroutine that reads from it.
func (r *Relay) receive(text []byte) {
	if !r.inbox.put(text) {
		r.opts.Metrics.Dropped(droppedQueue, 1)
		r.notPassedOn(droppedQueue, 1, nil)
	}
}

// handle takes one message, on the inbox's worker. Whatever it is, the worst that happens is that it is ignored, counted and logged.
func (r *Relay) handle(text []byte) {
	if isOwnEvent(text, r.id) {
		return
	}
	e, err := readEnvelope(text)
	if err != nil {
		r.ignore(ignoredUnreadable, err)
		return
	}
	switch e.kind {
	case typeMessage:
		err = r.event(&e)
	case typeTerminate:
		err = r.terminate(&e)
	case typeMetrics:
		err = r.question(&e)
	default:
		if isKey(e.kind) {
			r.rounds.take(e.kind, e.payload)
			return // also when it is the answer to a question of another node
		}
		r.ignore(ignoredType, nil)
		return
	}
	if err != nil {
		r.ignore(ignoredUnreadable, err)
	}
}

// noticeInterval is how often at most something that keeps going wrong is logged.
const noticeInterval = 10 * time.Second

// notPassedOn logs what goes wrong with n messages. reason is a constant.
func (r *Relay) notPassedOn(reason string, n int, cause error) {
	attrs := []slog.Attr{slog.String("reason", reason)}
	if cause != nil {
		attrs = append(attrs, slog.Any("err", cause))
	}
	r.notices.LogN(slog.LevelWarn, reason, "messages of the cluster not passed on", n, attrs...)
}

func (r *Relay) ignore(reason string, cause error) {
	r.opts.Metrics.Ignored(reason)
	r.notPassedOn(reason, 1, cause)
}

// event takes an event. Those of PHP nodes have no number, and all of them are kept by cache channels.
func (r *Relay) event(e *envelope) error {
	app, err := r.appIDs.of(e.application)
	if err != nil {
		return err
	}
	s := &e.signature
	if s.node == "" {
		r.opts.Metrics.Received(1)
		return r.deliver(app, e, true)
	}
	if s.node == r.id {
		r.passed(app, e)
		return nil
	}
	fresh, lost := r.peers.take(s.node, s.seq, time.Now())
	if lost > 0 {
		r.opts.Metrics.Lost(int(lost))
		r.notPassedOn("lost", int(lost), nil)
	}
	if !fresh {
		r.opts.Metrics.Duplicates(1)
		return nil
	}
	r.opts.Metrics.Received(1)
	return r.deliver(app, e, s.cache)
}

// terminate takes the wish of a PHP node. Each node of this program hears it itself. That of a node of this program is for PHP nodes: the
// others hear of it through Nodes.
func (r *Relay) terminate(e *envelope) error {
	if e.signature.node != "" {
		return nil
	}
	app, err := r.appIDs.of(e.application)
	if err != nil {
		return err
	}
	userID, err := e.userID()
	if err != nil {
		return err
	}
	r.handler.Terminate(app, userID)
	return nil
}

// question takes a question to all. One of our own counts as answered: what this node knows it knows without Redis. A peer's is answered
// with nothing, and at once, because the peer asks these nodes through Nodes.
func (r *Relay) question(e *envelope) error {
	m, err := readMetric(jsonString(e.payload))
	if err != nil {
		return err
	}
	switch e.signature.node {
	case r.id:
		r.rounds.take(m.key, nil)
	case "":
		select {
		case r.asked <- m:
		default:
			return errBusy
		}
	default:
		r.reply(append(beginAnswer(nil, m.key), emptyList...))
	}
	return nil
}
