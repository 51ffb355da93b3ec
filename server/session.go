package server

import (
	"sync/atomic"
	"time"

	"reverb/poller"
	"reverb/protocol"
)

// Session is one client's connection: the poller's Receiver and the hub's Subscriber. The poller's calls come one at a time; Send and
// SocketID may be called from any goroutine.
type Session struct {
	// Constant after construction.
	app  *app
	conn poller.Conn
	id   protocol.SocketID
	rate *rateWindow // nil when the app has no limit; its content is owned by the poller's calls

	// Owned by the poller's calls.
	subs subscriptions

	// Atomic: written by the poller's calls and the sweep.
	lastSeen atomic.Int64  // of the last sign of life, on the server's clock
	pingedAt atomic.Int64  // of the last ping; the session is waiting for an answer when it is later than lastSeen
	ending   atomic.Uint32 // an ending, once this side has closed the connection
	control  atomic.Bool   // the client has used control frames, so it can be pinged by one

	// Owned by the registry.
	place place
}

// ending says why this side closed a connection.
type ending uint32

const (
	endNone ending = iota // the client or the network did
	endPruned
	endRateLimited
	endTerminated
	endDrained
)

// label is the reason in the metrics. When this side did not close, the poller knows why the connection ended.
func (e ending) label(r poller.Reason) string {
	switch e {
	case endPruned:
		return "pruned"
	case endRateLimited:
		return "rate_limit"
	case endTerminated:
		return "terminated"
	case endDrained:
		return "drained"
	}
	return r.String()
}

// SocketID is part of channels.Subscriber.
func (ss *Session) SocketID() protocol.SocketID { return ss.id }

// Send hands a finished frame to the connection. It never waits and never closes. Part of channels.Subscriber.
func (ss *Session) Send(frame protocol.Frame) { ss.conn.Send(frame) }

// Message handles one text or binary message; Reverb makes no difference between them. payload is the poller's and valid until
// Message returns. The order of the steps is Reverb's: a message over the rate limit still counts as a sign of life, and is not
// even decoded.
func (ss *Session) Message(payload []byte, _ bool) {
	if ss.ended() {
		return
	}
	trace := ss.app.server.trace
	if trace != nil {
		trace.MessageReceived(ss.id.String(), payload)
	}
	ss.app.metrics.Received()
	now := ss.touch()
	if ss.rate != nil && !ss.rate.allow(now, &ss.app.conf.RateLimit) {
		ss.overRate()
		return
	}
	var m protocol.Message
	if err := protocol.Decode(payload, &m); err != nil {
		ss.fail(err)
		return
	}
	if ss.handle(&m, payload) && trace != nil {
		trace.MessageHandled(ss.id.String())
	}
}

// handle does what a message asks, or answers it with an error and returns false. Event names match by case and as they are.
func (ss *Session) handle(m *protocol.Message, payload []byte) bool {
	switch string(m.Event) {
	case protocol.EventPing:
		if err := m.CheckEmptyData(); err != nil {
			return ss.fail(err)
		}
		ss.reply(protocol.PongFrame())
		return true
	case protocol.EventPong:
		if err := m.CheckEmptyData(); err != nil {
			return ss.fail(err)
		}
		return true
	case protocol.EventSubscribe:
		return ss.subscribe(m)
	case protocol.EventUnsubscribe:
		return ss.unsubscribe(m)
	}
	if m.IsProtocol() {
		return ss.fail(protocol.ErrInvalidFormat)
	}
	return ss.clientEvent(m, payload)
}

// Control is told of a ping, pong or close frame, which the poller has answered. A close is no sign of life (Reverb: its control
// frame handler).
func (ss *Session) Control(op poller.ControlOp) {
	if ss.ended() {
		return
	}
	if trace := ss.app.server.trace; trace != nil {
		trace.ControlFrame(ss.id.String())
	}
	if op != poller.ControlClose {
		ss.touch()
	}
	if !ss.control.Load() {
		ss.control.Store(true)
	}
}

// Closed takes back all that the session holds. It is the poller's last call.
func (ss *Session) Closed(reason poller.Reason) {
	s := ss.app.server
	subscribed := ss.subs.len() > 0
	for sub := range ss.subs.all() {
		s.hub.Unsubscribe(sub)
	}
	ss.subs = subscriptions{}
	if subscribed {
		ss.app.subscribed.Add(-1)
	}
	s.sessions.remove(ss)
	ss.app.leave()
	ss.app.metrics.Disconnected(ending(ss.ending.Load()).label(reason))
	if s.trace != nil {
		s.trace.Closed(ss.id.String())
	}
}

// touch notes a sign of life, which answers a ping, and returns its time.
func (ss *Session) touch() time.Duration {
	now := ss.app.server.clock.now()
	if pinged := ss.pingedAt.Load(); pinged > ss.lastSeen.Load() {
		ss.app.metrics.PingSeconds((now - time.Duration(pinged)).Seconds())
	}
	ss.lastSeen.Store(int64(now))
	return now
}

// reply sends a frame of the session's own making.
func (ss *Session) reply(frame protocol.Frame) {
	ss.conn.Send(frame)
	ss.app.metrics.Sent(1)
}

// fail answers a message with pusher:error; the connection stays. It returns false, the result of a handler that failed.
func (ss *Session) fail(err *protocol.Error) bool {
	ss.app.metrics.Invalid(err.Code)
	ss.reply(protocol.ErrorFrame(err, ss.app.conf.Rules.ErrorObject))
	if trace := ss.app.server.trace; trace != nil {
		trace.Error(ss.id.String(), err)
	}
	return false
}

// end closes the connection from this side: a last frame, if there is one, then the close. Only the first call does anything. It may
// be called from any goroutine; the subscriptions are taken back by Closed, which follows on the poller's.
func (ss *Session) end(why ending, last protocol.Frame, code uint16, reason string) bool {
	if !ss.ending.CompareAndSwap(uint32(endNone), uint32(why)) {
		return false
	}
	if last != nil {
		ss.reply(last)
	}
	ss.conn.Close(code, reason)
	return true
}

// ended reports whether this side has closed: what still arrives is ignored.
func (ss *Session) ended() bool { return ss.ending.Load() != uint32(endNone) }
