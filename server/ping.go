package server

import (
	"time"

	"reverb/protocol"
)

// sweepEvery is how often the sessions are looked at, and so the precision of ping_interval. Reverb looks once a
// minute, for any interval.
const sweepEvery = time.Second

// sweepUntilStopped is the sweep's goroutine.
func (s *Server) sweepUntilStopped() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var buf []*Session
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			buf = s.sweep(buf)
		}
	}
}

// sweep looks once at every session. It prunes and pings in one walk; the trace is told of either once, before the
// first.
func (s *Server) sweep(buf []*Session) []*Session {
	now := s.clock.now()
	var pinging, pruning bool
	return s.sessions.each(buf, func(ss *Session) {
		switch ss.idle(now) {
		case mute:
			if s.trace != nil && !pruning {
				pruning = true
				s.trace.PruningStale()
			}
			ss.prune()
		case silent:
			if s.trace != nil && !pinging {
				pinging = true
				s.trace.PingingInactive()
			}
			ss.ping(now)
		}
	})
}

// idle judges the session at now. Sessions without subscriptions are judged too (Reverb forgets them).
func (ss *Session) idle(now time.Duration) idleness {
	interval := ss.app.conf().PingInterval
	if interval <= 0 || ss.ended() {
		return alive
	}
	return ss.signs.idle(now, interval)
}

// ping asks for a sign of life in the form that the client has shown to know. A message that arrives at this moment has
// a later time than now, so it counts as the answer.
func (ss *Session) ping(now time.Duration) {
	ss.signs.pinged.Store(int64(now))
	if ss.signs.byFrame.Load() {
		ss.conn.Ping() // no message: Reverb does not count control frames as sent
	} else {
		ss.reply(protocol.PingMessage())
	}
	if trace := ss.app.server.trace; trace != nil {
		trace.Pinged(ss.id.String())
	}
}

// prune closes a session that did not answer.
func (ss *Session) prune() {
	last := protocol.ErrorMessage(protocol.ErrPongTimeout, ss.app.conf().Rules.ErrorObject)
	if !ss.end(endPruned, last, uint16(protocol.ErrPongTimeout.Code), protocol.ErrPongTimeout.Message) {
		return
	}
	if trace := ss.app.server.trace; trace != nil {
		trace.Pruned(ss.id.String())
	}
}
