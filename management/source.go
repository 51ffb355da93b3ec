package management

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// source is whose attempts to log in are counted together: a browser that has logged in before, or else a network. It
// is comparable.
type source struct {
	device string       // the browser's mark; the rest is zero then
	by     netip.Prefix // the proxy that named the client, when its word may be a lie; else zero
	client netip.Prefix // zero in the source that stands for the proxy
}

// proxy is the source of all clients that the same untrusted proxy names.
func (s source) proxy() (source, bool) { return source{by: s.by}, s.by.IsValid() }

// sourceOf tells who tries to log in. A proxy in server.trusted_proxies is believed. Another one on this machine or in
// a private network, where proxies stand, is believed within bounds: without that all its clients would share five
// attempts.
func (a *Access) sourceOf(r *http.Request) source {
	if id := a.gate.device(cookie(r, deviceCookie)); id != "" {
		return source{device: id}
	}
	peer := addressOf(r)
	client := a.clientOf(r)
	if client == peer || a.trusts(peer) {
		return source{client: network(client)}
	}
	return source{by: network(peer), client: network(client)}
}

// clientOf is the address that a request comes from: in X-Forwarded-For, read from the right, the first one that is no
// trusted proxy's.
func (a *Access) clientOf(r *http.Request) netip.Addr {
	client := addressOf(r)
	if !a.trusts(client) && !client.IsLoopback() && !client.IsPrivate() {
		return client
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		at, ok := parseHop(strings.TrimSpace(hop))
		if !ok {
			return client
		}
		if client = at; !a.trusts(at) {
			return client
		}
	}
	return client
}

func (a *Access) trusts(at netip.Addr) bool {
	return slices.ContainsFunc(a.proxies, func(p netip.Prefix) bool { return p.Contains(at) })
}

// parseHop reads one address; some proxies add the port ("192.0.2.1:4711", "[2001:db8::1]:4711").
func parseHop(text string) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(text)
	if err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

// network is what one person has: an IPv4 address, or a /64 of IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero prefix for the zero address
	return p
}
