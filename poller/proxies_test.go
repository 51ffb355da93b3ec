package poller_test

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"reverb/poller"
)

// loopback are the tests' clients when they play a proxy; none of the others is here.
var (
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	stranger = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
)

const (
	headerOf7 = "PROXY TCP4 203.0.113.7 127.0.0.1 4711 443\r\n"
	headerOf8 = "PROXY TCP4 203.0.113.8 127.0.0.1 4711 443\r\n"
)

// forwarded is an upgrade with a line of X-Forwarded-For.
func forwarded(list string) []byte {
	return []byte(strings.Replace(upgradeHead, "\r\n\r\n", "\r\nX-Forwarded-For: "+list+"\r\n\r\n", 1))
}

func TestForwardedForOfTrustedProxy(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{Proxies: loopback, MaxPerAddress: 2}, h, secure)
		var of7 []*client
		for _, list := range []string{"203.0.113.7", "198.51.100.1, 203.0.113.7, 127.0.0.3"} {
			c := s.dial(t)
			c.write(forwarded(list))
			c.accepted()
			of7 = append(of7, c)
			ss := h.next(t)
			if got := ss.request.RemoteAddr.String(); got != "203.0.113.7:0" || ss.RemoteAddr() != ss.request.RemoteAddr {
				t.Errorf("%s: %s and %s", list, got, ss.RemoteAddr())
			}
		}
		third := s.dial(t)
		third.write(forwarded("203.0.113.7"))
		if resp := third.response(); resp.StatusCode != http.StatusTooManyRequests || !resp.Close {
			t.Errorf("third connection: status %d, close %v", resp.StatusCode, resp.Close)
		}
		third.expectEnd()
		if got := s.Stats().Refused["per_address"]; got != 1 {
			t.Errorf("counted %d, want 1", got)
		}
		third.Close()
		// The publisher behind the proxy is not limited, nor is another client.
		for range 5 {
			c := s.dial(t)
			c.write([]byte("GET /up HTTP/1.1\r\nHost: a\r\n\r\n"))
			if resp := c.response(); resp.StatusCode != http.StatusOK {
				t.Errorf("status %d", resp.StatusCode)
			}
		}
		other := s.dial(t)
		other.write(forwarded("203.0.113.8"))
		other.accepted()
		of7[0].Close()
		eventually(t, "one less", func() bool { return s.Stats().Connections == 2 })
		again := s.dial(t)
		again.write(forwarded("203.0.113.7"))
		again.accepted()
	})
}

// A proxy that does not say for whom it asks is itself the client: a limit that it is not told for does not vanish.
func TestProxyWithoutForwardedFor(t *testing.T) {
	h := newHandler()
	s := start(t, poller.Config{Proxies: loopback, MaxPerAddress: 1}, h, false)
	s.open(t)
	if got := h.next(t).request.RemoteAddr.Addr().String(); got != "127.0.0.1" {
		t.Errorf("address %s", got)
	}
	c := s.dial(t)
	c.write([]byte(upgradeHead))
	if resp := c.response(); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("status %d, want 429", resp.StatusCode)
	}
}

func TestForwardedForOfStranger(t *testing.T) {
	for name, trusted := range map[string][]netip.Prefix{"nobody is trusted": nil, "others are": stranger} {
		t.Run(name, func(t *testing.T) {
			h := newHandler()
			s := start(t, poller.Config{Proxies: trusted, MaxPerAddress: 1}, h, false)
			c := s.dial(t)
			c.write(forwarded("203.0.113.7"))
			c.accepted()
			if got := h.next(t).request.RemoteAddr.Addr().String(); got != "127.0.0.1" {
				t.Errorf("address %s", got)
			}
			s.dial(t).expectCut()
		})
	}
}

func TestProxyProtocol(t *testing.T) {
	binary := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x07\x7f\x00\x00\x01\x12\x67\x01\xbb"
	for _, tt := range []struct{ name, header, want string }{
		{"version 1", headerOf7, "203.0.113.7:4711"},
		{"version 2", binary, "203.0.113.7:4711"},
		{"unknown", "PROXY UNKNOWN\r\n", "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transports(t, func(t *testing.T, secure bool) {
				h := newHandler()
				h.message = echo
				s := start(t, poller.Config{Proxies: loopback, ProxyProtocol: true}, h, secure)
				c := s.dial(t)
				for _, part := range []string{tt.header[:5], tt.header[5:]} { // TCP may join them again
					if _, err := io.WriteString(c.raw, part); err != nil {
						t.Fatal(err)
					}
				}
				c.write([]byte(upgradeHead + string(message(ws.OpText, []byte("x")))))
				c.accepted()
				c.expect(ws.OpText, "x")
				ss := h.next(t)
				if got := ss.request.RemoteAddr.String(); !strings.HasPrefix(got, tt.want) || ss.RemoteAddr() != ss.request.RemoteAddr {
					t.Errorf("addresses %s and %s, want %s", got, ss.RemoteAddr(), tt.want)
				}
			})
		})
	}
}

