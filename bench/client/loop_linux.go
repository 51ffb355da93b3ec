package client

import (
	"errors"
	"io"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	readBuffer   = 64 << 10 // bytes of a loop's read buffer
	dearer       = 4        // events in the time of a connect, which takes 30 µs on loopback
	sweepAtLeast = 2048     // sockets of one sweep
	sweepShare   = 10       // sweeps that a large fleet is spread over, so that none is felt
)

// loop is one event loop: a goroutine with the sockets it owns and one read buffer for all of them. post and end may be called by
// any goroutine, everything else is the loop's.
type loop struct {
	// Constant after construction.
	fleet *Fleet
	poll  *poll
	limit int // sockets between connect and connection_established
	share int // events, and orders, of one turn at most

	// Owned by the loop.
	buf        []byte
	turn       turn
	bytesIn    int64     // of this turn
	sockets    []*socket // by slot; nil when the slot is free
	free       []int32   // slots
	waiting    []*socket // for their turn to connect
	connecting int
	swept      int       // slot where the next sweep begins
	ordered    []*socket // taken from the inbox, not obeyed yet
	spare      []*socket // memory of the inbox before

	mu     sync.Mutex // guards the rest
	inbox  []*socket  // with orders
	asleep bool       // it may wait in epoll: ring after a post
	ended  bool
}

func newLoop(f *Fleet, limit int) (*loop, error) {
	p, err := newPoll(f.o.Turn)
	if err != nil {
		return nil, err
	}
	return &loop{fleet: f, poll: p, limit: limit, share: f.o.Turn, buf: make([]byte, readBuffer)}, nil
}

// run is the loop, until end.
func (l *loop) run() {
	defer l.poll.close()
	for {
		events, err := l.poll.wait(l.idle())
		begin := Now()
		for i := range events {
			l.event(events[i].Fd, events[i].Events)
		}
		ended := l.obey() || err != nil
		if !ended {
			l.start()
		}
		l.tally(len(events), begin)
		if ended {
			l.endAll(err)
			return
		}
		runtime.Gosched() // a loop that always finds events would keep the processor from the publishers for 10 ms at a time
	}
}

// idle reports whether there is nothing to do but to wait, and lets post ring from now on if so.
func (l *loop) idle() bool {
	if len(l.ordered) > 0 || len(l.waiting) > 0 && l.connecting < l.limit {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = len(l.inbox) == 0 && !l.ended
	return l.asleep
}

// post puts s into the inbox. A loop that has ended has ended s too, or dial sees it.
func (l *loop) post(s *socket) (taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	l.inbox = append(l.inbox, s)
	l.ringLocked()
	return true
}

// end makes run end all clients and return.
func (l *loop) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.ringLocked()
}

func (l *loop) ringLocked() {
	if l.asleep {
		l.asleep = false
		l.poll.ring()
	}
}

// event handles what epoll says of one slot. No socket is closed by an event of another one, so a slot never has a new owner here.
func (l *loop) event(slot int32, events uint32) {
	switch slot {
	case slotWake:
		l.poll.quiet(slot)
	case slotTick:
		l.poll.quiet(slot)
		l.sweep()
	default:
		s := l.sockets[slot]
		if s == nil { // ended by the sweep of this turn
			return
		}
		lost := events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 // then the read says why
		if events&unix.EPOLLOUT != 0 && !lost {
			s.flush()
		}
		if events&unix.EPOLLIN != 0 || lost {
			l.read(s)
		}
	}
}

// read reads once: bytes that are left bring the next event, after those of the other sockets.
func (l *loop) read(s *socket) {
	buf, have := l.room(s)
	n, err := unix.Read(s.fd, buf[have:])
	l.turn.now = Now()
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return
	case err != nil:
		l.drop(s, s.readError(err), false)
		return
	case n == 0:
		l.drop(s, s.readError(io.EOF), false)
		return
	}
	l.bytesIn += int64(n)
	used, need, err := s.input(buf[:have+n], &l.turn)
	if err != nil {
		l.drop(s, err, false)
		return
	}
	s.keep(buf[used:have+n], need)
	if s.state.Load() == stateOpen {
		s.due = s.rested(l.turn.now)
	}
}

// room is where the next bytes of s go, behind those that it has: the loop's buffer, or its own while a frame is larger than that.
func (l *loop) room(s *socket) (buf []byte, have int) {
	have = len(s.rest)
	if s.need <= len(l.buf) {
		copy(l.buf, s.rest)
		return l.buf, have
	}
	if have == cap(s.rest) { // grown by what came, not by what a header promised
		s.rest = append(make([]byte, 0, min(s.need, max(2*have, len(l.buf)))), s.rest...)
	}
	return s.rest[:cap(s.rest)], have
}

// keep keeps rest, which may be part of s.rest, until more comes.
func (s *socket) keep(rest []byte, need int) {
	s.need = need
	switch {
	case len(rest) == 0:
		s.rest = nil
	case len(s.rest) > 0 && &rest[0] == &s.rest[0]: // it is where it was
		s.rest = rest
	default:
		s.rest = append(s.rest[:0], rest...)
	}
}

// tally adds this turn to the fleet's counters.
func (l *loop) tally(events int, begin int64) {
	c := &l.fleet.count
	if events > 0 {
		c.wakeups.Add(1)
		c.bytesIn.Add(l.bytesIn)
		c.frames.Add(l.turn.frames)
		l.bytesIn, l.turn.frames = 0, 0
	}
	c.busyN.Add(Now() - begin)
}
