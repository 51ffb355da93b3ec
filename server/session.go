package server

import (
	"sync/atomic"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/transport"
)

// Session is one client's connection: the transport's Receiver and the hub's Subscriber. The transport's calls come one
// at a time; Send, SocketID and end may be called from any goroutine.
type Session struct {
	// Constant after construction.
	app  *app
	conn transport.Conn
	id   protocol.SocketID

	subs   subscriptions
	signs  signsOfLife
	rates  rates         // owned by the message that is being handled
	ending atomic.Uint32 // an ending; not endNone: messages that still arrive are ignored

	// Owned by the registry.
	place place
}

// ending says how a connection ended.
type ending uint32

const (
	endNone   ending = iota
	endClient        // the client or the network ended it
	endPruned
	endRateLimited
	endTerminated
	endDrained
	endAppClosed
)

// label is the reason in the metrics. When this side did not close, the transport knows why the connection ended.
func (e ending) label(r transport.Reason) string {
	switch e {
	case endPruned:
		return "pruned"
	case endRateLimited:
		return "rate_limit"
	case endTerminated:
		return "terminated"
	case endDrained:
		return "drained"
	case endAppClosed:
		return "app_closed"
	}
	return r.String()
}

// SocketID is part of channels.Subscriber.
func (ss *Session) SocketID() protocol.SocketID { return ss.id }

// Encoding is how the connection takes its messages. Part of channels.Subscriber.
func (ss *Session) Encoding() *outbound.Encoding { return ss.conn.Encoding() }

// Answer is Send for the reply to the client's own subscribe. Part of channels.Subscriber.
func (ss *Session) Answer(encoded []byte) { ss.conn.Answer(encoded) }

// Send hands messages to the connection. It never waits and never closes. Part of channels.Subscriber.
func (ss *Session) Send(encoded []byte) { ss.conn.Send(encoded) }

// PaceOf is channels.Options.Pace of a hub whose subscribers are sessions.
func PaceOf(sub channels.Subscriber) transport.Pace {
	if ss, ok := sub.(*Session); ok {
		return ss.conn.Pace()
	}
	return transport.KeepsUp
}

// Message handles one text or binary message; Reverb makes no difference between them. payload is the transport's and
// valid until Message returns. The order of the steps is Reverb's: a message over the rate limit still counts as a sign
// of life, and is not even decoded.
func (ss *Session) Message(payload []byte, _ bool) {
	if ss.ended() {
		return // from this side
	}
	trace := ss.app.server.trace
	if trace != nil {
		trace.MessageReceived(ss.id.String(), payload)
	}
	ss.app.metrics.Received()
	now := ss.touch()
	conf := ss.app.conf()
	if !ss.rates.allowMessage(now, &conf.RateLimit) {
		ss.overRate(conf)
		return
	}
	var m protocol.Message
	if err := protocol.Decode(payload, &m); err != nil {
		ss.fail(err)
		return
	}
	if ss.handle(conf, &m, payload) && trace != nil {
		trace.MessageHandled(ss.id.String())
	}
}

// handle obeys a message, or answers it with an error and returns false. Event names match by case and as they are.
func (ss *Session) handle(conf *config.App, m *protocol.Message, payload []byte) bool {
	switch string(m.Event) {
	case protocol.EventPing:
		if err := m.CheckEmptyData(); err != nil {
			return ss.fail(err)
		}
		ss.reply(protocol.PongMessage())
		return true
	case protocol.EventPong:
		if err := m.CheckEmptyData(); err != nil {
			return ss.fail(err)
		}
		return true
	case protocol.EventSubscribe:
		return ss.subscribe(conf, m)
	case protocol.EventUnsubscribe:
		return ss.unsubscribe(m)
	}
	if m.IsProtocol() {
		return ss.fail(protocol.ErrInvalidFormat)
	}
	return ss.clientEvent(conf, m, payload)
}

// Control is told of a ping, pong or close frame, which the transport has answered. A close is no sign of life (Reverb:
// its control frame handler).
func (ss *Session) Control(op transport.ControlOp) {
	if ss.ended() {
		return
	}
	if trace := ss.app.server.trace; trace != nil {
		trace.ControlFrame(ss.id.String())
	}
	if op != transport.ControlClose {
		ss.touch()
	}
	if !ss.signs.byFrame.Load() {
		ss.signs.byFrame.Store(true)
	}
}

// Closed is the transport's last call: nothing of the session is left after it. If this side has ended the session, its
// place and its subscriptions are given back already.
func (ss *Session) Closed(reason transport.Reason) {
	s := ss.app.server
	before := ending(ss.ending.Swap(uint32(endClient)))
	if before == endNone {
		ss.subs.endAll()
	}
	s.sessions.remove(ss)
	if before == endNone {
		ss.app.leave()
	}
	ss.app.metrics.Disconnected(before.label(reason))
	if s.trace != nil {
		s.trace.Closed(ss.id.String())
	}
}

// touch notes a sign of life and returns its time.
func (ss *Session) touch() time.Duration {
	now := ss.app.server.clock.now()
	if waited, answered := ss.signs.heard(now); answered {
		ss.app.metrics.PingSeconds(waited.Seconds())
	}
	return now
}

// reply sends a message of the session's own making.
func (ss *Session) reply(m outbound.Message) {
	ss.conn.Answer(m.In(ss.conn.Encoding()))
	ss.app.metrics.Sent(1)
}

// end closes the connection from this side: a last message, if there is one, then the close. Only the first call does
// anything. It may be called from any goroutine that holds no lock of the hub and not that of the subscriptions.
//
// A client that is dead never answers the close, so the session's place among the app's connections and its
// subscriptions are given back here (Reverb: prune and terminate unsubscribe first). A message that is being handled
// meanwhile begins no subscription any more.
func (ss *Session) end(why ending, last outbound.Message, code uint16, reason string) bool {
	if !ss.ending.CompareAndSwap(uint32(endNone), uint32(why)) {
		return false
	}
	if !last.IsZero() {
		ss.reply(last)
	}
	ss.subs.endAll() // first, so that a client that sees the close finds itself gone
	ss.app.leave()
	ss.conn.Close(code, reason)
	return true
}

// ended reports whether the session is over, from either side.
func (ss *Session) ended() bool { return ending(ss.ending.Load()) != endNone }