// The header and all else may come in one segment, or a byte at a time.
func TestProxyProtocolInPieces(t *testing.T) {
	h := newHandler()
	s := start(t, poller.Config{Proxies: loopback, ProxyProtocol: true}, h, false)
	whole := s.dial(t)
	whole.write([]byte(headerOf7 + upgradeHead))
	whole.accepted()
	bytewise := s.dial(t)
	for _, b := range []byte(headerOf8 + upgradeHead) {
		bytewise.write([]byte{b})
	}
	bytewise.accepted()
	seen := map[string]bool{h.next(t).RemoteAddr().String(): true, h.next(t).RemoteAddr().String(): true}
	if !seen["203.0.113.7:4711"] || !seen["203.0.113.8:4711"] {
		t.Errorf("addresses %v", seen)
	}
}

func TestProxyProtocolCountsTheClient(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{Proxies: loopback, ProxyProtocol: true, MaxPerAddress: 1}, h, secure)
		connect := func(header string) *client {
			c := s.dial(t)
			if _, err := io.WriteString(c.raw, header); err != nil {
				t.Fatal(err)
			}
			return c
		}
		first := connect(headerOf7)
		first.write([]byte(upgradeHead))
		first.accepted()
		second := connect(headerOf7)
		_, _ = second.Write([]byte(upgradeHead))
		second.expectCut()
		eventually(t, "counted", func() bool { return s.Stats().Refused["per_address"] == 1 })
		other := connect(headerOf8)
		other.write([]byte("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"))
		if got := other.body(other.response()); got != "POST /echo x" {
			t.Errorf("answer %q", got)
		}
		first.Close()
		eventually(t, "one less", func() bool { return s.Stats().Connections == 0 })
		again := connect(headerOf7)
		again.write([]byte(upgradeHead))
		again.accepted()
		if s.Stats().Refused["tls"] != 0 {
			t.Error("counted twice")
		}
	})
}

func TestProxyProtocolRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trusted []netip.Prefix
		bytes   string
	}{
		{"no header from a proxy", loopback, upgradeHead},
		{"malformed", loopback, "PROXY TCP4 a b c d\r\n"},
		{"too long", loopback, "PROXY TCP4 " + strings.Repeat(" ", 200)},
		{"version 1 of a stranger", stranger, headerOf7 + upgradeHead},
		{"version 2 of a stranger", stranger, "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00" + upgradeHead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transports(t, func(t *testing.T, secure bool) {
				s := start(t, poller.Config{Proxies: tt.trusted, ProxyProtocol: true}, newHandler(), secure)
				c := s.dial(t)
				if _, err := io.WriteString(c.raw, tt.bytes); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, c.raw); err == nil {
					t.Log("closed with a FIN")
				}
				eventually(t, "counted", func() bool { return s.Stats().Refused["proxy_header"] == 1 })
				if n := s.Stats().Refused["tls"]; n != 0 {
					t.Errorf("counted %d more", n)
				}
			})
		})
	}
	t.Run("a stranger without header is served", func(t *testing.T) {
		transports(t, func(t *testing.T, secure bool) {
			start(t, poller.Config{Proxies: stranger, ProxyProtocol: true}, newHandler(), secure).open(t)
		})
	})
}

// Behind a TCP proxy there may be one that speaks HTTP, or the other way round.
func TestProxyBehindProxy(t *testing.T) {
	h := newHandler()
	s := start(t, poller.Config{Proxies: append(loopback[:1:1], stranger...), ProxyProtocol: true, MaxPerAddress: 1}, h, false)
	for _, want := range []string{"203.0.113.7:0", "203.0.113.8:0"} {
		c := s.dial(t)
		c.write([]byte("PROXY TCP4 192.0.2.1 127.0.0.1 4711 443\r\n"))
		c.write(forwarded(strings.TrimSuffix(want, ":0")))
		c.accepted()
		if got := h.next(t).RemoteAddr().String(); got != want {
			t.Errorf("address %s, want %s", got, want)
		}
	}
}
