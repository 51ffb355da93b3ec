package server

import (
	"context"
	"math/rand/v2"
	"time"

	"reverb/protocol"
)

const (
	drainTick   = 20 * time.Millisecond  // how often the drain looks whether somebody's moment has come
	drainGap    = 500 * time.Millisecond // at most between two closes, so that a node with few clients stops soon
	drainWindow = 10 * time.Second       // when the caller sets no deadline
)

// BeginDrain makes Ready false and new connections be refused with 4200, so that balancers and clients look for another node before
// anybody is sent away.
func (s *Server) BeginDrain() { s.draining.Store(true) }

// Drain closes all sessions with code 4200, which lets clients come back at once, and returns when none is left or ctx ends. Clients
// have no jitter of their own (pusher-js returns after exactly 0 ms), so the closes are in random order and evenly spread over four
// fifths of the time that ctx leaves; the last fifth is for outboxes to flush and for closing handshakes.
func (s *Server) Drain(ctx context.Context) {
	s.BeginDrain()
	var waiting []*Session
	s.sessions.each(nil, func(ss *Session) { waiting = append(waiting, ss) })
	rand.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })

	begun, window := time.Now(), drainWindow
	if deadline, ok := ctx.Deadline(); ok {
		window = time.Until(deadline) * 4 / 5
	}
	gap := min(drainGap, window/time.Duration(max(len(waiting), 1)))
	tick := time.NewTicker(drainTick)
	defer tick.Stop()
	for closed := 0; ; {
		due := len(waiting)
		if gap > 0 {
			due = min(due, int(time.Since(begun)/gap)+1)
		}
		for ; closed < due; closed++ {
			waiting[closed].drain()
			waiting[closed] = nil
		}
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

// drain asks the client to come back elsewhere. A session that is closing already is left alone.
func (ss *Session) drain() {
	ss.end(endDrained, nil, uint16(protocol.ErrDraining.Code), protocol.ErrDraining.Message)
}
