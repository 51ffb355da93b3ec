package poller

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

const (
	acceptBatch = 128                   // sockets accepted before connections have their turn
	acceptPause = 50 * time.Millisecond // without listening when there are no descriptors
)

// listener is a listening socket that a loop waits for. Its connections go to all loops in turn, or to streams.
type listener struct {
	// Constant after construction.
	poller *Poller
	fd     int
	addr   net.Addr
	tls    *tls.Config // nil for plain
	poll   netpoll.Poll
	op     *netpoll.FDOperator

	// Owned by the loop.
	turn  int
	spare int // a descriptor to give up when there are no others; -1 when that happened

	// Guarded by mu.
	mu     sync.Mutex
	paused *time.Timer // nil unless the loop does not wait for it
	closed bool
}

// newListener takes ln over: its descriptor leaves Go's own poller for ours.
func newListener(p *Poller, ln *net.TCPListener, tc *tls.Config) (*listener, error) {
	l := &listener{poller: p, fd: -1, addr: ln.Addr(), tls: tc, poll: p.loops[0].poll}
	raw, err := ln.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("take over listener: %w", err)
	}
	var dupErr error
	err = raw.Control(func(fd uintptr) {
		l.fd, dupErr = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err = errors.Join(err, dupErr); err != nil {
		return nil, fmt.Errorf("take over listener: %w", err)
	}
	_ = ln.Close()
	l.spare = openSpare()
	l.op = l.poll.Alloc()
	l.op.FD = l.fd
	l.op.OnRead = l.onRead
	l.op.OnHup = func(netpoll.Poll) error { return nil }
	if err := l.poll.Control(l.op, netpoll.PollReadable); err != nil {
		l.release()
		return nil, fmt.Errorf("wait for listener: %w", err)
	}
	return l, nil
}

// onRead accepts a batch. Connections that are left call again.
func (l *listener) onRead(netpoll.Poll) error {
	for range acceptBatch {
		fd, sa, err := acceptSocket(l.fd)
		switch {
		case err == nil:
			l.admit(fd, sa)
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ECONNABORTED), errors.Is(err, unix.EPROTO):
		default:
			l.exhausted(err)
			return nil
		}
	}
	return nil
}

func (l *listener) admit(fd int, sa unix.Sockaddr) {
	p := l.poller
	addr := addrPort(sa)
	if why, ok := p.admission.enter(p.proxies.counted(addr.Addr())); !ok {
		p.refuse(why, addr)
		_ = unix.Close(fd)
		return
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if l.tls != nil {
		p.startStream(fd, addr, l.tls)
		return
	}
	l.turn++
	p.loops[l.turn%len(p.loops)].adopt(fd, addr)
}

// exhausted is called when there is no descriptor for the next socket. The spare one takes that socket and closes it,
// so that the client knows; then the listener is left alone for a while, because it stays readable and would spin.
func (l *listener) exhausted(cause error) {
	l.poller.refused.add(refusedEMFILE)
	if l.spare >= 0 {
		_ = unix.Close(l.spare)
		if fd, _, err := acceptSocket(l.fd); err == nil {
			_ = unix.Close(fd)
		}
	}
	l.spare = openSpare()
	l.poller.trouble.Log(slog.LevelWarn, "accept", "cannot accept connections", slog.Any("addr", l.addr), slog.Any("err", cause))
	l.pause()
}

// pause detaches through the Poll and not through the operator, which can be detached only once.
func (l *listener) pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.paused != nil || l.poll.Control(l.op, netpoll.PollDetach) != nil {
		return
	}
	l.poller.work.Add(1)
	l.paused = time.AfterFunc(acceptPause, l.resume)
}

func (l *listener) resume() {
	defer l.poller.work.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paused = nil
	if l.closed {
		return
	}
	if err := l.poll.Control(l.op, netpoll.PollReadable); err != nil {
		l.poller.work.Add(1)
		l.paused = time.AfterFunc(acceptPause, l.resume)
	}
}

// close stops listening. It must not be called with mu held: Free waits for onRead.
func (l *listener) close() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.closed = true
	if l.paused == nil {
		_ = l.poll.Control(l.op, netpoll.PollDetach)
	} else if l.paused.Stop() {
		l.poller.work.Done()
	}
	l.mu.Unlock()
	l.release()
}

func (l *listener) release() {
	l.op.Free()
	_ = unix.Close(l.fd)
	if l.spare >= 0 {
		_ = unix.Close(l.spare)
	}
}

// openSpare returns a descriptor that is good for nothing but being given up, or -1.
func openSpare() int {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

// addrPort returns the client's address; IPv4 as such, also on a dual-stack socket.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	default:
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
}
