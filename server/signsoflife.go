package server

import (
	"sync/atomic"
	"time"
)

// signsOfLife is when the client of one session was heard and asked, in times of the server's clock. Any goroutine may
// use it.
type signsOfLife struct {
	seen    atomic.Int64 // the last sign of life
	pinged  atomic.Int64 // the last ping; an answer is waited for when it is later than seen
	byFrame atomic.Bool  // the client has used control frames, so it can be pinged by one
	opened  uint32       // whole seconds; constant after construction
}

// idleness is the sweep's judgement of a session.
type idleness uint8

const (
	alive  idleness = iota // heard of within the ping interval, or asked lately
	silent                 // to be pinged
	mute                   // did not answer the ping
)

// begin is the first sign of life.
func (s *signsOfLife) begin(now time.Duration) {
	s.opened = uint32(now / time.Second)
	s.seen.Store(int64(now))
}

// heard notes a sign of life at now. If it answers a ping, it tells after how long.
func (s *signsOfLife) heard(now time.Duration) (waited time.Duration, answered bool) {
	if pinged := s.pinged.Load(); pinged > s.seen.Load() {
		waited, answered = now-time.Duration(pinged), true
	}
	s.seen.Store(int64(now))
	return waited, answered
}

// idle judges at now a client that is asked after each interval of silence.
func (s *signsOfLife) idle(now, interval time.Duration) idleness {
	seen, pinged := time.Duration(s.seen.Load()), time.Duration(s.pinged.Load())
	switch {
	case pinged > seen && now-pinged >= interval:
		return mute
	case pinged <= seen && now-seen >= interval:
		return silent
	}
	return alive
}
