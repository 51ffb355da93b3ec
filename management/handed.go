package management

import (
	"io"
	"net"
	"sync"
)

// handed is a listener of connections that others have accepted and begun to read.
type handed struct {
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once
	address net.Addr
}

// hand gives a connection to Accept; false: the listener is closed.
func (h *handed) hand(c net.Conn) bool {
	select {
	case h.conns <- c:
		return true
	case <-h.closed:
		return false
	}
}

// Accept waits for the next connection.
func (h *handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close may be called several times.
func (h *handed) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr is that of the socket.
func (h *handed) Addr() net.Addr { return h.address }

// httpCall is a connection that speaks HTTP, with its first line put back.
type httpCall struct {
	net.Conn
	in     io.Reader
	owner  bool // the caller is the server's own user, or root
	closed chan struct{}
	once   sync.Once
}

func (c *httpCall) Read(p []byte) (int, error) { return c.in.Read(p) }

func (c *httpCall) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
