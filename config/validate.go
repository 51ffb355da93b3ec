package config

import (
	"net"
	"strconv"
	"strings"
)

// finish derives what follows from other values and checks the rules that
// concern more than one value. Those of a single value are in keys.go.
func (l *loader) finish() {
	l.checkServer()
	l.checkProxies()
	l.checkScaling()
	l.checkCache()
	l.checkLaravel()
	l.checkPulse()
	l.checkMetrics()
	l.checkDashboard()
	for i, app := range l.cfg.Apps {
		l.checkApp(element("apps", i), app)
	}
	l.checkUnique("app_id", func(a *App) string { return a.ID })
	l.checkKeys()
	if len(l.cfg.Apps) == 0 && !l.bad["apps"] {
		l.problems = append(l.problems, l.noApp())
	}
	s := &l.cfg.Server
	s.HealthPath = s.Prefix() + "/up"
}

// fail reports a path by the place its value comes from.
func (l *loader) fail(path, format string, args ...any) {
	if l.bad[path] {
		return
	}
	o, name := l.originOf(path), path
	if o.name != "" {
		name = o.name + " (" + path + ")"
	}
	l.report(o, path, "%s"+format, append([]any{name}, args...)...)
}

// originOf is where a path was written, or where its app was.
func (l *loader) originOf(path string) origin {
	for at := path; at != ""; {
		if o, ok := l.cfg.origins[at]; ok {
			if at != path {
				o.name = ""
			}
			return o
		}
		at = at[:max(0, strings.LastIndexByte(at, '.'))]
	}
	return origin{place: "configuration"}
}

// maxSocketPath is what the kernel takes for a Unix socket, bytes.
const maxSocketPath = 104

func (l *loader) checkServer() {
	s := &l.cfg.Server
	if s.TLS.Key != "" && s.TLS.Cert == "" {
		l.fail("server.tls.key", ": want server.tls.cert too")
	}
	if strings.ContainsAny(s.Host, " /") {
		l.fail("server.host", " = %s: want an address or a name to bind", shown(s.Host))
	}
	if !isRoutePrefix(s.Prefix()) {
		l.fail("server.path", " = %s: want segments of letters, digits and - . _ ~ with / between them", shown(s.Path))
	}
	if len(s.ControlSocket) > maxSocketPath {
		l.fail("server.control_socket", ": want a path of at most %d bytes", maxSocketPath)
	}
	l.checkOutboxes(&s.Limits)
}

// checkOutboxes wants the bound of one client within that of all. Where only the latter is given, the former follows.
func (l *loader) checkOutboxes(limits *Limits) {
	if limits.TotalOutboxBytes >= limits.OutboxBytes {
		return
	}
	if _, given := l.cfg.origins["server.limits.outbox_bytes"]; !given {
		limits.OutboxBytes = limits.TotalOutboxBytes
		return
	}
	l.fail("server.limits.total_outbox_bytes", " = %d: want at least server.limits.outbox_bytes, which is %d",
		limits.TotalOutboxBytes, limits.OutboxBytes)
}

// isRoutePrefix reports whether every segment is one a router and a signature
// take literally.
func isRoutePrefix(prefix string) bool {
	for segment := range strings.SplitSeq(strings.TrimPrefix(prefix, "/"), "/") {
		if segment == "." || segment == ".." || prefix != "" && segment == "" || !isToken(segment) {
			return false
		}
	}
	return true
}

// isToken reports whether s has only the unreserved characters of RFC 3986,
// which stand for themselves in a URL.
func isToken(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	})
}

func (l *loader) checkMetrics() {
	m := &l.cfg.Metrics
	if m.Listen != "" {
		_, port, err := net.SplitHostPort(m.Listen)
		n, atoiErr := strconv.Atoi(port)
		if err != nil || atoiErr != nil || n < 0 || n > maxPort {
			l.fail("metrics.listen", " = %s: want host:port, or nothing to turn it off", shown(m.Listen))
		}
	}
	if !strings.HasPrefix(m.Path, "/") {
		l.fail("metrics.path", " = %s: want a path that begins with /", shown(m.Path))
	}
}

func (l *loader) checkApp(at string, app *App) {
	for _, c := range []struct{ key, value, variable string }{
		{"app_id", app.ID, "REVERB_APP_ID"},
		{"key", app.Key, "REVERB_APP_KEY"},
		{"secret", app.Secret, "REVERB_APP_SECRET"},
	} {
		if c.value == "" {
			l.fail(at+"."+c.key, ": is missing: want a non-empty string here or in %s", c.variable)
		}
	}
	if !isToken(app.ID) {
		l.fail(at+".app_id", " = %s: want letters, digits and - . _ ~, it is a part of URLs", shown(app.ID))
	}
	if !isToken(app.Key) {
		l.fail(at+".key", " = %s: want letters, digits and - . _ ~, it is a part of URLs", shown(app.Key))
	}
	l.checkPrevious(at, app)
	l.checkCeiling(at+".max_message_size", app)
}

// maxPrevious bounds the previous keys of an app, and its previous secrets: each
// costs a signature more for every request that is refused.
const maxPrevious = 4

func (l *loader) checkPrevious(at string, app *App) {
	for _, c := range []struct {
		key  string
		have int
	}{{"previous_keys", len(app.PreviousKeys)}, {"previous_secrets", len(app.PreviousSecrets)}} {
		if c.have > maxPrevious {
			l.fail(at+"."+c.key, ": has %d values: want at most %d", c.have, maxPrevious)
		}
	}
	for _, key := range app.PreviousKeys {
		if !isToken(key) {
			l.fail(at+".previous_keys", " has %s: want letters, digits and - . _ ~, it is a part of URLs", shown(key))
		}
	}
}

// checkCeiling holds an app under the node's limit for messages. A default
// follows a lower limit, and what the app's rules allow; only what somebody
// wrote is an error.
func (l *loader) checkCeiling(path string, app *App) {
	ceiling := l.cfg.Server.Limits.MaxMessageSize
	if _, written := l.cfg.origins[path]; !written {
		app.MaxMessageSize = min(max(app.MaxMessageSize, app.Rules.whisperSize()), ceiling)
		return
	}
	if app.MaxMessageSize <= ceiling {
		return
	}
	l.fail(path, " = %d: want at most server.limits.max_message_size, which is %d", app.MaxMessageSize, ceiling)
}

// checkKeys reports a key that two apps have: a client that brings it must be of one app.
// That the present key of an app is among its previous ones does no harm.
func (l *loader) checkKeys() {
	l.checkUnique("key", func(a *App) string { return a.Key })
	owner := map[string]int{}
	for i, app := range l.cfg.Apps {
		owner[app.Key] = i
	}
	for i, app := range l.cfg.Apps {
		for _, key := range app.PreviousKeys {
			first, taken := owner[key]
			if taken && first != i {
				l.fail(element("apps", i)+".previous_keys", " has %s: want another than %s has", shown(key), element("apps", first))
			}
			owner[key] = i
		}
	}
}

// checkUnique reports the second app that has the value of another: the first
// would answer for both.
func (l *loader) checkUnique(key string, value func(*App) string) {
	seen := map[string]string{}
	for i, app := range l.cfg.Apps {
		at := element("apps", i)
		first, ok := seen[value(app)]
		switch {
		case value(app) == "":
		case ok:
			l.fail(at+"."+key, " = %s: want another than %s has", shown(value(app)), first)
		default:
			seen[value(app)] = at
		}
	}
}
