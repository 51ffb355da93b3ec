package redistest_test

import (
	"bufio"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"reverb/internal/redistest"
)

// ping says what the connection answers to PING within a moment.
func ping(c net.Conn) (string, error) {
	_ = c.SetDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return "", err
	}
	return bufio.NewReader(c).ReadString('\n')
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestProxy(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Start(t).Addr)
	c := dial(t, p.Addr)
	if got, err := ping(c); got != "+PONG\r\n" {
		t.Fatalf("got %q, error %v", got, err)
	}
	p.Blackhole()
	for _, c := range []net.Conn{c, dial(t, p.Addr)} {
		if got, err := ping(c); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("swallowing: got %q, error %v", got, err)
		}
	}
	p.Heal()
	if _, err := ping(c); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection that lost something goes on: %v", err)
	}
	c = dial(t, p.Addr)
	if got, err := ping(c); got != "+PONG\r\n" {
		t.Errorf("healed: got %q, error %v", got, err)
	}
	p.Cut()
	for _, c := range []net.Conn{c, dial(t, p.Addr)} {
		if _, err := ping(c); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("cut: got error %v", err)
		}
	}
}
