package doctor_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"reverb/doctor"
)

// reach lets the doctor reach one address, whatever name it uses, and nothing else.
func reach(o *doctor.Options, name string, to net.Addr) {
	o.Probes.Dial = func(ctx context.Context, _ *net.TCPAddr, address string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(address); host != name {
			return nil, errRefused
		}
		return new(net.Dialer).DialContext(ctx, "tcp", to.String())
	}
}

// ours answers as the server does when it cannot upgrade.
func ours(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Powered-By", "Laravel Reverb")
		http.Error(w, body, status)
	}
}

func others(status int, header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "nginx/1.22.1")
		name, value, _ := strings.Cut(header, ": ")
		w.Header().Set(name, value)
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}
}

func TestDiagnosis(t *testing.T) {
	const page = "Content-Type: text/html"
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		says    []string
	}{
		{"no Upgrade header", ours(426, "Upgrade header MUST be provided"), []string{"without the Upgrade", "proxy_set_header Upgrade $http_upgrade;"}},
		{"HTTP/1.0", ours(505, "HTTP version MUST be 1.1 or later"), []string{"proxy_http_version 1.1;"}},
		{"path changed", ours(404, "Not found."), []string{"REVERB_SERVER_PATH"}},
		{"not found", others(404, page, "<html><title>404 Not Found</title></html>"), []string{"404 (nginx/1.22.1)", `"404 Not Found"`, "location /app"}},
		{"web site", others(200, page, "<!doctype html><title>Shop</title>"), []string{`"Shop"`, "location /app"}},
		{"to https", others(301, "Location: https://ws.shop.test/app/x", ""), []string{"REVERB_SCHEME=https", "REVERB_PORT=443"}},
		{"to another host", others(302, "Location: http://www.shop.test/", ""), []string{"REVERB_HOST=www.shop.test"}},
		{"to a login", others(302, "Location: /login", ""), []string{"before any login"}},
		{"plain to a TLS port", others(400, page, "<title>400 The plain HTTP request was sent to HTTPS port</title>"), []string{"REVERB_SCHEME=https"}},
		{"refused", others(400, page, "Bad Request"), []string{"proxy_http_version 1.1;"}},
		{"login", others(401, "Www-Authenticate: Basic", ""), []string{"auth_basic"}},
		{"firewall", others(403, page, ""), []string{"Cloudflare"}},
		{"upstream down", others(502, page, "<title>502 Bad Gateway</title>"), []string{"no server runs", "reverb start", "127.0.0.1:8080 (REVERB"}},
		{"maintenance", others(503, page, ""), []string{"php artisan up"}},
		{"no reason", others(500, page, ""), []string{"error log"}},
		{"nothing", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.Close()
		}, []string{"closed without an answer"}},
		{"answer to another question", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
			w.WriteHeader(http.StatusSwitchingProtocols)
		}, []string{"must not cache"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(c.handler)
			defer s.Close()
			o := options(t, changed(map[string]string{"REVERB_SCHEME": "http", "REVERB_PORT": "80"}), "")
			reach(&o, "ws.shop.test", s.Listener.Addr())
			r := run(t, o)
			for _, says := range c.says {
				expect(t, r, "public.upgrade", doctor.Failure, says)
			}
			expect(t, r, "trip.event", doctor.Skipped, "does not upgrade")
		})
	}
}

func TestPublicCertificate(t *testing.T) {
	now := time.Now()
	root := issue(t, nil, "Root", true, now.Add(-day), now.Add(1000*day))
	good := issue(t, root, "ws.shop.test", false, now.Add(-day), now.Add(80*day))
	other := issue(t, root, "shop.test", false, now.Add(-day), now.Add(80*day))
	old := issue(t, root, "ws.shop.test", false, now.Add(-90*day), now.Add(-day))
	for _, c := range []struct {
		name   string
		cert   *authority
		check  string
		status doctor.Status
	}{
		{"good", good, "public.certificate", doctor.OK},
		{"other name", other, "public.name", doctor.Failure},
		{"expired", old, "public.expiry", doctor.Failure},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(others(404, "A: b", ""))
			s.TLS = &tls.Config{Certificates: []tls.Certificate{c.cert.pair(t)}}
			s.StartTLS()
			defer s.Close()
			o := options(t, site, "")
			o.Probes.Roots = x509.NewCertPool()
			o.Probes.Roots.AddCert(root.cert)
			reach(&o, "ws.shop.test", s.Listener.Addr())
			expect(t, run(t, o), c.check, c.status, "")
		})
	}
	t.Run("plain", func(t *testing.T) {
		s := httptest.NewServer(others(404, "A: b", ""))
		defer s.Close()
		o := options(t, site, "")
		reach(&o, "ws.shop.test", s.Listener.Addr())
		expect(t, run(t, o), "public.upgrade", doctor.Failure, "plain HTTP")
	})
}

func TestClock(t *testing.T) {
	for skew, want := range map[time.Duration]doctor.Status{0: doctor.OK, time.Minute: doctor.Warning, -time.Hour: doctor.Failure, time.Hour: doctor.Failure} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
		}))
		o := options(t, changed(map[string]string{"REVERB_SCHEME": "http", "REVERB_PORT": "80"}), "")
		reach(&o, "ws.shop.test", s.Listener.Addr())
		expect(t, run(t, o), "clock.public", want, "")
		s.Close()
	}
}

func TestUnreachable(t *testing.T) {
	o := options(t, site, "")
	expect(t, run(t, o), "public.upgrade", doctor.Failure, "connection refused")
	o.Probes.Dial = func(context.Context, *net.TCPAddr, string) (net.Conn, error) {
		return nil, &net.DNSError{Name: "ws.shop.test", IsNotFound: true}
	}
	expect(t, run(t, o), "public.upgrade", doctor.Failure, "DNS")
	o = options(t, changed(map[string]string{"REVERB_HOST": "127.0.0.1", "REVERB_PORT": "8080", "REVERB_SCHEME": "http"}), "")
	expect(t, run(t, o), "public.upgrade", doctor.Skipped, "not running")
	if err := doctor.ValidURL("ftp://x"); err == nil {
		t.Error("ftp: is taken")
	}
}
