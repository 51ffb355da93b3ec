package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"
)

// publicAddress is the part about the way from outside: the proxy, its certificate, its answers, and whose address the
// server sees.
type publicAddress struct{ *examination }

// check goes to the address where browsers and Laravel go, and says what stands there.
func (e publicAddress) check() {
	const check, title = "public.upgrade", "WebSocket upgrade"
	e.publicFault = "there is no public address to test"
	switch {
	case e.public.host == "":
		e.skip(check, title, "no public address is known: set REVERB_HOST, or give --url")
		return
	case e.app() == nil:
		e.publicFault = "there is no application to connect to"
		e.skip(check, title, "there is no application to connect to")
		return
	}
	e.checkHTTP()
	ctx, cancel := e.step()
	defer cancel()
	begun := e.probes.Now()
	s, a, err := e.upgrade(ctx, e.public, e.app().Key, nil)
	if err != nil || s == nil {
		e.publicFault = "the public address does not upgrade"
		e.add(e.diagnose(a, err))
		return
	}
	defer s.leave()
	if err := s.greet(ctx); err != nil {
		e.publicFault = "the public address does not let us in"
		e.add(e.diagnoseGreeting(err))
		return
	}
	e.publicWorks = true
	what := "it upgrades, and a Pusher server answers"
	if p := a.proxy(); p != "" {
		what += ", through " + p
	}
	e.add(Finding{Check: check, Title: title, Status: OK, What: what, Measures: map[string]float64{"connect_ms": milliseconds(e.probes.Now().Sub(begun))}})
	e.checkClientAddress(s)
}

// checkHTTP asks the health page through the public address, for the certificate and the clock. That it fails is told
// by the upgrade, which follows.
func (e publicAddress) checkHTTP() {
	e.publicTrust = !e.public.secure
	ctx, cancel := e.step()
	defer cancel()
	l, err := e.open(ctx, e.public, nil)
	if err != nil {
		return
	}
	defer func() { _ = l.Close() }()
	if e.public.secure {
		e.checkCertificate(l.chain)
	}
	before := e.probes.Now()
	a, err := l.exchange(e.probes.Now, http.MethodGet, e.public.authority(), e.public.prefix+"/up", []string{"Connection: close"}, "")
	if err != nil {
		return
	}
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		e.checkDate(date, before, e.probes.Now())
	}
}

func (e publicAddress) checkCertificate(chain []*x509.Certificate) {
	if len(chain) == 0 {
		return
	}
	if e.publicTrust = certificates(e).judge("public", chain, e.public.host); e.publicTrust {
		e.ok("public.certificate", "Certificate", "trusted, the name matches, %s", daysLeft(chain[0], e.probes.Now()))
		return
	}
	// A certificate that ends soon is still one that is accepted.
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: e.public.host, Roots: e.probes.Roots, Intermediates: between, CurrentTime: e.probes.Now()})
	e.publicTrust = err == nil
}

// diagnose says why there was no upgrade.
func (e publicAddress) diagnose(a answer, err error) Finding {
	if err != nil {
		return e.unreachable(err)
	}
	f := Finding{Check: "public.upgrade", Title: "WebSocket upgrade", Status: Failure, What: fmt.Sprintf("%s answers %d", e.public.base(), a.status)}
	if p := a.proxy(); p != "" {
		f.What += " (" + p + ")"
	}
	switch {
	case a.isOurs():
		return e.halfWay(f, a)
	case a.status >= 300 && a.status < 400:
		return e.redirected(f, a)
	}
	return e.refused(f, a)
}

