package testclient

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"
)

// App is an application's server-side credentials and where its server is.
type App struct {
	ID, Key, Secret string
	Base            string // http://host:port, with the path prefix when there is one
	Client          *http.Client
}

// Answer of an API call.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Sign returns path with a signed query, as the Pusher server libraries do. extra may be nil.
func (a App) Sign(method, path string, extra url.Values, body string) string {
	q := map[string]string{
		"auth_key": a.Key, "auth_timestamp": fmt.Sprint(time.Now().Unix()), "auth_version": "1.0",
	}
	for k, v := range extra {
		q[k] = strings.Join(v, ",")
	}
	if body != "" {
		sum := md5.Sum([]byte(body))
		q["body_md5"] = hex.EncodeToString(sum[:])
	}
	names := make([]string, 0, len(q))
	for k := range q {
		names = append(names, k)
	}
	sort.Strings(names)
	var plain, escaped []string
	for _, k := range names {
		plain = append(plain, k+"="+q[k])
		escaped = append(escaped, url.QueryEscape(k)+"="+url.QueryEscape(q[k]))
	}
	mac := hmac.New(sha256.New, []byte(a.Secret))
	mac.Write([]byte(method + "\n" + path + "\n" + strings.Join(plain, "&")))
	return path + "?" + strings.Join(escaped, "&") + "&auth_signature=" + hex.EncodeToString(mac.Sum(nil))
}

// Do sends a signed request; path is below /apps/ID.
func (a App) Do(t testing.TB, method, path string, query url.Values, body string) Answer {
	t.Helper()
	return Do(t, a.Client, method, a.Base+a.Sign(method, "/apps/"+a.ID+path, query, body), body)
}

// Get, Post: shorthands of Do.
func (a App) Get(t testing.TB, path string, query url.Values) Answer {
	t.Helper()
	return a.Do(t, http.MethodGet, path, query, "")
}

func (a App) Post(t testing.TB, path, body string) Answer {
	t.Helper()
	return a.Do(t, http.MethodPost, path, nil, body)
}

// Do sends a request as it is.
func Do(t testing.TB, client *http.Client, method, address, body string) Answer {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if client == nil {
		client = &http.Client{Timeout: readTimeout}
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: string(text)}
}

// Expect compares status and body byte for byte.
func (r Answer) Expect(t testing.TB, status int, body string) Answer {
	t.Helper()
	if r.Status != status || r.Body != body {
		t.Fatalf("answer\n got %d %s\nwant %d %s", r.Status, r.Body, status, body)
	}
	return r
}

// ExpectLength compares the Content-Length header.
func (r Answer) ExpectLength(t testing.TB, n int) {
	t.Helper()
	if got := r.Header.Get("Content-Length"); got != fmt.Sprint(n) {
		t.Fatalf("Content-Length %q, want %d", got, n)
	}
}
