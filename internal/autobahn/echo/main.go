// Echo is a WebSocket server over package poller that sends every message back, for the Autobahn testsuite to judge.
// It prints the address to test, and shuts down when its standard input ends.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/gobwas/ws"

	"reverb/poller"
	"reverb/transport"
)

// outboxBytes holds a few of the largest messages of the testsuite, which have 16 MiB.
const outboxBytes = 128 << 20

func main() {
	secure := flag.Bool("tls", false, "echo over TLS, behind a forwarder that the address is of")
	flag.Parse()
	if err := serve(*secure); err != nil {
		slog.Error("echo", "err", err)
		os.Exit(1)
	}
}

func serve(secure bool) error {
	p, err := poller.New(poller.Config{
		Upgrade:     func([]byte) bool { return true },
		OutboxBytes: outboxBytes,
		Log:         slog.Default(),
	}, echo{})
	if err != nil {
		return err
	}
	var config *tls.Config
	if secure {
		if config, err = selfSigned(); err != nil {
			return err
		}
	}
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	addr := ln.Addr()
	if err := p.Serve(ln, config); err != nil {
		return err
	}
	if secure {
		var stop func()
		if addr, stop, err = forward(addr.(*net.TCPAddr)); err != nil {
			return err
		}
		defer stop()
	}
	fmt.Println(addr)
	_, _ = io.Copy(io.Discard, os.Stdin)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return p.Shutdown(ctx)
}

// echo opens a session for everyone.
type echo struct{}

func (echo) Open(c transport.Conn, _ *transport.Request) transport.Receiver {
	c.SetMaxMessage(0)
	return session{c}
}

// session sends back what it is sent. The frame is a copy, as what was sent is only lent.
type session struct{ conn transport.Conn }

func (s session) Message(payload []byte, binary bool) {
	op := ws.OpText
	if binary {
		op = ws.OpBinary
	}
	s.conn.Send(ws.MustCompileFrame(ws.NewFrame(op, true, payload)))
}

func (session) Control(transport.ControlOp) {}
func (session) Closed(transport.Reason)     {}
