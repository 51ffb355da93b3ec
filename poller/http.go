package poller

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// handover is a socket on its way to net/http, with what was already read of it and the answers that it has not taken yet.
type handover struct {
	conn         *conn
	read, unsent []byte
}

// addr returns the address that the socket is counted for.
func (h handover) addr() netip.Addr { return h.conn.counted() }

// httpListener is the net.Listener that net/http accepts from. Its queue is bounded by the number of open sockets.
type httpListener struct {
	poller *Poller

	// Guarded by mu.
	mu      sync.Mutex
	arrived sync.Cond
	queue   []handover
	closed  bool
}

func newHTTPListener(p *Poller) *httpListener {
	l := &httpListener{poller: p}
	l.arrived.L = &l.mu
	return l
}

// push never waits.
func (l *httpListener) push(h handover) {
	l.mu.Lock()
	closed := l.closed
	if !closed {
		l.queue = append(l.queue, h)
		l.arrived.Signal()
	}
	l.mu.Unlock()
	if closed {
		// Not here: the caller may be the loop, which netpoll does not let free an operator that it is calling.
		l.poller.work.Go(func() { l.discard(h) })
	}
}

// Accept turns the next socket into a net.Conn. Doing that here keeps its system calls off the loop.
func (l *httpListener) Accept() (net.Conn, error) {
	for {
		h, ok := l.next()
		if !ok {
			return nil, net.ErrClosed
		}
		nc, err := h.conn.socket.netConn()
		if err == nil {
			c := &httpConn{Conn: nc, read: h.read, unsent: h.unsent, poller: l.poller, origin: h.conn, addr: h.addr()}
			if l.poller.proxies.protocol {
				c.client = net.TCPAddrFromAddrPort(h.conn.RemoteAddr())
			}
			return c, nil
		}
		l.poller.refused.add(refusedEMFILE)
		l.poller.admission.leave(h.addr())
	}
}

func (l *httpListener) next() (handover, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.arrived.Wait()
	}
	if len(l.queue) == 0 {
		return handover{}, false
	}
	h := l.queue[0]
	l.queue[0] = handover{}
	if l.queue = l.queue[1:]; len(l.queue) == 0 {
		l.queue = nil
	}
	return h, true
}

// Close implements net.Listener. The sockets stay with the poller, which refuses what would go to net/http.
func (l *httpListener) Close() error {
	l.mu.Lock()
	queue := l.queue
	l.queue, l.closed = nil, true
	l.arrived.Broadcast()
	l.mu.Unlock()
	for _, h := range queue {
		l.discard(h)
	}
	return nil
}

// Addr returns the address of the first listener served.
func (l *httpListener) Addr() net.Addr { return l.poller.addr() }

func (l *httpListener) discard(h handover) {
	h.conn.socket.release(false)
	l.poller.admission.leave(h.addr())
}

// httpConn is a socket in the hands of net/http.
type httpConn struct {
	net.Conn
	read   []byte // owned by Read: what the poller had read
	unsent []byte // owned by Read: answers of the poller
	poller *Poller
	origin *conn      // what it was before; it says who the client is
	addr   netip.Addr // counted for
	client net.Addr   // named by a PROXY header; nil = the peer of the socket
	once   sync.Once
}

// Read sends what is unsent first: the client may wait for it before it says more. net/http sets the deadline of its own
// answers when it has read a request.
func (c *httpConn) Read(p []byte) (int, error) {
	if unsent := c.unsent; unsent != nil {
		c.unsent = nil
		_ = c.SetWriteDeadline(time.Now().Add(c.poller.cfg.HandshakeTimeout))
		if n, err := c.Conn.Write(unsent); err != nil {
			return 0, fmt.Errorf("send %d bytes of earlier answers: %w", len(unsent)-n, err)
		}
		_ = c.SetWriteDeadline(time.Time{})
	}
	if len(c.read) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.read)
	if c.read = c.read[n:]; len(c.read) == 0 {
		c.read = nil
	}
	return n, nil
}

// RemoteAddr implements net.Conn.
func (c *httpConn) RemoteAddr() net.Addr {
	if c.client != nil {
		return c.client
	}
	return c.Conn.RemoteAddr()
}

// CloseWrite lets net/http half-close after an error answer, so that the client can read it.
func (c *httpConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *httpConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.poller.admission.leave(c.addr) })
	return err
}
