package doctor

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// checkClientAddress asks the server from where it thinks that our connection s comes: from us, or from the proxy.
func (e publicAddress) checkClientAddress(s *socket) {
	const check, title = "public.address", "Client address"
	if !e.up {
		e.skip(check, title, "the server does not run on this machine: only it can say whom it sees")
		return
	}
	own := addressOf(s.line.LocalAddr())
	seen, err := e.askAddress(s)
	if err == nil && seen.Addr().Unmap() == own && own.IsLoopback() && seen.Port() != uint16(portOf(s.line.LocalAddr())) {
		// The proxy's own address looks like ours when both are 127.0.0.1: try again as 127.0.0.2.
		own, seen, err = e.askAsAnother()
	}
	switch {
	case errors.Is(err, ErrNotAsked):
		e.skip(check, title, "the running server cannot be asked: no control socket, or it belongs to another user")
	case err != nil:
		e.skip(check, title, "the running server does not say: %s", short(err.Error()))
	case seen.Addr().Unmap() == own:
		e.ok(check, title, "the server sees clients' own addresses")
	case seen.Addr().Unmap().IsLoopback(), seen.Addr().Unmap().IsPrivate() && !own.IsPrivate():
		e.warn(check, title, fmt.Sprintf("the server sees %s instead of the client's", seen.Addr().Unmap()), "limits per address take all visitors for one, and logs do not say who it was",
			"Nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", fmt.Sprintf("config.toml: [server] trusted_proxies = [%q]", seen.Addr().Unmap()))
	default:
		e.ok(check, title, "the server sees %s, we connect from %s: right if that is this machine's public address", seen.Addr().Unmap(), own)
	}
}

func (e publicAddress) askAddress(s *socket) (netip.AddrPort, error) {
	ctx, cancel := e.step()
	defer cancel()
	return e.probes.ClientAddress(ctx, s.id)
}

// askAsAnother connects once more, from an address of this machine that no proxy has.
func (e publicAddress) askAsAnother() (own netip.Addr, seen netip.AddrPort, err error) {
	ctx, cancel := e.step()
	defer cancel()
	own = netip.AddrFrom4([4]byte{127, 0, 0, 2})
	s, _, err := e.upgrade(ctx, e.public, e.app().Key, net.TCPAddrFromAddrPort(netip.AddrPortFrom(own, 0)))
	if err != nil || s == nil {
		return own, seen, ErrNotAsked // not every system has 127.0.0.2
	}
	defer s.leave()
	if err := s.greet(ctx); err != nil {
		return own, seen, err
	}
	seen, err = e.askAddress(s)
	return own, seen, err
}

func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

func portOf(a net.Addr) int {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}
