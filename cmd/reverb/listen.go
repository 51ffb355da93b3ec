package main

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
)

// listen binds the server's address. The backlog is the largest that the system allows, which is what net asks for.
func listen(host string, port int) (*net.TCPListener, error) {
	address := net.JoinHostPort(bareHost(host), strconv.Itoa(port))
	ln, err := new(net.ListenConfig).Listen(context.Background(), network(host), address)
	if err != nil {
		return nil, listenError(host, port, err)
	}
	return ln.(*net.TCPListener), nil
}

// network keeps 0.0.0.0 to IPv4: Go would otherwise bind a dual-stack socket and collide with whoever has the port on IPv6.
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

// showAddress is host and port as the operator wrote the host.
func showAddress(host string, port int) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}

// reasonText is the text of the system error alone, as PHP shows it: `Address already in use (EADDRINUSE)`.
func reasonText(err error) string {
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

// boundPort is the port that the system chose when 0 was asked for.
func boundPort(ln net.Listener) int {
	if address, ok := ln.Addr().(*net.TCPAddr); ok {
		return address.Port
	}
	return 0
}
