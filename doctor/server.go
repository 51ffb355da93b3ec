package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
)

// ownServer is the part about the server of this configuration on this machine.
type ownServer struct{ *examination }

// check asks the server of the configuration, on this machine.
func (e ownServer) check() {
	const check, title = "server.up", "Server on this machine"
	switch {
	case !e.usable:
		e.skip(check, title, "the configuration cannot be used")
		return
	case e.local.host == "":
		e.skip(check, title, "the port is left to the system: server.port is 0")
		return
	}
	a, err := e.get(e.local, "/up")
	switch {
	case err == nil && a.status == http.StatusOK && strings.Contains(a.body, `"health"`):
		e.up = true
		e.pid = listenerPID(e.probes, e.local.port) // whose limits count, not ours
		e.ok(check, title, "running on %s", e.local.address())
		e.checkReady()
	case errors.Is(err, syscall.ECONNREFUSED):
		e.skip(check, title, "nothing listens on %s: what needs a running server is examined only if the public address answers", e.local.address())
	case err != nil:
		e.fail(check, title, fmt.Sprintf("%s does not answer: %s", e.local.address(), reason(err)), "something holds the port, and it is not this server with this configuration",
			fmt.Sprintf("ss -ltnp 'sport = :%d' # shows whose it is", e.local.port), "reverb restart, if [server.tls] was changed since the start")
	default:
		e.fail(check, title, fmt.Sprintf("%s answers %d to %s/up: it is another program, or this server with another path", e.local.address(), a.status, e.local.prefix),
			"the server cannot start on a port that is taken, and a proxy finds the wrong one",
			fmt.Sprintf("ss -ltnp 'sport = :%d' # shows whose it is", e.local.port), ".env: REVERB_SERVER_PORT, another one")
	}
}

// checkReady asks whether the server is leaving or cut off from the others.
func (e ownServer) checkReady() {
	const check, title = "server.ready", "Readiness"
	a, err := e.get(e.local, "/ready")
	switch {
	case err != nil:
		e.skip(check, title, "%s/ready does not answer: %s", e.local.prefix, reason(err))
	case a.status == http.StatusServiceUnavailable:
		e.warn(check, title, "the server is draining", "it lets nobody in and ends soon", "wait for the restart")
	case strings.Contains(a.body, `"degraded":true`):
		e.fail(check, title, "the server does not reach Redis, or Redis refuses what it needs", "clients of other nodes get nothing of what is published here", "see Redis below")
	case a.status == http.StatusOK:
		e.ok(check, title, "it takes connections")
	default:
		e.skip(check, title, "%s/ready answers %d: an older version", e.local.prefix, a.status)
	}
}

// reason is an error of the network in words that an operator knows.
func reason(err error) string {
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return "the name " + short(dns.Name) + " is not known (DNS)"
	case errors.As(err, &record):
		return "it does not speak TLS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to it"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	case errors.Is(err, errHungUp):
		return errHungUp.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("nothing came within %.0f s", stepTimeout.Seconds())
	}
	return short(err.Error())
}
