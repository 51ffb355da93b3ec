package dashboard_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// paths that tell or do something; none of them answers without a login.
var paths = []struct{ method, path, body string }{
	{"GET", "api/stats", ""},
	{"GET", "api/apps", ""},
	{"GET", "api/apps/1/channels", ""},
	{"GET", "api/apps/1/channel?name=a", ""},
	{"GET", "api/apps/1/tail", ""},
	{"GET", "api/connections", ""},
	{"GET", "api/connections/1.2", ""},
	{"POST", "api/apps/1/events", `{"event":"e","channels":["a"],"data":"d"}`},
	{"POST", "api/apps/1/users/close", `{"user_id":"1"}`},
	{"POST", "api/connections/1.2/close", ""},
}

func TestNothingWithoutLogin(t *testing.T) {
	n := start(t, true)
	for _, p := range paths {
		for _, cookie := range []*http.Cookie{nil, {Name: "reverb_dashboard", Value: ""}, {Name: "reverb_dashboard", Value: "AAAAAAAAAAAAAAAAAAAAAAAAAA"}} {
			b := &browser{node: n, cookie: cookie}
			if got := b.do(p.method, p.path, p.body).StatusCode; got != http.StatusUnauthorized {
				t.Errorf("%s %s with cookie %v: status %d, want 401", p.method, p.path, cookie, got)
			}
		}
	}
	open := &browser{node: n}
	for _, path := range []string{"", "index.html", "js/main.js", "uplot/LICENSE", "api/session"} {
		if got := open.do("GET", path, "").StatusCode; got != http.StatusOK {
			t.Errorf("GET /%s: status %d, want 200", path, got)
		}
	}
}

func TestLogin(t *testing.T) {
	b := &browser{node: start(t, true)}
	for _, wrong := range [][2]string{{user, "wrong"}, {"other", password}, {"", ""}, {user, strings.Repeat("x", 2000)}} {
		if got := b.login(wrong[0], wrong[1]); got != http.StatusUnauthorized {
			t.Fatalf("login as %.20q: status %d, want 401", wrong, got)
		}
	}
	if got := b.login(user, password); got != http.StatusOK {
		t.Fatalf("login: status %d", got)
	}
	c := b.cookie
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "" || c.Secure {
		t.Errorf("cookie %v: want HttpOnly, SameSite=Strict, no path, and not Secure over plain HTTP", c)
	}
	var session struct{ Locked, Open bool }
	b.get("api/session", &session)
	if !session.Locked || !session.Open {
		t.Errorf("session %+v", session)
	}
	token := *b.cookie
	if got := b.do("POST", "api/logout", "").StatusCode; got != http.StatusOK {
		t.Fatalf("logout: status %d", got)
	}
	b.cookie = &token
	if got := b.do("GET", "api/stats", "").StatusCode; got != http.StatusUnauthorized {
		t.Errorf("after the logout: status %d, want 401", got)
	}
}

func TestCookieIsSecureBehindTLS(t *testing.T) {
	b := &browser{node: start(t, true), change: func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }}
	if got := b.login(user, password); got != http.StatusOK || !b.cookie.Secure {
		t.Errorf("status %d, cookie %v", got, b.cookie)
	}
}

func TestLoginEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &browser{node: start(t, true)}
		b.login(user, password)
		b.page.Close() // no history of twelve hours
		time.Sleep(12*time.Hour - time.Second)
		if got := b.do("GET", "api/apps", "").StatusCode; got != http.StatusOK {
			t.Fatalf("before its end: status %d", got)
		}
		time.Sleep(2 * time.Second)
		if got := b.do("GET", "api/apps", "").StatusCode; got != http.StatusUnauthorized {
			t.Errorf("after its end: status %d, want 401", got)
		}
	})
}

func TestManyLoginsEndTheOldest(t *testing.T) {
	n := start(t, true)
	first := &browser{node: n}
	first.login(user, password)
	for range 64 {
		if got := (&browser{node: n}).login(user, password); got != http.StatusOK {
			t.Fatalf("status %d", got)
		}
	}
	if got := first.do("GET", "api/apps", "").StatusCode; got != http.StatusUnauthorized {
		t.Errorf("the oldest of 65 logins: status %d, want 401", got)
	}
}
