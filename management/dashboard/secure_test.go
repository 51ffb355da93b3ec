package dashboard_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestAnotherSiteCannotAct(t *testing.T) {
	b := &browser{node: start(t, true)}
	b.login(user, password)
	for name, change := range map[string]func(*http.Request){
		"without the header":   func(r *http.Request) { r.Header.Del("X-Reverb-Dashboard") },
		"from another site":    func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"from a sibling":       func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"old browser, foreign": func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.example") },
		"sandboxed":            func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "null") },
	} {
		b.change = change
		for _, p := range paths {
			if p.method != http.MethodPost {
				continue
			}
			if got := b.do(p.method, p.path, p.body).StatusCode; got != http.StatusForbidden {
				t.Errorf("%s: %s %s: status %d, want 403", name, p.method, p.path, got)
			}
		}
	}
	b.change = func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "no-cors")
	}
	if got := b.do("GET", "api/connections", "").StatusCode; got != http.StatusForbidden {
		t.Errorf("a script of another site reads: status %d, want 403", got)
	}
	b.change = func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "http://localhost:8081") }
	if got := b.do("POST", "api/apps/1/events", paths[7].body).StatusCode; got != http.StatusOK {
		t.Errorf("an old browser at the page itself: status %d, want 200", got)
	}
}

func TestWithoutPasswordOnlyThisMachine(t *testing.T) {
	n := start(t, false)
	local := &browser{node: n}
	if got := local.do("GET", "api/apps", "").StatusCode; got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	for name, change := range map[string]func(*http.Request){
		"a name that points here": func(r *http.Request) { r.Host = "evil.example:8081" },
		"looks like this machine": func(r *http.Request) { r.Host = "127.0.0.1.evil.example" },
		"no name":                 func(r *http.Request) { r.Host = "" },
		"through a proxy":         func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") },
		"through a silent proxy":  func(r *http.Request) { r.Close = true },
		"through another":         func(r *http.Request) { r.Header.Set("Forwarded", "for=192.0.2.1") },
		"from elsewhere":          func(r *http.Request) { r.RemoteAddr = "192.0.2.1:99" },
	} {
		b := &browser{node: n, change: change}
		for _, path := range []string{"", "api/session", "api/apps"} {
			if got := b.do("GET", path, "").StatusCode; got != http.StatusForbidden {
				t.Errorf("%s: GET /%s: status %d, want 403", name, path, got)
			}
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1:8081", "[::1]:8081", "127.0.0.2"} {
		b := &browser{node: n, change: func(r *http.Request) { r.Host = host }}
		if got := b.do("GET", "api/apps", "").StatusCode; got != http.StatusOK {
			t.Errorf("Host %s: status %d, want 200", host, got)
		}
	}
}

func TestHeaders(t *testing.T) {
	b := &browser{node: start(t, false)}
	for _, path := range []string{"", "js/main.js", "api/apps", "nothing"} {
		h := b.do("GET", path, "").Header
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("/%s: policy %q", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") == "" {
			t.Errorf("/%s: headers %v", path, h)
		}
	}
}

// The page asks no other host for anything, has nothing that the policy refuses, and keeps the licence of what it
// brings along.
func TestPageStandsAlone(t *testing.T) {
	b := &browser{node: start(t, false)}
	read := func(path string) string {
		answer := b.do("GET", path, "")
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("GET /%s: status %d, err %v", path, answer.StatusCode, err)
		}
		return string(body)
	}
	html := read("")
	if regexp.MustCompile(`(?i)(src|href)="(https?:)?//|<script>|<style| style="| on\w+="`).MatchString(html) {
		t.Error("the page has something from elsewhere, or something inline")
	}
	links := regexp.MustCompile(`(?:src|href)="([^"#][^"]*)"`).FindAllStringSubmatch(html, -1)
	if len(links) < 5 {
		t.Fatalf("found only %d links in the page", len(links))
	}
	for _, link := range links {
		if strings.HasPrefix(link[1], "/") {
			t.Errorf("%s is not relative: it would break below a path", link[1])
		}
		read(link[1])
	}
	if !strings.Contains(read("uplot/LICENSE"), "Leon Sorokin") {
		t.Error("the licence of uPlot is missing")
	}
}

func TestUnchangedFilesAreNotSentAgain(t *testing.T) {
	b := &browser{node: start(t, false)}
	tag := b.do("GET", "js/main.js", "").Header.Get("ETag")
	b.change = func(r *http.Request) { r.Header.Set("If-None-Match", tag) }
	if got := b.do("GET", "js/main.js", "").StatusCode; tag == "" || got != http.StatusNotModified {
		t.Errorf("tag %q, status %d, want 304", tag, got)
	}
}
