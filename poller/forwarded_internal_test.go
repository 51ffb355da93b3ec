package poller

import (
	"net/netip"
	"strings"
	"testing"
)

var testProxies = proxies{trusted: []netip.Prefix{
	netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"),
}}

func TestForwardedFor(t *testing.T) {
	for _, tt := range []struct{ name, lines, want string }{
		{"none", "Host: a\r\n", ""},
		{"one", "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1:0"},
		{"of any case, without space", "x-forwarded-for:192.0.2.1\r\n", "192.0.2.1:0"},
		{"IPv6", "X-Forwarded-For: 2001:db8::1\r\n", "[2001:db8::1]:0"},
		{"with port", "X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1:4711"},
		{"IPv6 with port", "X-Forwarded-For: [2001:db8::1]:4711\r\n", "[2001:db8::1]:4711"},
		{"IPv6 in brackets", "X-Forwarded-For: [2001:db8::1]\r\n", "[2001:db8::1]:0"},
		{"mapped", "X-Forwarded-For: ::ffff:192.0.2.1\r\n", "192.0.2.1:0"},
		{"what the client wrote", "X-Forwarded-For: 10.0.0.1, 198.51.100.9, 192.0.2.1\r\n", "192.0.2.1:0"},
		{"trusted hops", "X-Forwarded-For: 198.51.100.9, 192.0.2.1, 10.1.1.1,fd00::1 ,\t10.2.2.2\r\n", "192.0.2.1:0"},
		{"all trusted", "X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n", "10.0.0.1:0"},
		{"two lines", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1\r\n", "192.0.2.1:0"},
		{"a line of the client before ours", "X-Forwarded-For: 198.51.100.9\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1:0"},
		{"no address", "X-Forwarded-For: unknown\r\n", ""},
		{"no address behind a hop", "X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.1\r\n", "10.0.0.1:0"},
		{"empty", "X-Forwarded-For:\r\n", ""},
		{"only commas", "X-Forwarded-For: ,,,\r\n", ""},
		{"zone", "X-Forwarded-For: fe80::1%eth0\r\n", ""},
		{"too long", "X-Forwarded-For: " + strings.Repeat("1", 1000) + "\r\n", ""},
		{"another header", "X-Forwarded-Forx: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if client := testProxies.forwardedFor([]byte("GET /app/key HTTP/1.1\r\n" + tt.lines + "\r\n")); client.IsValid() {
				got = client.String()
			}
			if got != tt.want {
				t.Errorf("%q: got %q, want %q", tt.lines, got, tt.want)
			}
		})
	}
}

// An address left of one that is not trusted has no say.
func FuzzForwardedFor(f *testing.F) {
	f.Add("192.0.2.1")
	f.Add("10.0.0.1, [::1]:80, unknown,")
	f.Fuzz(func(t *testing.T, list string) {
		_ = testProxies.forwardedFor([]byte(list))
		if strings.ContainsAny(list, "\r\n") {
			return
		}
		head := []byte("GET / HTTP/1.1\r\nX-Forwarded-For: " + list + ", 192.0.2.1, 10.0.0.1\r\n\r\n")
		if got := testProxies.forwardedFor(head).String(); got != "192.0.2.1:0" {
			t.Fatalf("%q: got %s", list, got)
		}
	})
}

// Without proxies nothing is looked at.
func TestNoProxies(t *testing.T) {
	var none proxies
	for _, addr := range []string{"127.0.0.1", "::1"} {
		if got := none.of(netip.MustParseAddr(addr)); got != standingCounted {
			t.Errorf("%s stands as %d", addr, got)
		}
	}
}

func TestHousehold(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "2001:db8:1:3::1": "2001:db8:1:3::",
	} {
		if got := household(netip.MustParseAddr(in)); got.String() != want {
			t.Errorf("%s counts as %s, want %s", in, got, want)
		}
	}
}
