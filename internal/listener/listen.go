package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
)

// Open binds the server's address. The backlog is the largest that the system allows, which is what net asks for.
func Open(host string, port int) (*net.TCPListener, error) {
	address := net.JoinHostPort(bareHost(host), strconv.Itoa(port))
	ln, err := new(net.ListenConfig).Listen(context.Background(), network(host), address)
	if err != nil {
		return nil, &Error{Host: host, Port: port, Err: err}
	}
	return ln.(*net.TCPListener), nil
}

// Error is that of an address that cannot be listened on.
type Error struct {
	Host string
	Port int
	Err  error
}

// Error is Reverb's line, which scripts look for.
func (e *Error) Error() string {
	return fmt.Sprintf("Failed to listen on %q: %s", "tcp://"+Show(e.Host, e.Port), Reason(e.Err))
}

func (e *Error) Unwrap() error { return e.Err }

// network keeps 0.0.0.0 to IPv4: Go would otherwise bind a dual-stack socket and collide with a program that has the
// port on IPv6.
func network(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.To4() != nil {
		return "tcp4"
	}
	return "tcp"
}

// bareHost takes the brackets off an IPv6 address, which Reverb wants to have them.
func bareHost(host string) string {
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1]
	}
	return host
}

// Show is host and port as the operator wrote the host.
func Show(host string, port int) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}

// Reason is the text of the system error alone, as PHP shows it: `Address already in use (EADDRINUSE)`.
func Reason(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		text := number.Error()
		text = strings.ToUpper(text[:1]) + text[1:]
		if name := errnoName(number); name != "" {
			text += " (" + name + ")"
		}
		return text
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}

// Port is the port that the system chose when 0 was asked for.
func Port(ln net.Listener) int {
	if address, ok := ln.Addr().(*net.TCPAddr); ok {
		return address.Port
	}
	return 0
}