// unreachable: there was no answer at all.
func (e publicAddress) unreachable(err error) Finding {
	f := Finding{Check: "public.upgrade", Title: "WebSocket upgrade", Status: Failure, What: e.public.base() + ": " + reason(err), Why: "neither browsers nor Laravel reach the server"}
	switch {
	case !e.up && errors.Is(err, syscall.ECONNREFUSED) && e.atServer():
		f.Status, f.Why = Skipped, ""
		f.What = "the server is not running, and nothing stands in front of it"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Fix = []string{fmt.Sprintf("a proxy or the server must listen on port %d of %s", e.public.port, e.public.host), "or .env: REVERB_PORT, the port where one does"}
	case errors.Is(err, errAccept):
		f.Fix = []string{"the proxy must not cache or answer by itself what lies below " + e.public.prefix + "/app"}
	case errors.Is(err, errHungUp) && !e.public.secure:
		f.Fix = []string{"is it a TLS port? .env: REVERB_SCHEME=https", "does a firewall or the proxy cut WebSocket connections?"}
	case e.public.secure && reason(err) == "it does not speak TLS", e.public.secure && isTLSFault(err):
		f.Why = "REVERB_SCHEME is https, what stands there speaks plain HTTP or no TLS that we know"
		f.Fix = []string{".env: REVERB_PORT, where TLS is spoken (443)", "or .env: REVERB_SCHEME=http for development"}
	default:
		f.Fix = []string{fmt.Sprintf("DNS, firewall and security groups: from here, %s must be reachable", e.public.address()), "or .env: REVERB_HOST and REVERB_PORT"}
	}
	return f
}

// atServer says whether the public address is that of the server itself.
func (e publicAddress) atServer() bool {
	return e.public.port == e.local.port && (e.public.isLoopback() || e.public.host == e.local.host)
}

func isTLSFault(err error) bool {
	return err != nil && len(err.Error()) > 14 && err.Error()[:14] == "TLS handshake:"
}

// halfWay: the request reached a server like ours, but not as it was sent.
func (e publicAddress) halfWay(f Finding, a answer) Finding {
	switch a.status {
	case http.StatusUpgradeRequired:
		f.What += ": the server was reached, but without the Upgrade and Connection headers"
		f.Why = "the proxy does not pass the upgrade on: every browser fails with a handshake error"
		f.Fix = []string{`Nginx: proxy_set_header Upgrade $http_upgrade;`, `Nginx: proxy_set_header Connection "Upgrade";`, "Apache: a2enmod proxy_wstunnel, ProxyPass with upgrade=websocket", "AWS: an Application Load Balancer, not a Classic one"}
	case http.StatusHTTPVersionNotSupported:
		f.What += ": the server was reached with HTTP/1.0"
		f.Why = "WebSockets need HTTP/1.1 from the proxy to the server"
		f.Fix = []string{"Nginx: proxy_http_version 1.1;"}
	case http.StatusNotFound:
		f.What += ": the server was reached with another path"
		f.Why = "the proxy changes the path, or REVERB_SERVER_PATH is not that of the server"
		f.Fix = []string{"Nginx: proxy_pass without a path behind the port", ".env: REVERB_SERVER_PATH"}
	default:
		f.What += ": " + short(a.body)
		f.Why = "the server was reached, but the request was not as it was sent"
		f.Fix = []string{"compare with the site of Nginx that `reverb install` prints"}
	}
	return f
}

// redirected: WebSocket clients do not follow redirects.
func (e publicAddress) redirected(f Finding, a answer) Finding {
	to := a.header.Get("Location")
	f.What += " to " + short(to)
	f.Why = "browsers do not follow redirects of WebSockets"
	t, err := parseTarget(to)
	switch {
	case err == nil && t.secure && !e.public.secure:
		f.Fix = []string{".env: REVERB_SCHEME=https", fmt.Sprintf(".env: REVERB_PORT=%d", t.port)}
	case err == nil && t.host != e.public.host:
		f.Fix = []string{".env: REVERB_HOST=" + short(t.host)}
	default:
		f.Fix = []string{fmt.Sprintf("the proxy must pass %[1]s/app and %[1]s/apps to the server, before any login or rewriting", e.public.prefix)}
	}
	return f
}

