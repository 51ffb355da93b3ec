package client

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// never is a time that does not come.
const never = math.MaxInt64

// Orders that wait in a loop's inbox; they come from any goroutine.
const (
	orderDial  uint8 = 1 << iota // begin to connect when there is room
	orderLeave                   // our close frame is on its way: end within closeTimeout
	orderEnd                     // end now
	orderReset                   // with orderEnd: so that the server gets a reset
)

// socket is a client on a loop. Idle, it owns no buffer.
type socket struct {
	Client

	// Constant after construction.
	loop *loop

	// Owned by the loop.
	due   int64  // when the sweep has to look: it was silent for too long in its state
	rest  []byte // of a frame that has not come wholly; nil when there is none
	need  int    // bytes of that frame, 0 when not known yet
	slot  int32  // in loop.sockets, noSlot when not there
	turns bool   // counts as connecting

	// Guarded by Client.mu; fd and slot change on the loop only, which may read them without.
	orders uint8
	paused bool
	events uint32 // what epoll reports
	fd     int    // -1 when there is none
	out    []byte // waits for room in the socket; not written to when it is the fleet's request
	fault  error  // why we ended it, when nobody asked for that
}

const noSlot int32 = -1

// sendLocked writes at once what the socket takes; the loop writes the rest when there is room again.
func (s *socket) sendLocked(frame []byte) {
	if s.fd < 0 || s.fault != nil {
		return
	}
	if len(s.out) > maxQueue {
		s.failLocked(errQueue)
		return
	}
	n := 0
	if len(s.out) == 0 {
		var err error
		if n, err = s.writeLocked(frame); err != nil {
			s.failLocked(fmt.Errorf("write: %w", err))
			return
		}
	}
	if n < len(frame) {
		s.out = append(s.out, frame[n:]...)
		s.watchLocked()
	}
}

// writeLocked writes once and returns how many bytes are gone, none when there is no room.
func (s *socket) writeLocked(b []byte) (int, error) {
	for {
		n, err := unix.Write(s.fd, b)
		switch {
		case err == nil:
			s.fleet.count.bytesOut.Add(int64(n))
			return n, nil
		case errors.Is(err, unix.EAGAIN):
			return 0, nil
		case !errors.Is(err, unix.EINTR):
			return 0, err
		}
	}
}

// failLocked lets the loop read what the server has said before it was lost, and then the end.
func (s *socket) failLocked(err error) {
	s.fault = err
	s.out = nil
	s.watchLocked()
	_ = unix.Shutdown(s.fd, unix.SHUT_RDWR)
}

// flush writes what waits.
func (s *socket) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) == 0 || s.fault != nil {
		return
	}
	n, err := s.writeLocked(s.out)
	if err != nil {
		s.failLocked(fmt.Errorf("write: %w", err))
		return
	}
	if s.out = s.out[n:]; len(s.out) == 0 {
		s.out = nil
	}
	s.watchLocked()
}

// watchLocked tells epoll what the socket waits for now.
func (s *socket) watchLocked() {
	if want := s.wantLocked(); s.fd >= 0 && s.slot != noSlot && want != s.events {
		s.events = want
		s.loop.poll.change(s.fd, s.slot, want)
	}
}

func (s *socket) wantLocked() uint32 {
	var want uint32
	if !s.paused || s.fault != nil {
		want |= unix.EPOLLIN
	}
	if len(s.out) > 0 {
		want |= unix.EPOLLOUT
	}
	return want
}

func (s *socket) pause(on bool) {
	s.mu.Lock()
	s.paused = on
	s.watchLocked()
	s.mu.Unlock()
}

func (s *socket) leave(was int32) {
	if was == stateUpgrading {
		s.order(orderEnd)
		return
	}
	s.order(orderLeave)
}

func (s *socket) kill() { s.order(orderEnd | orderReset) }

// order puts o into the loop's inbox, once however many orders there are.
func (s *socket) order(o uint8) {
	s.mu.Lock()
	first := s.orders == 0
	s.orders |= o
	s.mu.Unlock()
	if first {
		s.loop.post(s)
	}
}

func (s *socket) established() { s.loop.arrive(s) }

// rested is when the server will have been silent for its activity_timeout.
func (s *socket) rested(now int64) int64 {
	if s.fleet.o.NoPings || s.activity == 0 {
		return never
	}
	return now + int64(s.activity)*1e9
}

// readError says what a failed read, or the end of the connection, means in the client's state.
func (s *socket) readError(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return s.fault
	}
	switch s.state.Load() {
	case stateUpgrading:
		if len(s.out) > 0 { // the request: there never was a connection
			return explain(err)
		}
		return fmt.Errorf("upgrade: %w", err)
	default:
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("read: %w", err)
	}
}

// openSocket makes a socket that is on its way to target.
func openSocket(source netip.Addr, target netip.AddrPort) (int, error) {
	family := unix.AF_INET
	if !target.Addr().Is4() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err = connectSocket(fd, source, target); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func connectSocket(fd int, source netip.Addr, target netip.AddrPort) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if source.IsValid() {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(source, 0))); err != nil {
			return fmt.Errorf("bind %v: %w", source, err)
		}
	}
	err := unix.Connect(fd, sockaddr(target))
	if errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EINTR) { // POSIX: after EINTR it goes on as well
		return nil
	}
	return err
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}
