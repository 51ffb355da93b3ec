package poller

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
)

// The PROXY protocol: the header that a proxy without HTTP puts in front of the client's bytes (HAProxy: The PROXY protocol, versions 1 & 2).
const (
	proxyLine      = "PROXY "
	proxyLineMax   = 107 // bytes of a version 1 header, CR LF included
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
	proxyFixed     = len(proxySignature) + 4 // bytes in front of the addresses of version 2
	proxyHeaderMax = 4 << 10                 // bytes of a whole version 2 header: addresses and what else the proxy knows
)

// errProxyHeader says that bytes do not begin with a PROXY header, or with one that breaks its rules.
var errProxyHeader = errors.New("malformed PROXY header")

// startsProxyHeader reports whether b, the beginning of a connection, can only be a PROXY header.
func startsProxyHeader(b []byte) bool {
	return bytes.HasPrefix(b, []byte(proxyLine)) || bytes.HasPrefix(b, []byte(proxySignature))
}

// parseProxyHeader reads the header at the start of b. n is its length, 0 while b ends before it does. client is not valid when the proxy
// speaks for itself (LOCAL) or does not say for whom (UNKNOWN).
func parseProxyHeader(b []byte) (client netip.AddrPort, n int, err error) {
	switch {
	case hasPrefixSoFar(b, proxySignature):
		return parseProxyBinary(b)
	case hasPrefixSoFar(b, proxyLine):
		return parseProxyLine(b)
	}
	return client, 0, errProxyHeader
}

// hasPrefixSoFar reports whether b begins with prefix, or is the beginning of it.
func hasPrefixSoFar(b []byte, prefix string) bool {
	n := min(len(b), len(prefix))
	return string(b[:n]) == prefix[:n]
}

// parseProxyLine reads version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443" and CR LF.
func parseProxyLine(b []byte) (client netip.AddrPort, n int, err error) {
	end := bytes.IndexByte(b[:min(len(b), proxyLineMax)], '\n')
	if end < 0 {
		if len(b) >= proxyLineMax {
			return client, 0, errProxyHeader
		}
		return client, 0, nil
	}
	line, ok := bytes.CutSuffix(b[:end], []byte("\r"))
	if !ok {
		return client, 0, errProxyHeader
	}
	n = end + 1
	fields := bytes.Split(line, []byte(" "))
	if len(fields) > 1 && string(fields[1]) == "UNKNOWN" {
		return client, n, nil // whatever follows is to be ignored
	}
	if len(fields) != 6 {
		return client, 0, errProxyHeader
	}
	family := string(fields[1])
	from, okFrom := parseEndpoint(family, fields[2], fields[4])
	_, okTo := parseEndpoint(family, fields[3], fields[5])
	if !okFrom || !okTo {
		return client, 0, errProxyHeader
	}
	return from, n, nil
}

// parseEndpoint reads an address of family "TCP4" or "TCP6" and a port in the one form that the protocol allows.
func parseEndpoint(family string, address, port []byte) (netip.AddrPort, bool) {
	addr, err := netip.ParseAddr(string(address))
	if err != nil || addr.Zone() != "" || family != "TCP4" && family != "TCP6" || addr.Is4() != (family == "TCP4") {
		return netip.AddrPort{}, false
	}
	number, err := strconv.ParseUint(string(port), 10, 16)
	if err != nil || port[0] == '0' && len(port) > 1 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(number)), true
}

// parseProxyBinary reads version 2.
func parseProxyBinary(b []byte) (client netip.AddrPort, n int, err error) {
	if len(b) < proxyFixed {
		return client, 0, nil
	}
	command, family := b[12], b[13]
	n = proxyFixed + int(binary.BigEndian.Uint16(b[14:]))
	if command != 0x20 && command != 0x21 || n > proxyHeaderMax {
		return client, 0, errProxyHeader
	}
	if len(b) < n {
		return client, 0, nil
	}
	if command == 0x20 { // LOCAL: a health check
		return client, n, nil
	}
	rest := b[proxyFixed:n]
	switch family {
	case 0x00, 0x31: // no family, or a Unix socket: nobody on the network
		return client, n, nil
	case 0x11: // TCP over IPv4
		if len(rest) >= 12 {
			addr := netip.AddrFrom4([4]byte(rest))
			return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(rest[8:])), n, nil
		}
	case 0x21: // TCP over IPv6
		if len(rest) >= 36 {
			addr := netip.AddrFrom16([16]byte(rest)).Unmap()
			return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(rest[32:])), n, nil
		}
	}
	return client, 0, errProxyHeader
}
