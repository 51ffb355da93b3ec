package server

import (
	"context"
	"math/rand/v2"
	"time"

	"reverb/outbound"
	"reverb/protocol"
)

const (
	drainTick   = 20 * time.Millisecond  // how often the drain looks for sessions whose moment has come
	drainGap    = 500 * time.Millisecond // at most between two closes, so that a node with few clients stops soon
	drainWindow = 10 * time.Second       // when the caller sets no deadline
)

// Leave makes Ready false, so that balancers look for another node, while everything goes on.
func (s *Server) Leave() { s.leaving.Store(true) }

// BeginDrain makes Ready false and new connections be refused with 4200, so that balancers and clients look for another
// node before any client is sent away.
func (s *Server) BeginDrain() { s.draining.Store(true) }

// goingAway closes the connections of a node alone (RFC 6455 section 7.4.1). pusher-js and the Java client come back
// one second later, as after every close with which they come back, but for those from 4200 to 4299: after these
// pusher-js tries at once, finds that the port is closed, and waits for 15 s.
const goingAway = 1001

// Dismiss makes Ready false and closes all sessions at once. They come back in a second, when the next server is
// expected to have the port; connections that come from now on are refused with 4100, after which pusher-js waits for a
// second, too. Where the port stays open until the next server has it, they come back at once.
func (s *Server) Dismiss(portStays bool) {
	s.dismissed.Store(!portStays)
	s.BeginDrain()
	s.sessions.each(nil, (*Session).drain)
}

// Remaining is how many clients are still here.
func (s *Server) Remaining() int { return s.sessions.len() }

// Drain closes all sessions with code 4200, which lets clients come back at once, and returns when none is left or ctx
// ends. Clients have no jitter of their own (pusher-js returns after exactly 0 ms), so the closes are in random order
// and evenly spread over four fifths of the time that ctx leaves; the last fifth is for outboxes to flush and for
// closing handshakes.
func (s *Server) Drain(ctx context.Context) {
	s.BeginDrain()
	var waiting []*Session
	s.sessions.each(nil, func(ss *Session) { waiting = append(waiting, ss) })
	window := drainWindow
	if deadline, ok := ctx.Deadline(); ok {
		window = time.Until(deadline) * 4 / 5
	}
	farewell := spreadOver(window, waiting)
	tick := time.NewTicker(drainTick)
	defer tick.Stop()
	for {
		farewell.due((*Session).drain)
		if s.sessions.len() == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// spread is sessions that are to be closed in random order, each at its moment.
type spread struct {
	waiting []*Session
	closed  int // of these
	begun   time.Time
	gap     time.Duration // between two
}

func spreadOver(window time.Duration, waiting []*Session) *spread {
	rand.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	return &spread{
		waiting: waiting,
		begun:   time.Now(),
		gap:     min(drainGap, window/time.Duration(max(len(waiting), 1))),
	}
}

// due calls end for the sessions whose moment has come, and reports whether others are left.
func (p *spread) due(end func(*Session)) (more bool) {
	due := len(p.waiting)
	if p.gap > 0 {
		due = min(due, int(time.Since(p.begun)/p.gap)+1)
	}
	for ; p.closed < due; p.closed++ {
		end(p.waiting[p.closed])
		p.waiting[p.closed] = nil
	}
	return p.closed < len(p.waiting)
}

// drain asks the client to come back, at once if this node is among others or another process has the port or will have
// it. A session that is closing already is left alone.
func (ss *Session) drain() {
	if ss.app.server.dismissed.Load() {
		ss.end(endDrained, outbound.Message{}, goingAway, "")
		return
	}
	ss.end(endDrained, outbound.Message{}, uint16(protocol.ErrDraining.Code), protocol.ErrDraining.Message)
}
