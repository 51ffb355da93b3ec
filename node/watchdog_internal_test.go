package node

import (
	"net"
	"testing"
	"time"

	"reverb/config"
)

// A server that refuses the question is alive; only silence is not.
func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		serve func(net.Conn)
		alive bool
	}{
		"closes":  {func(c net.Conn) { _ = c.Close() }, true},
		"answers": {func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, true},
		"silent":  {func(net.Conn) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ln.Close() }()
			open := make(chan net.Conn, 1)
			go func() {
				conn, err := ln.Accept()
				if err == nil {
					tt.serve(conn)
					open <- conn
				}
			}()
			n := &Node{cfg: config.Default(), self: selfAddress(ln)}
			limit := 10 * time.Second
			if !tt.alive {
				limit = 50 * time.Millisecond
			}
			if err := n.answers(t.Context(), limit); (err == nil) != tt.alive {
				t.Errorf("alive %v, error %v", tt.alive, err)
			}
			_ = (<-open).Close()
		})
	}
}

func TestSelfAddress(t *testing.T) {
	for bound, want := range map[string]string{"127.0.0.1": "127.0.0.1", "0.0.0.0": "127.0.0.1"} {
		ln, err := net.Listen("tcp4", net.JoinHostPort(bound, "0"))
		if err != nil {
			t.Fatal(err)
		}
		host, port, _ := net.SplitHostPort(selfAddress(ln))
		_, bare, _ := net.SplitHostPort(ln.Addr().String())
		if host != want || port != bare {
			t.Errorf("bound to %s: %s:%s, want %s:%s", bound, host, port, want, bare)
		}
		_ = ln.Close()
	}
}
