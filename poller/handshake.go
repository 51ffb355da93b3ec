package poller

import (
	"bytes"
	"io"
	"strings"

	"github.com/gobwas/ws"

	"reverb/transport"
)

// unread is what was read of a client and cannot be handled yet: the beginning of a request's head, or messages that came while the
// answers to those before wait (answers.go).
type unread struct{ b []byte }

// headTooLarge is written as bytes because net/http never sees such a request.
const headTooLarge = "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

// handshake gathers the head of a request and decides whose it is. It returns what follows an upgrade: frames.
// Publishes are answered here, as many as follow one another. Any other request that is not a well-formed upgrade of one of our paths
// leaves with all its bytes for net/http, which knows how to answer it.
func (c *conn) handshake(p []byte) []byte {
	if c.standing.hasHeader() {
		if p = c.announced(p); len(p) == 0 {
			return nil
		}
	}
	if c.unread == nil && !c.kept && p[0] == tlsHandshake && c.table.loop != nil {
		c.refuseTLS()
		return nil
	}
	all, seen := p, 0
	if c.unread != nil {
		seen = len(c.unread.b)
		c.unread.b = append(c.unread.b, p...)
		all = c.unread.b
	}
	for {
		if c.kept && seen == 0 {
			all = bytes.TrimLeft(all, "\r\n") // behind a body; RFC 9112 2.2
		}
		if len(all) == 0 {
			c.unread = nil
			return nil
		}
		end := headEnd(all, seen)
		if limit := c.table.poller.cfg.MaxHead; end > limit || end == 0 && len(all) > limit {
			c.refuseHead()
			return nil
		}
		if end == 0 {
			c.keepHead(all)
			return nil
		}
		rest, answered := c.direct(all, end)
		if answered {
			all, seen = rest, 0
			continue
		}
		c.unread = nil
		answer, r := c.upgrade(all[:end])
		if answer == nil {
			c.handOver(all)
			return nil
		}
		if !c.admitClient(all[:end], r) {
			return nil
		}
		c.serve(answer, r)
		return all[end:]
	}
}

// keepHead keeps the beginning of a head until the rest comes.
func (c *conn) keepHead(b []byte) {
	if c.unread != nil && len(b) == len(c.unread.b) {
		return // more of the same head
	}
	// Anew: the old one may have been as large as a whole read.
	c.unread = &unread{bytes.Clone(b)}
	if c.kept { // a first head has its time since the connection began
		c.table.schedule(c, c.table.poller.cfg.HandshakeTimeout)
	}
}

// upgrade returns the 101 answer to head, or nil if it is not a well-formed upgrade.
func (c *conn) upgrade(head []byte) ([]byte, *transport.Request) {
	p := c.table.poller
	u, ok := parseUpgrade(head)
	if p.cfg.Upgrade == nil || !p.cfg.Upgrade(u.path()) {
		return nil, nil
	}
	var answer []byte
	if ok {
		answer = p.accept(u.key)
	}
	if answer == nil {
		p.refused.add(refusedHandshake)
		return nil, nil
	}
	target := string(u.target)
	path, query, _ := strings.Cut(target, "?")
	return answer, &transport.Request{
		Path: path, Query: query, Host: string(u.host), Origin: string(u.origin),
		RemoteAddr: c.RemoteAddr(), TLS: c.table.loop == nil,
	}
}

// accept lets gobwas/ws answer an upgrade. Of the request it gets what matters for that: its reader would swallow the
// frames behind the head, and it refuses a Connection header on two lines, which RFC 9110 5.3 allows.
func (p *Poller) accept(key []byte) []byte {
	var rw upgradeBuffer
	rw.request = append(rw.request, "GET / HTTP/1.1\r\nHost: \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "...)
	rw.request = append(append(rw.request, key...), "\r\n\r\n"...)
	if _, err := p.upgrader.Upgrade(&rw); err != nil {
		return nil
	}
	return rw.answer
}

// upgradeBuffer is both ends of the connection that ws.Upgrader wants.
type upgradeBuffer struct{ request, answer []byte }

func (b *upgradeBuffer) Read(p []byte) (int, error) {
	if len(b.request) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.request)
	b.request = b.request[n:]
	return n, nil
}

func (b *upgradeBuffer) Write(p []byte) (int, error) {
	b.answer = append(b.answer, p...)
	return len(p), nil
}

// serve makes a WebSocket of c. The answer gathers with what the handler sends, because most greet the client: one
// packet instead of two for each of a storm of connections.
func (c *conn) serve(answer []byte, r *transport.Request) {
	p := c.table.poller
	c.table.settle(c)
	c.mu.Lock()
	if c.state.Load() == stateHandshake {
		c.state.Store(stateOpen)
		c.queueLocked(answer, 0)
	}
	alive := c.state.Load() == stateOpen
	c.mu.Unlock()
	if !alive {
		return
	}
	c.opened = true
	p.open.Add(1)
	c.receiver = p.handler.Open(c, r)
}

// handOver gives the socket and the bytes read so far to net/http.
func (c *conn) handOver(read []byte) {
	p := c.table.poller
	c.mu.Lock()
	c.uncorkLocked()
	if c.state.Load() != stateHandshake {
		c.mu.Unlock()
		return
	}
	unsent := c.takeLocked()
	c.state.Store(stateGone)
	c.mu.Unlock()
	c.socket.detach()
	c.table.remove(c)
	p.http.push(handover{c, bytes.Clone(read), unsent})
	p.conns.Done()
}

func (c *conn) refuseHead() {
	c.table.poller.refused.add(refusedHead)
	c.deaf, c.unread = true, nil
	c.close([]byte(headTooLarge), transport.ReasonProtocolError)
}

// headEnd returns where the head ends that starts b, behind its empty line, or 0. The first seen bytes have been
// searched before.
func headEnd(b []byte, seen int) int {
	from := max(seen-2, 0)
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return 0
		}
		from += i + 1
		switch rest := b[from:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}

// newUpgrader accepts no subprotocol and no extension, whatever is offered.
func newUpgrader(servedBy string) ws.Upgrader {
	var u ws.Upgrader
	if servedBy != "" {
		u.Header = ws.HandshakeHeaderString("X-Powered-By: " + servedBy + "\r\n")
	}
	return u
}
