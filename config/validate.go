package config

import (
	"net"
	"strconv"
	"strings"
)

// rules are those that concern more than one value, and what follows from other values. The rules of a single value are
// in keys.go.
type rules struct{ *loader }

// check comes once, when all sources were read.
func (ru rules) check() {
	ru.checkServer()
	ru.checkProxies()
	ru.checkScaling()
	ru.checkCache()
	ru.checkLaravel()
	ru.checkPulse()
	ru.checkMetrics()
	ru.checkDashboard()
	ru.checkApps()
	s := &ru.cfg.Server
	s.HealthPath = s.Prefix() + "/up"
}

// maxSocketPath is what the kernel takes for a Unix socket, bytes.
const maxSocketPath = 104

func (ru rules) checkServer() {
	s := &ru.cfg.Server
	if s.TLS.Key != "" && s.TLS.Cert == "" {
		ru.fail("server.tls.key", ": want server.tls.cert too")
	}
	if strings.ContainsAny(s.Host, " /") {
		ru.fail("server.host", " = %s: want an address or a name to bind", shown(s.Host))
	}
	if !isRoutePrefix(s.Prefix()) {
		ru.fail("server.path", " = %s: want segments of letters, digits and - . _ ~ with / between them", shown(s.Path))
	}
	if len(s.ControlSocket) > maxSocketPath {
		ru.fail("server.control_socket", ": want a path of at most %d bytes", maxSocketPath)
	}
	ru.checkOutboxes(&s.Limits)
}

// checkOutboxes wants the bound of one client within that of all. Where only the latter is given, the former follows.
func (ru rules) checkOutboxes(limits *Limits) {
	if limits.TotalOutboxBytes >= limits.OutboxBytes {
		return
	}
	if _, given := ru.cfg.origins["server.limits.outbox_bytes"]; !given {
		limits.OutboxBytes = limits.TotalOutboxBytes
		return
	}
	ru.fail("server.limits.total_outbox_bytes", " = %d: want at least server.limits.outbox_bytes, which is %d",
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

func (ru rules) checkMetrics() {
	m := &ru.cfg.Metrics
	if m.Listen != "" {
		_, port, err := net.SplitHostPort(m.Listen)
		n, atoiErr := strconv.Atoi(port)
		if err != nil || atoiErr != nil || n < 0 || n > maxPort {
			ru.fail("metrics.listen", " = %s: want host:port, or nothing to turn it off", shown(m.Listen))
		}
	}
	if !strings.HasPrefix(m.Path, "/") {
		ru.fail("metrics.path", " = %s: want a path that begins with /", shown(m.Path))
	}
}

// checkApps holds what the file and the variables say of the apps against the rules that every app is under, see
// App.Violations.
func (ru rules) checkApps() {
	limits := ru.cfg.Server.Limits
	for i, app := range ru.cfg.Apps {
		if _, written := ru.cfg.origins[element("apps", i)+".max_message_size"]; !written {
			// A default follows a lower limit, and what the app's rules allow; only a value that was written is an
			// error.
			app.MaxMessageSize = max(app.MaxMessageSize, app.Rules.whisperSize())
			app.MaxMessageSize = app.MessageLimit(limits.MaxMessageSize)
		}
	}
	for _, v := range ru.cfg.Apps.Violations(limits) {
		text := v.Text
		if v.Missing {
			text += " here or in " + variableOf("apps."+v.Key)
		}
		ru.fail(join(element("apps", v.App), v.Key), "%s", text)
	}
	if len(ru.cfg.Apps) == 0 && !ru.bad["apps"] {
		ru.add(ru.noApp())
	}
}
