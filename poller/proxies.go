package poller

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"

	"reverb/transport"
)

// tooManyOfAddress answers an upgrade over the limit. Not by hanging up, as at accept: a proxy takes a connection that is closed without
// an answer for a server that has failed, so that one client over its limit would take the server from all others.
const tooManyOfAddress = "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

// proxies are the addresses whose word about the client is taken. Constant after New. The zero value trusts nobody and costs nothing.
type proxies struct {
	trusted  []netip.Prefix
	protocol bool // they begin each connection with a PROXY header
}

// standing is what is known of the client at the other end of a connection. It only ever grows.
type standing uint8

const (
	standingCounted   standing = iota // the address is the client's, and counted
	standingStranger                  // the same; a PROXY header from it would be a lie
	standingProxy                     // the address is a trusted proxy's, which says with the request whose it is
	standingAnnounced                 // the same; it says so before the first byte of the client
)

// hasHeader reports whether the next bytes may be a PROXY header, honest or not.
func (s standing) hasHeader() bool { return s == standingStranger || s == standingAnnounced }

// trusts reports whether addr is a proxy of ours.
func (x *proxies) trusts(addr netip.Addr) bool {
	for _, p := range x.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// of returns where a connection from addr begins.
func (x *proxies) of(addr netip.Addr) standing {
	switch {
	case len(x.trusted) == 0:
		return standingCounted
	case !x.trusts(addr):
		if x.protocol {
			return standingStranger
		}
		return standingCounted
	case x.protocol:
		return standingAnnounced
	default:
		return standingProxy
	}
}

// counted returns the address that a connection from addr is counted for from its beginning: none when that is a proxy's.
func (x *proxies) counted(addr netip.Addr) netip.Addr {
	return countedFor(x.of(addr), addr)
}

// counted returns the address that c is counted for at this moment.
func (c *conn) counted() netip.Addr { return countedFor(c.standing, c.RemoteAddr().Addr()) }

func countedFor(s standing, addr netip.Addr) netip.Addr {
	if s >= standingProxy {
		return netip.Addr{}
	}
	return addr
}

// become makes client the address of c and counts it, or reports that it has too many connections.
func (c *conn) become(client netip.AddrPort) bool {
	if !c.table.poller.admission.claim(client.Addr()) {
		c.table.poller.refuse(refusedAddress, client)
		return false
	}
	c.addr, c.port = client.Addr().As16(), client.Port()
	c.standing = standingCounted
	return true
}

// announced takes the PROXY header off the first bytes of c and returns what follows, nothing when that has not come. Only while
// its standing has a header.
func (c *conn) announced(p []byte) []byte {
	if c.standing == standingStranger {
		if startsProxyHeader(p) {
			c.refuseProxy()
			return nil
		}
		c.standing = standingCounted
		return p
	}
	if c.unread != nil {
		c.unread.b = append(c.unread.b, p...)
		p = c.unread.b
	}
	client, n, err := parseProxyHeader(p)
	switch {
	case err != nil:
		c.refuseProxy()
		return nil
	case n == 0:
		if c.unread == nil {
			c.unread = &unread{bytes.Clone(p)}
		}
		return nil
	}
	c.unread = nil
	c.standing = standingProxy
	// The client may be one more proxy of ours, which says the rest with the request.
	if client.IsValid() && c.table.poller.proxies.trusts(client.Addr()) {
		c.addr, c.port = client.Addr().As16(), client.Port()
	} else if client.IsValid() && !c.become(client) {
		c.hangUpUnserved()
		return nil
	}
	return p[n:]
}

// refuseProxy ends a connection whose PROXY header is malformed, missing, or not the sender's to write.
func (c *conn) refuseProxy() {
	c.table.poller.refused.add(refusedProxy)
	c.table.poller.cfg.Log.Debug("PROXY header refused", "remote", c.RemoteAddr(), "trusted", c.standing == standingAnnounced)
	c.hangUpUnserved()
}

func (c *conn) hangUpUnserved() {
	c.deaf, c.unread = true, nil
	c.Kill(transport.ReasonProtocolError)
}

// admitClient finds out for whom a proxy asks with head to upgrade, and whether that client may have one more connection. A proxy that
// does not say is itself the client.
func (c *conn) admitClient(head []byte, r *transport.Request) bool {
	if c.standing != standingProxy {
		return true
	}
	client := c.clientOf(head)
	if !c.become(client) {
		c.deaf = true
		c.close([]byte(tooManyOfAddress), transport.ReasonProtocolError)
		return false
	}
	r.RemoteAddr = client
	return true
}

// clientOf returns whom a request came from: the connection's client, or the one that a trusted proxy names in the head, which has been found
// to be well-formed.
func (c *conn) clientOf(head []byte) netip.AddrPort {
	if c.standing == standingProxy {
		if client := c.table.poller.proxies.forwardedFor(head); client.IsValid() {
			return client
		}
	}
	return c.RemoteAddr()
}

// Client returns whom a request came from that net/http has: likewise.
func (p *Poller) Client(r *http.Request) netip.AddrPort {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !p.proxies.trusts(peer.Addr()) {
		return peer
	}
	var head []byte
	for _, list := range r.Header["X-Forwarded-For"] {
		head = append(append(append(head, "X-Forwarded-For:"...), list...), "\r\n"...)
	}
	if client := p.proxies.forwardedFor(head); client.IsValid() {
		return client
	}
	return peer
}

// errProxyRefused ends the TLS handshake of a connection whose PROXY header was refused.
var errProxyRefused = errors.New("PROXY header refused")

// announcedConn is the socket of a stream as crypto/tls sees it: without the PROXY header, which comes before TLS. Only the stream's
// goroutine may read.
type announcedConn struct {
	*net.TCPConn
	conn *conn
	rest []byte // behind the header, until it is read
}

func (a *announcedConn) Read(p []byte) (int, error) {
	for len(a.rest) == 0 && a.conn.standing.hasHeader() {
		n, err := a.TCPConn.Read(p)
		if n > 0 {
			a.rest = bytes.Clone(a.conn.announced(p[:n]))
		}
		if a.conn.state.Load() >= stateCut {
			return 0, errProxyRefused
		}
		if err != nil && len(a.rest) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
	}
	if len(a.rest) == 0 {
		return a.TCPConn.Read(p)
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}
