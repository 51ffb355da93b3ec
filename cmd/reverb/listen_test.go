package main

import (
	"net"
	"strings"
	"testing"
)

func TestListenTakesReverbsAddresses(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1:", "0.0.0.0": "0.0.0.0:", "[::1]": "[::1]:", "::1": "[::1]:", "localhost": "127.0.0.1:",
	} {
		ln, err := listen(host, 0)
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
	ln, err := listen("0.0.0.0", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	other, err := net.ListenTCP("tcp6", &net.TCPAddr{IP: net.IPv6loopback, Port: boundPort(ln)})
	if err != nil {
		if strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
		return // a machine without IPv6
	}
	_ = other.Close()
}

func TestListenErrorsReadLikeReverbs(t *testing.T) {
	_, err := listen("198.51.100.1", 8080)
	if want := `Failed to listen on "tcp://198.51.100.1:8080": Cannot assign requested address (EADDRNOTAVAIL)`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := listen("no such host", 8080); err == nil || !strings.HasPrefix(err.Error(), `Failed to listen on "tcp://no such host:8080": `) {
		t.Errorf("got %v", err)
	}
}
