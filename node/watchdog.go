package node

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

// watchdog tells the service manager that all is well, twice in the time that it wants to hear it, as long as a
// connection to ourselves gets through the event loops. A server that is full refuses it, and one that drains too: that
// is an answer. Only silence is not.
func (n *Node) watchdog(ctx context.Context) {
	every := n.process.Watchdog() / 2
	if every <= 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := n.answers(ctx, every); err != nil {
			n.log.Warn("the server does not answer itself; the service manager is not told that it lives", "err", err)
		} else {
			n.process.Notify("WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// answers sends a request that is no request, and wants anything back: the end of the connection is enough, and so is
// an alert of TLS.
func (n *Node) answers(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", n.self)
	if err != nil {
		if silent(err) && ctx.Err() != context.Canceled {
			return err
		}
		return nil
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	question := "watchdog\r\n\r\n"
	if n.cfg.Server.ProxyProtocol {
		question = "PROXY UNKNOWN\r\n" + question
	}
	_, _ = conn.Write([]byte(question))
	if _, err = conn.Read(make([]byte, 1)); silent(err) {
		return err
	}
	return nil
}

// silent reports whether no answer came at all, not even a refusal.
func silent(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// selfAddress is how this process reaches its own listener.
func selfAddress(ln net.Listener) string {
	address, ok := ln.Addr().(*net.TCPAddr)
	if !ok || !address.IP.IsUnspecified() {
		return ln.Addr().String()
	}
	own := *address
	own.IP = net.IPv6loopback
	if address.IP.To4() != nil {
		own.IP = net.IPv4(127, 0, 0, 1)
	}
	return own.String()
}
