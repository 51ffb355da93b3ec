package handover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// What a socket is for: the first parameter of Listen, and FileDescriptorName of a systemd socket. A name that is none
// of these is that of a socket of the server.
const (
	Server    = "server"
	Metrics   = "metrics"
	Dashboard = "dashboard"
	Control   = "control"
)

// entry describes one socket to the next process.
type entry struct {
	Name    string `json:"name"`
	Address string `json:"address"` // as the configuration had it
	// Activated sockets are the service manager's: they serve whatever the configuration says.
	Activated bool `json:"activated,omitempty"`
}

type socket struct {
	entry
	fd int
}

// Sockets are the listening sockets of this process. Beside each listener it holds a descriptor of its own, for the
// next process: a port is closed only when both are. All methods may be called from any goroutine.
type Sockets struct {
	mu    sync.Mutex
	given []socket // by the guardian or the service manager, and not asked for yet
	held  []socket
}

// Listen returns listeners for a purpose: those that were given for it, else the one that open makes. A given socket of
// another address than the configured one is no longer wanted.
func (s *Sockets) Listen(name, address string, open func() (net.Listener, error)) ([]net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []net.Listener
	for i := 0; i < len(s.given); {
		given := s.given[i]
		if given.Name != name || !given.Activated && given.Address != address {
			i++
			continue
		}
		ln, err := listenerOf(given.fd)
		if err != nil {
			closeListeners(found)
			return nil, fmt.Errorf("use the given socket %q: %w", name, err)
		}
		s.given = slices.Delete(s.given, i, i+1)
		s.held = append(s.held, given)
		found = append(found, ln)
	}
	if found != nil {
		return found, nil
	}
	ln, err := open()
	if err != nil {
		return nil, err
	}
	fd, err := descriptorOf(ln)
	if err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("keep a descriptor of %s: %w", ln.Addr(), err)
	}
	s.held = append(s.held, socket{entry{Name: name, Address: address}, fd})
	return []net.Listener{ln}, nil
}

// Activated reports whether the service manager gave a socket for the purpose.
func (s *Sockets) Activated(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	is := func(k socket) bool { return k.Activated && k.Name == name }
	return slices.ContainsFunc(s.given, is) || slices.ContainsFunc(s.held, is)
}

// Seal closes what was given and is not wanted.
func (s *Sockets) Seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	closeAll(s.given)
	s.given = nil
}

// Close gives up all sockets. Listeners that Listen returned are their owners' to close.
func (s *Sockets) Close() {
	s.Seal()
	s.replace(nil)
}

// replace takes the sockets of the process that serves now in the place of the old ones.
func (s *Sockets) replace(held []socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	closeAll(s.held)
	s.held = held
}

// use calls f with the sockets while they cannot be closed.
func (s *Sockets) use(f func(entries []entry, fds []int) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries, fds := make([]entry, len(s.held)), make([]int, len(s.held))
	for i, k := range s.held {
		entries[i], fds[i] = k.entry, k.fd
	}
	return f(entries, fds)
}

// listenerOf makes a listener of a descriptor, which stays open. os.NewFile leaves the descriptor's mode alone when it
// is not blocking; the mode is shared by all processes that listen on the socket, whose event loops must never block in
// accept.
func listenerOf(fd int) (net.Listener, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(own), "socket")
	defer func() { _ = f.Close() }()
	listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || listening == 0 {
		return nil, errors.New("it does not listen for connections")
	}
	return net.FileListener(f)
}

// descriptorOf returns a new descriptor for the socket of a listener. (File would make the socket blocking, for
// everybody.)
func descriptorOf(ln net.Listener) (fd int, err error) {
	c, ok := ln.(syscall.Conn)
	if !ok {
		return -1, fmt.Errorf("%T has no descriptor", ln)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var dupErr error
	err = raw.Control(func(p uintptr) { fd, dupErr = unix.FcntlInt(p, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(err, dupErr)
}

func closeListeners(all []net.Listener) {
	for _, ln := range all {
		_ = ln.Close()
	}
}

func closeAll(sockets []socket) {
	for _, k := range sockets {
		_ = unix.Close(k.fd)
	}
}
