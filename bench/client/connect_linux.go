package client

import "golang.org/x/sys/unix"

// obey does what is ordered, as much as belongs to one turn, and reports whether the loop is to end.
func (l *loop) obey() (ended bool) {
	l.mu.Lock()
	if len(l.ordered) == 0 {
		l.ordered, l.inbox, l.spare = l.inbox, l.spare[:0], l.inbox
	}
	ended = l.ended
	l.mu.Unlock()
	some := l.ordered[:min(l.share, len(l.ordered))]
	l.ordered = l.ordered[len(some):]
	for i, s := range some {
		some[i] = nil
		s.mu.Lock()
		orders := s.orders
		s.orders = 0
		s.mu.Unlock()
		if orders&orderDial != 0 {
			l.waiting = append(l.waiting, s)
		}
		switch {
		case orders&orderEnd != 0:
			l.drop(s, ErrClosed, orders&orderReset != 0)
		case orders&orderLeave != 0 && s.state.Load() == stateLeaving:
			s.due = Now() + int64(closeTimeout)
			s.pause(false)
		}
	}
	return ended
}

// start connects those whose turn it is.
func (l *loop) start() {
	for n := 0; len(l.waiting) > 0 && l.connecting < l.limit && n < max(l.share/dearer, 1); n++ {
		s := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		if s.state.Load() < stateLeaving { // else its order to end is under way, or done
			l.connect(s)
		}
	}
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
}

// connect begins to connect s and sends the upgrade, which waits in s.out until there is a connection. On loopback there is one by
// then, and no further event is needed.
func (l *loop) connect(s *socket) {
	s.began = Now()
	s.due = s.began + int64(l.fleet.o.ConnectTimeout)
	s.turns = true
	l.connecting++
	fd, err := openSocket(l.fleet.nextSource(), l.fleet.addr)
	if err == nil {
		err = l.adopt(s, fd)
	}
	if err != nil {
		l.drop(s, explain(err), false)
	}
}

func (l *loop) adopt(s *socket, fd int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fd = fd
	request := l.fleet.request
	n, err := s.writeLocked(request)
	if err != nil {
		return err
	}
	if n < len(request) {
		s.out = request[n:len(request):len(request)] // full: an append copies it
	}
	slot := l.place(s)
	s.events = s.wantLocked()
	s.slot = slot
	return l.poll.watch(fd, slot, s.events)
}

// place gives s a slot.
func (l *loop) place(s *socket) int32 {
	if n := len(l.free); n > 0 {
		slot := l.free[n-1]
		l.free = l.free[:n-1]
		l.sockets[slot] = s
		return slot
	}
	l.sockets = append(l.sockets, s)
	return int32(len(l.sockets) - 1)
}

// arrive: s is connected, so the next may begin.
func (l *loop) arrive(s *socket) {
	if s.turns {
		s.turns = false
		l.connecting--
	}
}

// drop ends s, whatever it is doing, and tells its handler.
func (l *loop) drop(s *socket, err error, reset bool) {
	s.mu.Lock()
	was := s.state.Swap(stateGone)
	fault := s.fault
	if s.fd >= 0 && was != stateGone {
		if reset {
			_ = unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		}
		_ = unix.Close(s.fd)
		s.fd = -1
	}
	slot := s.slot
	s.slot = noSlot
	s.out = nil
	s.mu.Unlock()
	if was == stateGone {
		return
	}
	if slot != noSlot {
		l.sockets[slot] = nil
		l.free = append(l.free, slot)
	}
	s.rest, s.partial = nil, nil
	l.arrive(s)
	s.leaveCount()
	s.handler.Closed(&s.Client, ending(was, err, fault))
}

// sweep looks at a share of the sockets. Each is seen once a second or more often.
func (l *loop) sweep() {
	now := Now()
	for range min(max(len(l.sockets)/sweepShare, sweepAtLeast), len(l.sockets)) {
		if l.swept >= len(l.sockets) {
			l.swept = 0
		}
		if s := l.sockets[l.swept]; s != nil && now >= s.due {
			l.overdue(s, now)
		}
		l.swept++
	}
}

// overdue ends a client whose connect or close takes too long, and pings for one whose server is silent. One that is paused does
// not ping: it plays dead.
func (l *loop) overdue(s *socket, now int64) {
	switch state := s.state.Load(); {
	case state < stateOpen:
		l.drop(s, ErrTimeout, false)
	case state >= stateLeaving:
		l.drop(s, ErrClosed, false)
	default:
		s.due = s.rested(now)
		s.mu.Lock()
		paused := s.paused
		s.mu.Unlock()
		if !paused {
			s.ping()
		}
	}
}

// endAll ends every client, because of err if that is not nil; those in the inbox too: after ended nothing is added to it.
func (l *loop) endAll(err error) {
	if err == nil {
		err = ErrClosed
	}
	l.mu.Lock()
	l.ended = true
	late := l.inbox
	l.inbox = nil
	l.mu.Unlock()
	for _, all := range [][]*socket{l.waiting, l.ordered, late, l.sockets} {
		for _, s := range all {
			if s != nil {
				l.drop(s, err, true)
			}
		}
	}
}
