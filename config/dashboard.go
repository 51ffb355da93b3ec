package config

import (
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Dashboard is the table [dashboard]: the live page, on an own listener, so
// that a proxy which passes the public port on does not pass it on too.
type Dashboard struct {
	Enabled       bool   // false
	Listen        string // "127.0.0.1:8081"
	Username      string // ""
	PasswordHash  string // bcrypt, as `reverb dashboard-password` and Laravel's Hash::make print it; ""
	InsecureLocal bool   // false; without a password, on a loopback address: every user of this machine may open the page
}

// Open reports whether the page asks nobody for a password. That is never so by
// default: a loopback address is open to every user of the machine, and the page
// shows the events of private channels and sends any.
func (d Dashboard) Open() bool { return d.PasswordHash == "" && d.InsecureLocal && d.Loopback() }

// Loopback reports whether only programs of this machine reach the page.
func (d Dashboard) Loopback() bool {
	host, _, err := net.SplitHostPort(d.Listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// maxCost bounds the time that one attempt to log in takes: 15 is about three
// seconds.
const maxCost = 15

// bcryptHash is what crypt(3) calls 2a, 2b or 2y.
var bcryptHash = regexp.MustCompile(`^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$`)

func (ru rules) checkDashboard() {
	d := &ru.cfg.Dashboard
	_, port, err := net.SplitHostPort(d.Listen)
	n, atoiErr := strconv.Atoi(port)
	if err != nil || atoiErr != nil || n < 0 || n > maxPort {
		ru.fail("dashboard.listen", " = %s: want host:port", shown(d.Listen))
		return
	}
	if d.PasswordHash != "" && !isBcrypt(d.PasswordHash) {
		ru.fail("dashboard.password_hash", ": want a bcrypt hash of a cost up to %d, as `reverb dashboard-password` prints", maxCost)
	}
	switch {
	case d.Username != "" && d.PasswordHash == "":
		ru.fail("dashboard.username", ": want dashboard.password_hash too")
	case d.Username == "" && d.PasswordHash != "":
		ru.fail("dashboard.password_hash", ": want dashboard.username too")
	case d.Enabled && d.PasswordHash == "" && !d.Loopback():
		ru.fail("dashboard.enabled", ": want dashboard.username and dashboard.password_hash, because dashboard.listen = %s is not a loopback address",
			strings.TrimSpace(shown(d.Listen)))
	case d.Enabled && d.PasswordHash == "" && !d.InsecureLocal:
		ru.fail("dashboard.enabled", ": want dashboard.username and dashboard.password_hash (`reverb dashboard-password` makes it), "+
			"or dashboard.insecure_local = true, which opens the page to every user of this machine")
	}
}

func isBcrypt(s string) bool {
	m := bcryptHash.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	cost, err := strconv.Atoi(m[1])
	return err == nil && cost >= 4 && cost <= maxCost
}
