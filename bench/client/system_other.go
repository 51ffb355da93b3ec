//go:build !linux

package client

import (
	"net/netip"
	"syscall"
)

// newDriver: without epoll every client is a stream.
func newDriver(f *Fleet) (driver, error) { return newStreams(f), nil }

// defaultSources leaves the choice to the system: 127.0.0.1 is the only loopback address that is up everywhere.
func defaultSources(netip.Addr) []netip.Addr { return nil }

// lateBind is the Control of a net.Dialer with nothing to set.
var lateBind func(network, address string, c syscall.RawConn) error
