package client

import (
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// newDriver: loops for plain sockets, streams for TLS and for addresses that need an interface's name.
func newDriver(f *Fleet) (driver, error) {
	if f.o.Target.TLS || f.addr.Addr().Zone() != "" {
		return newStreams(f), nil
	}
	return newLoops(f)
}

// defaultSources are eight addresses for a target on this machine: each has local ports of its own, 28,000 by default. Linux
// answers on all of 127.0.0.0/8.
func defaultSources(target netip.Addr) []netip.Addr {
	if !target.Is4() || !target.IsLoopback() {
		return nil
	}
	var all []netip.Addr
	for i := byte(1); i <= 8; i++ {
		all = append(all, netip.AddrFrom4([4]byte{127, 0, 0, i}))
	}
	return all
}

// lateBind is the Control of a net.Dialer: the local port is chosen by connect and not by bind, which would take it from all
// other targets.
func lateBind(_, _ string, c syscall.RawConn) error {
	var err error
	if controlErr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	}); controlErr != nil {
		return controlErr
	}
	return err
}
