package poller

import (
	"crypto/tls"
	"net"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"

	"reverb/transport"
)

// Reclaim gives the connection back to the poller because its next request is a WebSocket upgrade: proxies send those over connections
// that they have used for other requests before. head is that request's head, written anew, and whatever of the client came behind it.
// The connection must be hijacked: nobody else may read it any more. It reports false, and the connection stays the caller's, when the
// upgrade is not one of ours or nobody is let in any more.
func (c *httpConn) Reclaim(head []byte) bool {
	p := c.poller
	end := headEnd(head, 0)
	if u, ok := parseUpgrade(head[:end]); !ok || p.cfg.Upgrade == nil || !p.cfg.Upgrade(u.path()) || p.leaving() {
		return false
	}
	switch under := c.Conn.(type) {
	case *net.TCPConn:
		return p.reclaimSocket(c, under, head)
	case *tls.Conn:
		p.reclaimStream(c, under, head)
		return true
	}
	return false
}

func (p *Poller) leaving() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.draining
}

// reclaimSocket lets a loop have the socket of nc. Its descriptor is duplicated because the runtime's poller only gives one up by
// closing it.
func (p *Poller) reclaimSocket(h *httpConn, nc *net.TCPConn, head []byte) bool {
	raw, err := nc.SyscallConn()
	if err != nil {
		return false
	}
	fd := -1
	if raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }) != nil || err != nil {
		return false
	}
	h.disown()
	_ = nc.Close()

	l := p.loops[fd%len(p.loops)]
	c := l.prepare(fd, h.origin.RemoteAddr())
	c.succeed(h.origin)
	c.input(head) // before the loop waits for the socket, so that nobody else reads
	c.mu.Lock()   // holds up the callbacks, which may come as soon as the loop waits
	defer c.mu.Unlock()
	if l.poll.Control(c.op, netpoll.PollReadable) != nil {
		p.refused.add(refusedEMFILE)
		p.work.Go(c.finish)
		return true
	}
	c.arm()
	c.leaveWith(p)
	return true
}

// reclaimStream starts a stream over a TLS connection that has had its handshake.
func (p *Poller) reclaimStream(h *httpConn, nc *tls.Conn, head []byte) {
	h.disown()
	old, _ := h.origin.socket.(*stream)
	s := &stream{raw: old.raw, tls: nc}
	s.init(s, &p.streams, h.origin.RemoteAddr())
	s.room.L = &s.mu
	s.succeed(h.origin)
	p.conns.Add(1)
	p.streams.add(&s.conn, p.cfg.HandshakeTimeout)
	p.work.Go(func() {
		defer s.finish()
		s.take(head)
		s.mu.Lock()
		s.leaveWith(p)
		s.mu.Unlock()
		s.read()
	})
}

// succeed takes over what was known of the client.
func (c *conn) succeed(former *conn) {
	c.addr, c.port, c.standing = former.addr, former.port, former.standing
}

// leaveWith is for a connection that came while the poller began to leave and may be missing in its list. The caller holds c.mu.
func (c *conn) leaveWith(p *Poller) {
	if p.leaving() {
		c.cutLocked(transport.ReasonShutdown, false)
	}
}

// disown keeps Close from counting the connection out: it goes on.
func (c *httpConn) disown() { c.once.Do(func() {}) }
