package api

import (
	"bytes"
	"net"
	"net/http"

	"reverb/metrics"
)

// PlainErrors is ln with Reverb's text for requests that cannot be read. net/http answers those itself, straight to the connection,
// and its text tells the caller about the parser.
func (a *API) PlainErrors(ln net.Listener) net.Listener {
	return plainListener{ln, func() { a.metrics.Request("", metrics.RouteOther, http.StatusBadRequest) }}
}

type plainListener struct {
	net.Listener
	unreadable func() // is called for each such request
}

func (l plainListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return plainConn{c, l.unreadable}, nil
}

type plainConn struct {
	net.Conn
	unreadable func()
}

var (
	// What net/http writes in one piece: the first line, perhaps with a reason behind it, then these headers. The handler's answers
	// have others.
	badRequestLine   = []byte("HTTP/1.1 400 Bad Request")
	badRequestMiddle = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request")

	badRequest = []byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 12\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\r\nBad request.")
)

func (c plainConn) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, badRequestLine) || !bytes.Contains(p, badRequestMiddle) {
		return c.Conn.Write(p)
	}
	c.unreadable()
	if _, err := c.Conn.Write(badRequest); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite lets net/http half-close after an error answer, so that the client can read it.
func (c plainConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Reclaim gives the connection back to whom the listener has it from.
func (c plainConn) Reclaim(head []byte) bool {
	own, ok := c.Conn.(reclaimer)
	return ok && own.Reclaim(head)
}
