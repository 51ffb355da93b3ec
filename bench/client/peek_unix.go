//go:build unix

package client

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// peeker looks whether the server has ended a connection that nobody reads, which costs one system call and is certain: a request
// that is not written need not be written twice.
type peeker struct {
	raw   syscall.RawConn
	look  func(fd uintptr) bool // made once: a closure of each look would be garbage
	ended bool
	mute  bool // nothing may come while nothing is asked
}

// newPeeker looks at tcp. Under TLS something may come at any time.
func newPeeker(tcp net.Conn, secure bool) *peeker {
	k := &peeker{mute: !secure}
	if s, ok := tcp.(syscall.Conn); ok {
		k.raw, _ = s.SyscallConn()
	}
	k.look = func(fd uintptr) bool {
		var one [1]byte
		n, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		waits := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
		k.ended = !waits && (err != nil || n == 0 || k.mute)
		return true
	}
	return k
}

func (k *peeker) gone() bool {
	return k.raw != nil && (k.raw.Read(k.look) != nil || k.ended)
}
