package main

import (
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"reverb/internal/listener"
)

func TestListenTakesReverbsAddresses(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1:", "0.0.0.0": "0.0.0.0:", "[::1]": "[::1]:", "::1": "[::1]:", "localhost": "127.0.0.1:",
	} {
		ln, err := listener.Open(host, 0)
		if err != nil {
			if strings.Contains(host, "::") && strings.Contains(err.Error(), "EADDRNOTAVAIL") {
				continue // a machine without IPv6
			}
			t.Errorf("%s: %v", host, err)
			continue
		}
		if got := ln.Addr().String(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: listens on %s, want %s…", host, got, want)
		}
		_ = ln.Close()
	}
}

// A site may have another program on the same port of IPv6.
func TestListenOnAllOfIPv4LeavesIPv6Alone(t *testing.T) {
	ln, err := listener.Open("0.0.0.0", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	other, err := net.ListenTCP("tcp6", &net.TCPAddr{IP: net.IPv6loopback, Port: listener.Port(ln)})
	if err != nil {
		if strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
		return // a machine without IPv6
	}
	_ = other.Close()
}

func TestListenErrorsReadLikeReverbs(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	number, _ := strconv.Atoi(port)
	for _, tc := range []struct {
		host  string
		port  int
		first string
		hints []string
	}{
		{"198.51.100.1", 8080, `Failed to listen on "tcp://198.51.100.1:8080": Cannot assign requested address (EADDRNOTAVAIL)`,
			[]string{"198.51.100.1 is no address of this machine", "0.0.0.0", "REVERB_HOST"}},
		{"no such host", 8080, `Failed to listen on "tcp://no such host:8080": `, []string{"--hostname"}},
		{"127.0.0.1", number, `Failed to listen on "tcp://127.0.0.1:` + port + `": Address already in use (EADDRINUSE)`,
			[]string{"Process " + strconv.Itoa(os.Getpid()) + " has port " + port + ": ", "Is `php artisan reverb:start`, or another `reverb start`, still running?"}},
	} {
		_, err := listener.Open(tc.host, tc.port)
		err = withHint(err)
		if err == nil {
			t.Errorf("%s: no error", tc.host)
			continue
		}
		first, rest, _ := strings.Cut(err.Error(), "\n")
		if !strings.HasPrefix(first, tc.first) {
			t.Errorf("%s: %s\nwant %s", tc.host, first, tc.first)
		}
		for _, hint := range tc.hints {
			if !strings.Contains(rest, hint) {
				t.Errorf("%s: no %q in:\n%s", tc.host, hint, rest)
			}
		}
	}
}

func TestListenHintForAPrivilegedPort(t *testing.T) {
	denied := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)}
	err := withHint(&listener.Error{Host: "0.0.0.0", Port: 443, Err: denied})
	if first, rest, _ := strings.Cut(err.Error(), "\n"); !strings.Contains(first, "EACCES") || !strings.Contains(rest, "cap_net_bind_service") {
		t.Errorf("got %v", err)
	}
	if err := withHint(&listener.Error{Host: "0.0.0.0", Port: 8080, Err: denied}); strings.Contains(err.Error(), "\n") {
		t.Errorf("a hint about the port for %v", err)
	}
}
