package poller

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
)

// binaryHeader makes a version 2 header.
func binaryHeader(command, family byte, rest []byte) string {
	b := append([]byte(proxySignature), command, family)
	return string(append(binary.BigEndian.AppendUint16(b, uint16(len(rest))), rest...))
}

var (
	tcp4 = []byte{192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 0x04, 1, 0xbb}
	tcp6 = append(append(append(netip.MustParseAddr("2001:db8::7").AsSlice(), make([]byte, 16)...), 0xdc, 0x04), 1, 0xbb)
)

var proxyHeaders = []struct{ name, header, client string }{
	{"v1 IPv4", "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "192.0.2.1:56324"},
	{"v1 IPv6", "PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", "[2001:db8::7]:56324"},
	{"v1 mapped", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 0\r\n", "192.0.2.1:1"},
	{"v1 unknown", "PROXY UNKNOWN\r\n", ""},
	{"v1 unknown with more", "PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n", ""},
	{"v2 IPv4", binaryHeader(0x21, 0x11, tcp4), "192.0.2.1:56324"},
	{"v2 IPv6", binaryHeader(0x21, 0x21, tcp6), "[2001:db8::7]:56324"},
	{"v2 with more", binaryHeader(0x21, 0x11, append(tcp4[:len(tcp4):len(tcp4)], "\x03\x00\x04abcd"...)), "192.0.2.1:56324"},
	{"v2 local", binaryHeader(0x20, 0x00, nil), ""},
	{"v2 local with addresses", binaryHeader(0x20, 0x11, tcp4), ""},
	{"v2 without family", binaryHeader(0x21, 0x00, []byte("anything")), ""},
	{"v2 Unix socket", binaryHeader(0x21, 0x31, make([]byte, 216)), ""},
	{"v2 of the greatest size", binaryHeader(0x21, 0x11, append(tcp4[:len(tcp4):len(tcp4)], make([]byte, proxyHeaderMax-proxyFixed-len(tcp4))...)), "192.0.2.1:56324"},
}

func TestProxyHeader(t *testing.T) {
	for _, tt := range proxyHeaders {
		t.Run(tt.name, func(t *testing.T) {
			for cut := 1; cut < len(tt.header); cut++ {
				if _, n, err := parseProxyHeader([]byte(tt.header[:cut])); n != 0 || err != nil {
					t.Fatalf("%q: %d, %v, want to wait for more", tt.header[:cut], n, err)
				}
			}
			client, n, err := parseProxyHeader([]byte(tt.header + "GET / HTTP/1.1\r\n"))
			got := ""
			if client.IsValid() {
				got = client.String()
			}
			if err != nil || n != len(tt.header) || got != tt.client {
				t.Errorf("%q: %q, %d, %v, want %q, %d", tt.header, got, n, err, tt.client, len(tt.header))
			}
		})
	}
}

func TestProxyHeaderRefused(t *testing.T) {
	for _, header := range []string{
		"GET / HTTP/1.1\r\n",
		"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
		"PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
		"PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
		"PROXY TCP4 2001:db8::7 192.0.2.2 1 2\r\n",
		"PROXY TCP6 192.0.2.1 ::1 1 2\r\n",
		"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
		"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
		"PROXY \r\n",
		"PROXY TCP4 " + strings.Repeat("1", 200),
		binaryHeader(0x11, 0x11, tcp4),
		binaryHeader(0x22, 0x11, tcp4),
		binaryHeader(0x21, 0x12, tcp4),
		binaryHeader(0x21, 0x11, tcp4[:11]),
		binaryHeader(0x21, 0x21, tcp6[:35]),
		binaryHeader(0x21, 0x11, make([]byte, proxyHeaderMax)),
		proxySignature + "\x21\x11\xff\xff",
	} {
		if client, n, err := parseProxyHeader([]byte(header)); err == nil || n != 0 || client.IsValid() {
			t.Errorf("%q: %v, %d, want an error", header, client, n)
		}
	}
}

func FuzzProxyHeader(f *testing.F) {
	for _, h := range proxyHeaders {
		f.Add([]byte(h.header))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		client, n, err := parseProxyHeader(b)
		if n < 0 || n > len(b) || n > proxyHeaderMax || err != nil && n != 0 || client.IsValid() && n == 0 {
			t.Fatalf("%q: %v, %d, %v", b, client, n, err)
		}
		if n == 0 && err == nil && len(b) > proxyHeaderMax {
			t.Fatalf("waits for more than %d bytes", len(b))
		}
		if n == 0 {
			return
		}
		again, m, err := parseProxyHeader(b[:n])
		if again != client || m != n || err != nil {
			t.Fatalf("%q alone: %v, %d, %v, want %v, %d", b[:n], again, m, err, client, n)
		}
	})
}
