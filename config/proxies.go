package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Proxies are the addresses of TrustedProxies, which Load has seen to be well-formed.
func (s Server) Proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range s.TrustedProxies {
		if prefix, err := parseProxy(text); err == nil {
			all = append(all, prefix)
		}
	}
	return all
}

// parseProxy reads an address or a network. All addresses at once are refused: then X-Forwarded-For would be what the
// client made of it.
func parseProxy(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("parse address %q", text)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix.Bits() == 0 || prefix.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("parse network %q", text)
	}
	return prefix.Masked(), nil
}

func (ru rules) checkProxies() {
	s := &ru.cfg.Server
	for _, text := range s.TrustedProxies {
		if _, err := parseProxy(text); err != nil {
			ru.fail("server.trusted_proxies", " has %s: want an address or a network as \"10.0.0.0/8\", and not every address there is", shown(text))
		}
	}
	if s.ProxyProtocol && len(s.TrustedProxies) == 0 {
		ru.fail("server.proxy_protocol", ": want server.trusted_proxies too: from others a PROXY header is refused")
	}
}
