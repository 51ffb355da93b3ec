package phpnodes

import (
	"time"

	"reverb/scaling"
)

// Doors for the tests of parts that have no goroutines.

// EncodeEvent is the message of an event without what this program adds.
func EncodeEvent(app App, whole bool, m scaling.Message) (string, error) {
	apps, err := newApplications([]App{app}, whole)
	if err != nil {
		return "", err
	}
	text, err := appendEvent(nil, apps.json(m.App), &m)
	return string(text) + "}", err
}

// Metric is a question.
type Metric struct {
	Key, App, Of, Filter, Channel, Info string
	Channels                            []string
}

// EncodeMetric is the message of a question without what this program adds.
func EncodeMetric(app App, m Metric) string {
	apps, _ := newApplications([]App{app}, true)
	text := metric{key: m.Key, app: m.App, of: m.Of, filter: m.Filter, channel: m.Channel, info: m.Info, channels: m.Channels}
	return string(appendQuestion(nil, serialise(&text, apps.object(m.App)))) + "}"
}

// DecodeMetric reads a question.
func DecodeMetric(message []byte) (Metric, error) {
	e, err := readEnvelope(message)
	if err != nil {
		return Metric{}, err
	}
	m, err := readMetric(jsonString(e.payload))
	return Metric{m.key, m.app, m.of, m.filter, m.channel, m.info, m.channels}, err
}

// Event is what a message says.
type Event struct {
	App        string
	Channels   []string
	Except     string
	Deliveries []string // for each channel
}

// DecodeEvent reads an event.
func DecodeEvent(message []byte) (Event, error) {
	e, err := readEnvelope(message)
	if err != nil {
		return Event{}, err
	}
	var out Event
	if out.App, err = readApp(e.application); err != nil {
		return Event{}, err
	}
	if out.Channels, err = e.channels(); err != nil {
		return Event{}, err
	}
	out.Except = e.except().String()
	for _, channel := range out.Channels {
		out.Deliveries = append(out.Deliveries, string(e.event(channel).JSON()))
	}
	return out, nil
}

// EscapeJSON is appendObject.
func EscapeJSON(text string) (string, error) {
	out, err := appendObject(nil, []byte(text))
	return string(out), err
}

// Sign ends a message.
func Sign(text, node string, seq uint64, cache bool) []byte {
	s := signature{node: node, seq: seq, cache: cache}
	return s.appendTo([]byte(text))
}

// IsOwnEvent is isOwnEvent.
func IsOwnEvent(text []byte, node string) bool { return isOwnEvent(text, node) }

// Handle is what the relay does with a message, for a relay that is not started.
func (r *Relay) Handle(h scaling.Handler, text []byte) {
	r.handler = h
	r.handle(text)
}

// ID is the id in the relay's messages.
func (r *Relay) ID() string { return r.id }

// Peers is peers.
type Peers struct{ peers peers }

// NewPeers makes Peers.
func NewPeers() Peers { return Peers{make(peers)} }

// Take is take.
func (p Peers) Take(node string, seq uint64, now time.Time) (bool, uint64) {
	return p.peers.take(node, seq, now)
}

// Rounds is rounds.
type Rounds struct{ rounds *rounds }

// NewRounds makes Rounds.
func NewRounds() Rounds { return Rounds{newRounds()} }

// Begin begins a round.
func (s Rounds) Begin() *Round {
	rd := s.rounds.begin()
	if rd == nil {
		return nil
	}
	return &Round{s.rounds, rd}
}

// Close is close.
func (s Rounds) Close() { s.rounds.close() }

// Round is one round.
type Round struct {
	rounds *rounds
	round  *round
}

// The methods of Round are those of rounds.
func (r *Round) Key() string           { return r.round.key }
func (r *Round) Told(n int, err error) { r.rounds.told(r.round, n, err) }
func (r *Round) Take(payload string)   { r.rounds.take(r.round.key, []byte(payload)) }
func (r *Round) End() (n, answered, missing int) {
	answers, answered, missing := r.rounds.end(r.round)
	return len(answers), answered, missing
}

// Done reports whether there is nothing to wait for.
func (r *Round) Done() bool {
	select {
	case <-r.round.done:
		return true
	default:
		return false
	}
}

// Inbox is inbox.
type Inbox struct{ inbox *inbox }

// NewInbox makes an Inbox.
func NewInbox(limit int64) Inbox { return Inbox{newInbox(limit)} }

// The methods of Inbox are those of inbox.
func (b Inbox) Put(text []byte) bool          { return b.inbox.put(text) }
func (b Inbox) Work(handle func(text []byte)) { b.inbox.work(handle) }
func (b Inbox) Close()                        { b.inbox.close() }