// refused: something answered that is not our server.
func (e publicAddress) refused(f Finding, a answer) Finding {
	pass := fmt.Sprintf("Nginx: location %[1]s/app { proxy_pass http://%[2]s; … } and the same for %[1]s/apps", e.public.prefix, e.local.address())
	if t := a.title(); t != "" {
		f.What += fmt.Sprintf(" with the page %q", t)
	}
	switch {
	case a.status == http.StatusBadGateway || a.status == http.StatusGatewayTimeout:
		f.Why = "the proxy does not reach the server"
		f.Fix = []string{"the proxy must pass on to " + e.local.address() + " (REVERB_SERVER_HOST, REVERB_SERVER_PORT)", "in containers 127.0.0.1 is the proxy's own: name the server's service, and .env: REVERB_SERVER_HOST=0.0.0.0"}
		if !e.up {
			f.What += "; no server runs on this machine"
			f.Fix = append([]string{"reverb start, or look at its process manager"}, f.Fix...)
		}
	case a.status == http.StatusBadRequest && !e.public.secure && containsFold(a.body, "https"):
		f.Why = "the port speaks TLS, REVERB_SCHEME is http"
		f.Fix = []string{".env: REVERB_SCHEME=https"}
	case a.status == http.StatusBadRequest:
		f.Why = "the proxy refuses the upgrade, or passes it on without its headers"
		f.Fix = []string{"Nginx: proxy_http_version 1.1;", "Nginx: proxy_set_header Upgrade $http_upgrade;", `Nginx: proxy_set_header Connection "Upgrade";`}
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		f.Why = "a login, a firewall of the proxy or its rules stand before the server"
		f.Fix = []string{"no auth_basic and no deny for " + e.public.prefix + "/app and " + e.public.prefix + "/apps", "Cloudflare: Network, WebSockets on; no challenge for these paths"}
	case a.status == http.StatusServiceUnavailable:
		f.Why = "the proxy has no server that is ready, or the site is in maintenance"
		f.Fix = []string{"look at the health of the proxy's upstream", "php artisan up", pass}
	case a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed || a.status < 300:
		f.Why = "what answers is the web site, or a default page, and not the WebSocket server: the proxy has no place for " + e.public.prefix + "/app"
		f.Fix = []string{pass, "or .env: REVERB_HOST and REVERB_PORT, where the server is"}
	default:
		f.Why = "it should be 101"
		f.Fix = []string{"look at the error log of the proxy", pass}
	}
	return f
}

// diagnoseGreeting says why the server did not let us in.
func (e publicAddress) diagnoseGreeting(err error) Finding {
	f := Finding{Check: "public.greeting", Title: "First message", Status: Failure, What: e.public.base() + " upgrades, then: " + reason(err), Why: "browsers get the same"}
	var no *refusal
	if !errors.As(err, &no) {
		f.Why = "what upgrades there is not this server, or the proxy holds its first message back"
		f.Fix = []string{"the proxy must pass on to " + e.local.address(), "Nginx: proxy_buffering off; HAProxy: timeout tunnel 1h"}
		return f
	}
	switch no.Code {
	case 4001:
		f.Why = "the server there does not have this key: it is another server, or it was not restarted after a change"
		f.Fix = []string{"reverb restart", "the same REVERB_APP_KEY on both"}
	case 4003:
		f.Fix = []string{"config.toml: [[apps]] enabled = true"}
	case 4004, 4100:
		f.Why = "new clients are refused"
		f.Fix = []string{"config.toml: max_connections, greater", ".env: REVERB_APP_MAX_CONNECTIONS"}
	case 4009:
		f.Why = "the pages of " + e.origin(e.public) + " are refused"
		f.Fix = []string{fmt.Sprintf("config.toml: allowed_origins, with the host of %s (or --origin, if the pages are elsewhere)", e.origin(e.public))}
	}
	return f
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
