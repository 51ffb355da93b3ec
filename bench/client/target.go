package client

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Target is a Pusher-protocol server: Reverb, soketi, Sockudo, Pylon, Centrifugo's Pusher mode or this one.
type Target struct {
	Addr               string // host:port, loopback or not
	Prefix             string // path prefix, "" or "/ws"
	AppID, Key, Secret string
	TLS                bool   // accepts any certificate
	Origin             string // header of the upgrade; none when empty
}

// started is the zero of Now.
var started = time.Now()

// Now is the time of the bench: monotonic nanoseconds since the process started.
func Now() int64 { return int64(time.Since(started)) }

// prefix is the path prefix with one slash in front and none behind, or nothing.
func (t Target) prefix() string {
	p := strings.Trim(t.Prefix, "/ ")
	if p == "" {
		return ""
	}
	return "/" + p
}

// host is the name or address without the port.
func (t Target) host() string {
	host, _, err := net.SplitHostPort(t.Addr)
	if err != nil {
		return t.Addr
	}
	return host
}

// resolve looks the address up once, so that a storm of connects is not one of name lookups.
func (t Target) resolve() (netip.AddrPort, error) {
	addr, err := net.ResolveTCPAddr("tcp", t.Addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("resolve target: %w", err)
	}
	ap := addr.AddrPort()
	ip := ap.Addr().Unmap()
	if !ip.IsValid() || ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrPortFrom(ip, ap.Port()), nil
}
