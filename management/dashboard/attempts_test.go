package dashboard_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// from makes a browser at an address, behind the proxies that X-Forwarded-For names.
func (n *node) from(address string, forwarded ...string) *browser {
	return &browser{node: n, change: func(r *http.Request) {
		r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(address), 1).String()
		for _, list := range forwarded {
			r.Header.Add("X-Forwarded-For", list)
		}
	}}
}

// exhaust gives wrong passwords until the server wants this source to wait.
func (b *browser) exhaust() {
	b.t.Helper()
	for range 5 {
		if got := b.login(user, "wrong"); got != http.StatusUnauthorized {
			b.t.Fatalf("a wrong password: status %d, want 401", got)
		}
	}
	if got := b.login(user, password); got != http.StatusTooManyRequests {
		b.t.Fatalf("the sixth attempt: status %d, want 429", got)
	}
}

func TestGuessesAreSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, true)
		b := n.from("192.0.2.6")
		b.exhaust()
		answer := b.do("POST", "api/login", `{"username":"ops","password":"correct horse"}`)
		wait, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		if err != nil || wait < 1 || wait > 13 {
			t.Errorf("Retry-After %q, want 12 s", answer.Header.Get("Retry-After"))
		}
		if got := n.from("192.0.2.7").login(user, password); got != http.StatusOK {
			t.Errorf("from another address: status %d, want 200", got)
		}
		time.Sleep(time.Duration(wait) * time.Second)
		if got := b.login(user, "wrong"); got != http.StatusUnauthorized {
			t.Errorf("after the wait: status %d, want 401", got)
		}
		if got := b.login(user, "wrong"); got != http.StatusTooManyRequests {
			t.Errorf("twice after the wait: status %d, want 429", got)
		}
		time.Sleep(12 * time.Second)
		if got := b.login(user, password); got != http.StatusOK {
			t.Errorf("the right password after the wait: status %d, want 200", got)
		}
	})
}

// Those who share a proxy with somebody who guesses are let in.
func TestGuessesBehindAProxyHoldUpNobodyElse(t *testing.T) {
	trusted := []string{"10.0.0.0/8", "198.51.100.1", "::1"}
	for name, tt := range map[string]struct {
		proxies       []string
		proxy         string
		guess, honest []string
	}{
		"trusted":                    {trusted, "198.51.100.1", []string{"203.0.113.1"}, []string{"203.0.113.2"}},
		"trusted, two hops":          {trusted, "10.0.0.1", []string{"203.0.113.1, 10.9.9.9"}, []string{"203.0.113.2, 10.9.9.9"}},
		"trusted, two lines":         {trusted, "10.0.0.1", []string{"203.0.113.1", "10.9.9.9"}, []string{"203.0.113.2", "10.9.9.9"}},
		"trusted, with ports":        {trusted, "::1", []string{"203.0.113.1:4711"}, []string{"[2001:db8::1]:4711"}},
		"on this machine":            {nil, "127.0.0.1", []string{"203.0.113.1"}, []string{"203.0.113.2"}},
		"private":                    {nil, "192.168.1.1", []string{"203.0.113.1"}, []string{"203.0.113.2"}},
		"of whom nothing is told":    {nil, "127.0.0.1", []string{"203.0.113.1"}, nil},
		"the honest one is the host": {trusted, "127.0.0.1", []string{"203.0.113.1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			n := startBehind(t, true, tt.proxies...)
			n.from(tt.proxy, tt.guess...).exhaust()
			if got := n.from(tt.proxy, tt.honest...).login(user, password); got != http.StatusOK {
				t.Errorf("status %d, want 200", got)
			}
		})
	}
}

// A header that a client can write itself does not make it another client.
func TestGuessesUnderManyNames(t *testing.T) {
	for name, tt := range map[string]struct {
		proxies []string
		peer    string
		claim   string // of attempt %d
		burst   int
	}{
		"a stranger's claim":      {nil, "203.0.113.9", "192.0.2.%d", 5},
		"left of the client":      {[]string{"10.0.0.1"}, "10.0.0.1", "192.0.2.%d, 203.0.113.9", 5},
		"left, nobody is trusted": {nil, "127.0.0.1", "192.0.2.%d, 203.0.113.9", 5},
		"unreadable":              {nil, "127.0.0.1", "client-%d", 5},
		"one network":             {[]string{"10.0.0.1"}, "10.0.0.1", "2001:db8::%d", 5},
		"on this machine":         {nil, "127.0.0.1", "192.0.2.%d", 40},
	} {
		t.Run(name, func(t *testing.T) {
			n := startBehind(t, true, tt.proxies...)
			for i := range tt.burst + 1 {
				want := http.StatusUnauthorized
				if i == tt.burst {
					want = http.StatusTooManyRequests
				}
				if got := n.from(tt.peer, fmt.Sprintf(tt.claim, i+1)).login(user, "wrong"); got != want {
					t.Fatalf("attempt %d: status %d, want %d", i+1, got, want)
				}
			}
		})
	}
}

// A browser that has logged in before is let in, also while others guess at its address.
func TestKnownBrowserIsNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, true)
		n.page.Close() // no history of half a year
		known := n.from("192.0.2.6")
		answer := known.do("POST", "api/login", `{"username":"ops","password":"correct horse"}`)
		var mark *http.Cookie
		for _, c := range answer.Cookies() {
			if c.Name == "reverb_dashboard_browser" {
				mark = c
			}
		}
		if mark == nil || !mark.HttpOnly || mark.SameSite != http.SameSiteStrictMode {
			t.Fatalf("cookies %v: want a mark that only requests of the page carry", answer.Cookies())
		}
		attempt := func(mark string) int {
			b := n.from("192.0.2.6")
			b.cookie = &http.Cookie{Name: "reverb_dashboard_browser", Value: mark}
			return b.login(user, password)
		}
		n.from("192.0.2.6").exhaust()
		if got := attempt(mark.Value); got != http.StatusOK {
			t.Errorf("the known browser: status %d, want 200", got)
		}
		for _, forged := range []string{"", "x", mark.Value + "x", "A" + mark.Value} {
			if got := attempt(forged); got != http.StatusTooManyRequests {
				t.Errorf("with the mark %q: status %d, want 429", forged, got)
			}
		}
		marked := n.from("192.0.2.6")
		marked.cookie = mark
		marked.exhaust() // it cannot guess for ever either
		marked.cookie = mark
		if got := marked.do("GET", "api/stats", "").StatusCode; got != http.StatusUnauthorized {
			t.Errorf("the mark alone: status %d, want 401", got)
		}
		time.Sleep(180 * 24 * time.Hour)
		n.from("192.0.2.6").exhaust()
		if got := attempt(mark.Value); got != http.StatusTooManyRequests {
			t.Errorf("after half a year: status %d, want 429", got)
		}
	})
}
