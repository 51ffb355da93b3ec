package doctor

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"reverb/config"
)

// environment is the part about the site's .env.
type environment struct{ *examination }

// check looks for variables of the site that contradict each other. Laravel Reverb has two addresses: REVERB_SERVER_*
// is where the server listens, REVERB_* where browsers and Laravel find it, and most questions of its users come from
// mixing them up.
func (e environment) check() {
	e.local, e.public = e.localTarget(), e.publicTarget()
	if e.o.VariablesError != nil {
		for row := range strings.Lines(e.o.VariablesError.Error()) {
			e.fail("env.read", "Environment file", strings.TrimRight(row, "\n"), "Laravel refuses the whole file, and the server too", "correct the line")
		}
	}
	if !e.isSite() {
		e.skip("env.read", "Environment file", "no REVERB_* or APP_* variable is set: there is no Laravel site here; --env-file names its file")
		return
	}
	before := e.report.Warnings + e.report.Failures
	e.checkBroadcaster()
	e.checkHost()
	e.checkScheme()
	e.checkMixedContent()
	e.checkListenAddress()
	e.checkFrontEnd()
	if e.report.Warnings+e.report.Failures == before {
		e.ok("env.consistent", "Variables", "consistent: %s", e.public.base())
	}
}

// isSite says whether the variables are those of a Laravel site.
func (e environment) isSite() bool {
	for name := range e.o.Variables {
		if strings.HasPrefix(name, "REVERB_") || strings.HasPrefix(name, "VITE_REVERB_") || name == "APP_URL" || name == "APP_KEY" {
			return true
		}
	}
	return false
}

// at is where a variable stands, to begin a line with.
func (e *examination) at(name string) string {
	if v, ok := e.o.Variables[name]; ok {
		return v.Source + ": "
	}
	return ".env: "
}

func (e environment) checkBroadcaster() {
	const why = "Laravel broadcasts nowhere, or to another service, and no error shows"
	for _, name := range []string{"BROADCAST_CONNECTION", "BROADCAST_DRIVER"} { // the second is that of Laravel 10 and before
		if v, ok := e.o.Variables[name]; ok {
			if v.Value != "reverb" {
				e.fail("env.broadcaster", name, fmt.Sprintf("it is %q", short(v.Value)), why, e.at(name)+name+"=reverb", "php artisan config:clear")
			}
			return
		}
	}
	e.warn("env.broadcaster", "BROADCAST_CONNECTION", "it is not set", why+"; Laravel's default is null", ".env: BROADCAST_CONNECTION=reverb")
}

func (e environment) checkHost() {
	const check, name = "env.host", "REVERB_HOST"
	host := e.variable(name)
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	switch {
	case host == "":
		e.fail(check, name, "it is not set", "Laravel does not know where to publish, nor browsers where to connect", ".env: "+name+"=ws.example.com")
	case strings.ContainsAny(host, "/ ") || strings.Contains(host, ":") && err != nil:
		e.fail(check, name, fmt.Sprintf("it is %q: more than a host name", short(host)), "scheme, port and path have variables of their own, and the address that is made of all of them is wrong",
			fmt.Sprintf("%s%s=%s", e.at(name), name, hostOnly(host)), "REVERB_SCHEME, REVERB_PORT and REVERB_SERVER_PATH take the rest")
	case err == nil && ip.IsUnspecified():
		e.fail(check, name, host+" is for listening: REVERB_SERVER_HOST", "nobody can connect to it", e.at(name)+name+"=ws.example.com", ".env: REVERB_SERVER_HOST="+host)
	case e.variable("APP_ENV") == "production" && e.public.isLoopback() && e.o.URL == "":
		e.warn(check, name, host+", and APP_ENV is production", "browsers of visitors look for the server on their own machines", e.at(name)+name+"=ws.example.com")
	}
}

func hostOnly(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if end := strings.IndexAny(s, "/: "); end > 0 {
		s = s[:end]
	}
	return short(s)
}

func (e environment) checkScheme() {
	const check = "env.scheme"
	scheme, port := e.variable("REVERB_SCHEME"), e.variable("REVERB_PORT")
	atLocal := e.o.URL == "" && e.usable && port != "" && e.public.port == e.cfg.Server.Port && e.public.port != 443 && e.public.port != 80
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535) {
		e.fail("env.port", "REVERB_PORT", fmt.Sprintf("it is %q", short(port)), "it is no port", e.at("REVERB_PORT")+"REVERB_PORT=443")
	}
	switch {
	case scheme != "" && scheme != "http" && scheme != "https":
		e.fail(check, "REVERB_SCHEME", fmt.Sprintf("it is %q", short(scheme)), "Laravel uses TLS for https only, and plain HTTP for anything else", e.at("REVERB_SCHEME")+"REVERB_SCHEME=https")
	case scheme == "http" && port == "":
		e.warn(check, "REVERB_PORT", "it is not set, and REVERB_SCHEME is http", "Laravel's default is 443, where TLS is spoken", ".env: REVERB_PORT=80", "or "+e.at("REVERB_SCHEME")+"REVERB_SCHEME=https")
	case scheme == "http" && port == "443":
		e.fail(check, "REVERB_SCHEME", "http on port 443", "port 443 speaks TLS: every request fails", e.at("REVERB_SCHEME")+"REVERB_SCHEME=https")
	case scheme != "http" && port == "80":
		e.fail(check, "REVERB_SCHEME", "https on port 80", "port 80 speaks plain HTTP: every handshake fails", e.at("REVERB_PORT")+"REVERB_PORT=443", "or .env: REVERB_SCHEME=http")
	case atLocal && e.public.secure && e.o.CertFile == "":
		e.fail(check, "REVERB_SCHEME", fmt.Sprintf("https on port %s, which is this server's, and it has no certificate", port), "the server speaks plain HTTP there: every handshake fails",
			"config.toml: [server.tls] cert and key", "or "+e.at("REVERB_PORT")+"REVERB_PORT=443 with a proxy that ends TLS", "or .env: REVERB_SCHEME=http for development")
	case atLocal && !e.public.secure && e.o.CertFile != "":
		e.fail(check, "REVERB_SCHEME", fmt.Sprintf("http on port %s, where this server speaks TLS", port), "every request fails", ".env: REVERB_SCHEME=https")
	}
}

