package listener

import (
	"net"
	"sync"
)

// limited is a listener with a bound of open connections.
type limited struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Limit lets at most so many connections of ln be open; the next one waits.
func Limit(ln net.Listener, most int) net.Listener {
	return &limited{Listener: ln, places: make(chan struct{}, most), closed: make(chan struct{})}
}

// Accept waits until a connection may be open, and for the connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

// Close may be called several times.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
