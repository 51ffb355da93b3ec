package poller_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"reverb/poller"
)

// repeat is a Config.Direct that answers what is below /direct and leaves the rest to net/http.
func repeat(target, body []byte, _ netip.AddrPort) []byte {
	if !strings.HasPrefix(string(target), "/direct") {
		return nil
	}
	text := string(target) + " " + string(body)
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Direct: yes\r\n\r\n%s", len(text), text)
}

func postTo(path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// wantBodies reads as many answers as there are bodies; those that begin with "/" were direct.
func (c *client) wantBodies(bodies ...string) {
	c.t.Helper()
	for _, want := range bodies {
		res := c.response()
		body := c.body(res)
		if body != want {
			c.t.Errorf("body %q, want %q", body, want)
		}
		if direct := res.Header.Get("X-Direct") != ""; direct != strings.HasPrefix(want, "/") {
			c.t.Errorf("%q: answered directly is %v", body, direct)
		}
	}
}

func TestDirect(t *testing.T) {
	s := start(t, poller.Config{Direct: repeat}, newHandler(), false)
	c := s.dial(t)
	c.write(postTo("/direct/1", "one"))
	c.wantBodies("/direct/1 one")
	// Several in one packet, the last one in pieces, and then what only net/http answers, on the same connection.
	last := postTo("/direct/4", "four")
	c.write(slices.Concat(postTo("/direct/2", "two"), postTo("/direct/3", ""), last[:20]))
	c.wantBodies("/direct/2 two", "/direct/3 ")
	c.write(last[20:])
	c.wantBodies("/direct/4 four")
	c.write(slices.Concat(postTo("/direct/5", "five"), postTo("/other", "six")))
	c.wantBodies("/direct/5 five", "POST /other six")
	c.write(postTo("/direct/6", "seven"))
	c.wantBodies("POST /direct/6 seven")
}

func TestDirectIsNotForTLS(t *testing.T) {
	c := start(t, poller.Config{Direct: repeat}, newHandler(), true).dial(t)
	c.write(slices.Concat(postTo("/direct", "x"), postTo("/direct", "y")))
	c.wantBodies("POST /direct x", "POST /direct y")
}

// A body that comes later than its head is net/http's to wait for.
func TestDirectLeavesPartsToNetHTTP(t *testing.T) {
	s := start(t, poller.Config{Direct: repeat}, newHandler(), false)
	c := s.dial(t)
	request := postTo("/direct", "whole")
	c.write(request[:len(request)-1])
	c.write(request[len(request)-1:])
	if body := c.body(c.response()); !strings.HasSuffix(body, "whole") {
		t.Errorf("body %q", body)
	}
}

// Some callers end a body with an empty line that its length does not count, which net/http lets pass, too.
func TestDirectIgnoresEmptyLines(t *testing.T) {
	s := start(t, poller.Config{Direct: repeat, HandshakeTimeout: time.Second}, newHandler(), false)
	c := s.dial(t)
	c.write(slices.Concat(postTo("/direct/1", "one"), []byte("\r\n"), postTo("/direct/2", "two"), []byte("\r\n")))
	c.wantBodies("/direct/1 one", "/direct/2 two")
	c.write([]byte("\r\n"))
	slow := s.dial(t)
	slow.write([]byte("POST /other HTTP/1.1\r\n"))
	slow.expectEnd() // a head has to be finished in time; an empty line, which came before, is none
	c.write(slices.Concat([]byte("\n"), postTo("/other", "three"), []byte("\r\n"), postTo("/other", "four")))
	c.wantBodies("POST /other three", "POST /other four")
}

// A client that asks faster than it reads is read from no faster, and gets every answer.
func TestDirectWaitsForReader(t *testing.T) {
	const requests, size = 6000, 4 << 10 // more than kernels keep for two sockets
	s := start(t, poller.Config{Direct: repeat, OutboxBytes: 8 << 10}, newHandler(), false)
	c := s.dial(t)
	if err := c.raw.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for i := range requests {
		all = append(all, postTo(fmt.Sprintf("/direct/%d", i), strings.Repeat("x", size))...)
	}
	if err := c.raw.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := c.raw.Write(all)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("wrote %d bytes of %d: %v; want the server to read no more", n, len(all), err)
	}
	if err := c.raw.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		_, err := c.raw.Write(all[n:])
		written <- err
	}()
	for i := range requests {
		body := strings.TrimPrefix(c.body(c.response()), "POST ")
		if want := fmt.Sprintf("/direct/%d ", i); !strings.HasPrefix(body, want) || len(body) != len(want)+size {
			t.Fatalf("answer %d: %.40q of %d bytes", i, body, len(body))
		}
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func TestUpgradeAfterDirect(t *testing.T) {
	s := start(t, poller.Config{Direct: repeat}, newHandler(), false)
	c := s.dial(t)
	c.write(append(postTo("/direct", "x"), upgradeHead...))
	c.wantBodies("/direct x")
	if res := c.response(); res.StatusCode != 101 {
		t.Errorf("status %d, want 101", res.StatusCode)
	}
}

func TestDirectIdleTimeout(t *testing.T) {
	s := start(t, poller.Config{Direct: repeat, IdleTimeout: 30 * time.Millisecond}, newHandler(), false)
	c := s.dial(t)
	c.write(postTo("/direct", "x"))
	c.wantBodies("/direct x")
	c.expectEnd()
	if n := s.Stats().Refused["timeout"]; n != 0 {
		t.Errorf("%d refused for their time, want none", n)
	}
}

func TestDirectAtShutdown(t *testing.T) {
	s := start(t, poller.Config{Direct: repeat}, newHandler(), false)
	c := s.dial(t)
	c.write(postTo("/direct", "x"))
	c.wantBodies("/direct x")
	// The clean-up of start waits for a Shutdown that this idle connection must not hold up.
}