// checkMixedContent: a page that came over https may not open ws: connections but to the browser's own machine.
func (e environment) checkMixedContent() {
	if strings.HasPrefix(e.variable("APP_URL"), "https://") && e.public.host != "" && !e.public.secure && !e.public.isLoopback() {
		e.fail("env.mixed", "APP_URL", "https, but the public address of Reverb is http", "browsers do not let a secure page open an insecure WebSocket",
			".env: REVERB_SCHEME=https", ".env: REVERB_PORT=443")
	}
}

// checkListenAddress compares where the server listens with where it is looked for.
func (e environment) checkListenAddress() {
	const check, name = "env.listen", "REVERB_SERVER_HOST"
	host := strings.Trim(e.cfg.Server.Host, "[]")
	ip, err := netip.ParseAddr(host)
	samePort := e.public.port == e.cfg.Server.Port
	switch {
	case e.o.URL != "" || !e.usable || e.public.host == "":
	case err != nil && host != "localhost" && host == e.public.host:
		e.warn(check, name, fmt.Sprintf("the server binds to the public name %s", host), "behind a proxy or NAT the name is not an address of this machine, and the server does not start",
			".env: "+name+"=0.0.0.0", "or "+name+"=127.0.0.1 behind a proxy on this machine")
	case (err == nil && ip.IsLoopback() || host == "localhost") && samePort && !e.public.isLoopback():
		e.fail(check, name, fmt.Sprintf("the server listens on %s only, and %s is to be reached at the same port %d", host, e.public.host, e.public.port),
			"connections from outside are refused: nothing passes them on to the server", ".env: "+name+"=0.0.0.0", "or .env: REVERB_PORT=443 and a proxy that passes on to "+e.cfg.Server.Address())
	}
}

// checkFrontEnd compares what the front end is built with to what the server has.
func (e environment) checkFrontEnd() {
	e.checkExposed()
	any := false
	for _, suffix := range []string{"APP_KEY", "HOST", "PORT", "SCHEME"} {
		v, ok := e.o.Variables["VITE_REVERB_"+suffix]
		any = any || ok
		if ok {
			e.checkFrontEndVariable("VITE_REVERB_"+suffix, "REVERB_"+suffix, v.Value)
		}
	}
	if any && e.variable("VITE_REVERB_APP_KEY") == "" {
		e.fail("env.vite", "VITE_REVERB_APP_KEY", "it is not set", "the front end has no key to connect with", `.env: VITE_REVERB_APP_KEY="${REVERB_APP_KEY}"`, "npm run build")
	}
}

func (e environment) checkFrontEndVariable(name, origin, value string) {
	fix := []string{fmt.Sprintf(`%s%s="${%s}"`, e.at(name), name, origin), "npm run build # the values are built into the scripts"}
	server, known := e.o.Variables[origin]
	why := "browsers go to another address than Laravel does"
	if strings.HasSuffix(name, "APP_KEY") {
		why = "the server closes the connections with 4001, application does not exist"
	}
	switch {
	case strings.Contains(value, "${"):
		e.fail("env.vite", name, fmt.Sprintf("it is %q, which names nothing that stands above it", short(value)), "the front end gets the text as it is", fix...)
	case !known || value == server.Value:
	case strings.HasSuffix(name, "APP_KEY") && slices.Contains(e.keys(), value):
		e.warn("env.vite", name, "it is the key of another application than "+origin, "browsers do not get what Laravel publishes", fix...)
	case strings.HasSuffix(name, "APP_KEY"):
		e.fail("env.vite", name, "it is not "+origin, why, fix...)
	default:
		e.warn("env.vite", name, fmt.Sprintf("it is %q, %s is %q", short(value), origin, short(server.Value)), why+"; right only if Laravel uses an internal address", fix...)
	}
}

func (e environment) keys() []string {
	keys := make([]string, len(e.cfg.Apps))
	for i, app := range e.cfg.Apps {
		keys[i] = app.Key
	}
	return keys
}

// checkExposed looks for secrets in what everybody can read in the scripts of the site.
func (e environment) checkExposed() {
	for _, name := range sortedNames(e.o.Variables) {
		value := e.o.Variables[name].Value
		if !strings.HasPrefix(name, "VITE_") && !strings.HasPrefix(name, "MIX_") || value == "" {
			continue
		}
		named := strings.Contains(name, "SECRET") && (strings.Contains(name, "REVERB") || strings.Contains(name, "PUSHER"))
		secret := slices.ContainsFunc(e.cfg.Apps, func(a *config.App) bool { return a.Secret == value && a.Secret != a.Key })
		if named || secret {
			e.fail("env.exposed", name, "it holds the secret of an application", "whatever begins with VITE_ stands in the site's scripts: anybody can publish and sign subscriptions",
				e.at(name)+"remove "+name, "new REVERB_APP_SECRET, then npm run build: the old one is public")
		}
	}
}

// appURLHost is the host of APP_URL, "" when there is none.
func (e *examination) appURLHost() string {
	u, err := url.Parse(e.variable("APP_URL"))
	if err != nil {
		return ""
	}
	return u.Hostname()
}
