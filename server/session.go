package server

import (
	"sync/atomic"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/transport"
)

// Session is one client's connection: the transport's Receiver and the hub's Subscriber. The transport's calls come one at a time; Send,
// SocketID and end may be called from any goroutine, and so may joined.
type Session struct {
	// Constant after construction.
	app  *app
	conn transport.Conn
	id   protocol.SocketID

	// Owned by the message that is being handled, and at the end by release. Among other nodes guarded by more.joins.mu instead.
	subs subscriptions

	// Atomic.
	lastSeen atomic.Int64         // of the last sign of life, on the server's clock
	pingedAt atomic.Int64         // of the last ping; the session is waiting for an answer when it is later than lastSeen
	more     atomic.Pointer[more] // what only some sessions need; nil for the others. Set by Open, or by a message while it is nil
	state    atomic.Uint32        // an ending, and the busy bit
	control  atomic.Bool          // the client has used control frames, so it can be pinged by one

	// Constant after construction; here because the place leaves four bytes.
	opened uint32 // seconds on the server's clock

	// Owned by the registry.
	place place
}

// more is what only sessions with a rate limit, or on a node among others, need.
type more struct {
	joins *joins         // nil on a single node; constant after construction
	rates *[2]rateWindow // nil until the app limits; owned by the transport's calls
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

// busy is the bit of Session.state that is set while a message is being handled.
const busy = 1 << 31

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

// Answer is Send for what the client has asked the hub for. Part of channels.Subscriber.
func (ss *Session) Answer(frame protocol.Frame) { ss.conn.Answer(frame) }

// Send hands a finished frame to the connection. It never waits and never closes. Part of channels.Subscriber.
func (ss *Session) Send(frame protocol.Frame) { ss.conn.Send(frame) }

// PaceOf is channels.Options.Pace of a hub whose subscribers are sessions.
func PaceOf(sub channels.Subscriber) transport.Pace {
	if ss, ok := sub.(*Session); ok {
		return ss.conn.Pace()
	}
	return transport.KeepsUp
}

// Message handles one text or binary message; Reverb makes no difference between them. payload is the transport's and valid until
// Message returns. The order of the steps is Reverb's: a message over the rate limit still counts as a sign of life, and is not
// even decoded.
func (ss *Session) Message(payload []byte, _ bool) {
	if !ss.state.CompareAndSwap(uint32(endNone), busy) {
		return // closed from this side
	}
	ss.message(payload)
	if !ss.state.CompareAndSwap(busy, uint32(endNone)) {
		ss.release() // somebody called end meanwhile
		ss.state.And(^uint32(busy))
	}
}

func (ss *Session) message(payload []byte) {
	trace := ss.app.server.trace
	if trace != nil {
		trace.MessageReceived(ss.id.String(), payload)
	}
	ss.app.metrics.Received()
	now := ss.touch()
	conf := ss.app.conf()
	if !ss.withinRate(now, &conf.RateLimit) {
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

// handle does what a message asks, or answers it with an error and returns false. Event names match by case and as they are.
func (ss *Session) handle(conf *config.App, m *protocol.Message, payload []byte) bool {
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
		return ss.subscribe(conf, m)
	case protocol.EventUnsubscribe:
		return ss.unsubscribe(m)
	}
	if m.IsProtocol() {
		return ss.fail(protocol.ErrInvalidFormat)
	}
	return ss.clientEvent(conf, m, payload)
}

// Control is told of a ping, pong or close frame, which the transport has answered. A close is no sign of life (Reverb: its control
// frame handler).
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
	if !ss.control.Load() {
		ss.control.Store(true)
	}
}

// Closed is the transport's last call: nothing of the session is left after it. Whoever closed from this side has released its place and
// the subscriptions, these unless the handler of a message panicked: then it is still marked busy.
func (ss *Session) Closed(reason transport.Reason) {
	s := ss.app.server
	before := ss.state.Swap(uint32(endClient))
	if before == uint32(endNone) || before&busy != 0 {
		ss.release()
	}
	s.sessions.remove(ss)
	if before&^busy == uint32(endNone) {
		ss.app.leave()
	}
	ss.app.metrics.Disconnected(ending(before &^ busy).label(reason))
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
	ss.conn.Answer(frame)
	ss.app.metrics.Sent(1)
}

// end closes the connection from this side: a last frame, if there is one, then the close. Only the first call does anything. It may
// be called from any goroutine that holds no lock of the hub.
//
// Nobody must wait for a client that may be dead to answer the close, so its place among the app's connections and the subscriptions are
// released here (Reverb: prune and terminate unsubscribe first); but while a message is being handled they are its own, and Message
// releases them at its end.
func (ss *Session) end(why ending, last protocol.Frame, code uint16, reason string) bool {
	before := ss.state.Load()
	for {
		if before&^busy != uint32(endNone) {
			return false
		}
		if ss.state.CompareAndSwap(before, before|uint32(why)) {
			break
		}
		before = ss.state.Load()
	}
	if last != nil {
		ss.reply(last)
	}
	if before&busy == 0 {
		ss.release() // first, so that a client that sees the close finds itself gone
	}
	ss.app.leave()
	ss.conn.Close(code, reason)
	return true
}

// release takes back all subscriptions, in the order they began. It is called once, by who owns them at the end.
func (ss *Session) release() {
	if j := ss.joins(); j != nil {
		ss.releaseAll(j)
		return
	}
	if ss.subs.len() == 0 {
		return
	}
	for sub := range ss.subs.all() {
		ss.app.server.hub.Unsubscribe(sub)
	}
	ss.subs = subscriptions{}
	ss.app.subscribed.Add(-1)
}

// ended reports whether this side has closed: what still arrives is ignored.
func (ss *Session) ended() bool { return ss.state.Load()&^busy != uint32(endNone) }
