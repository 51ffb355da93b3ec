package poller

import (
	"bytes"
	"net/netip"
)

// forwardedFor returns for whom a request came that a trusted proxy sent: in the X-Forwarded-For lines of head, read from the right, the
// first address that is not itself a trusted proxy's. The client may have written all that stands left of it. When all are trusted it is the
// leftmost. Not valid when there is no such header, or nothing readable where the client should stand.
func (x *proxies) forwardedFor(head []byte) netip.AddrPort {
	var client netip.AddrPort
	for list := range forwardedLists(head) {
		for list != nil {
			var item []byte
			if i := bytes.LastIndexByte(list, ','); i >= 0 {
				list, item = list[:i], list[i+1:]
			} else {
				list, item = nil, list
			}
			at, ok := parseForwarded(bytes.Trim(item, " \t"))
			if !ok {
				return client // of the last hop that is known
			}
			if client = at; !x.trusts(at.Addr()) {
				return client
			}
		}
	}
	return client
}

// forwardedLists yields the values of all X-Forwarded-For lines of head, the last line first. head has been read by parseUpgrade, so that
// every line has a colon and ends in CR LF.
func forwardedLists(head []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(head) > 0 {
			start := bytes.LastIndexByte(head[:len(head)-1], '\n') + 1
			name, value, ok := bytes.Cut(head[start:], []byte(":"))
			head = head[:start]
			if ok && is(name, "X-Forwarded-For") && !yield(bytes.Trim(value, " \t\r\n")) {
				return
			}
		}
	}
}

// parseForwarded reads one address; some proxies add the port ("192.0.2.1:4711", "[2001:db8::1]:4711").
func parseForwarded(item []byte) (netip.AddrPort, bool) {
	const longest = len("[0000:0000:0000:0000:0000:ffff:255.255.255.255]:65535")
	if len(item) > longest {
		return netip.AddrPort{}, false
	}
	text := string(item)
	if at, err := netip.ParseAddrPort(text); err == nil && at.Addr().Zone() == "" {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), true
	}
	if len(text) > 1 && text[0] == '[' && text[len(text)-1] == ']' {
		text = text[1 : len(text)-1]
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Unmap(), 0), true
}
