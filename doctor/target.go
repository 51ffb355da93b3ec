package doctor

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// target is an address of a server and what stands before its routes.
type target struct {
	secure bool
	host   string // name or IP, without brackets; "" = there is no target
	port   int
	prefix string // "" or "/a/b"
}

// address is host:port for a dialer.
func (t target) address() string { return net.JoinHostPort(t.host, strconv.Itoa(t.port)) }

// authority is the Host header: without the port that the scheme has anyway.
func (t target) authority() string {
	if t.port == defaultPort(t.secure) {
		if strings.Contains(t.host, ":") {
			return "[" + t.host + "]"
		}
		return t.host
	}
	return t.address()
}

// base is the URL for HTTP, as Laravel uses it.
func (t target) base() string { return t.scheme() + "://" + t.authority() + t.prefix }

func (t target) scheme() string {
	if t.secure {
		return "https"
	}
	return "http"
}

// isLoopback says whether the host is this machine by its own name.
func (t target) isLoopback() bool {
	if t.host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(t.host)
	return err == nil && ip.IsLoopback()
}

func defaultPort(secure bool) int {
	if secure {
		return 443
	}
	return 80
}

var errURL = errors.New("want http:, https:, ws: or wss://host[:port][/prefix]")

// parseTarget reads what --url says.
func parseTarget(text string) (target, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return target{}, errURL
	}
	t := target{host: u.Hostname(), prefix: strings.TrimRight(u.Path, "/")}
	switch u.Scheme {
	case "https", "wss":
		t.secure = true
	case "http", "ws":
	default:
		return target{}, errURL
	}
	t.port = defaultPort(t.secure)
	if u.Port() != "" {
		if t.port, err = strconv.Atoi(u.Port()); err != nil || t.port < 1 || t.port > 65535 {
			return target{}, errURL
		}
	}
	return t, nil
}

// ValidURL says what is wrong with a value of Options.URL.
func ValidURL(text string) error {
	_, err := parseTarget(text)
	return err
}

// publicTarget is where browsers and Laravel go: Options.URL, else REVERB_SCHEME, REVERB_HOST, REVERB_PORT with the
// defaults of Laravel's config/broadcasting.php.
func (e *examination) publicTarget() target {
	if e.o.URL != "" {
		t, _ := parseTarget(e.o.URL)
		return t
	}
	host := e.variable("REVERB_HOST")
	if host == "" && e.usable {
		host = e.cfg.Server.Hostname
	}
	secure := true
	if scheme, rest, ok := strings.Cut(host, "://"); ok { // a mistake that the check of the environment tells
		secure, host = scheme != "http", rest
	}
	if value := e.variable("REVERB_SCHEME"); value != "" {
		secure = value == "https"
	}
	host, _, _ = strings.Cut(host, "/")
	port := 443
	if n, err := strconv.Atoi(e.variable("REVERB_PORT")); err == nil && n > 0 && n < 65536 {
		port = n
	}
	return target{secure: secure, host: strings.Trim(host, "[]"), port: port, prefix: e.cfg.Server.Prefix()}
}

// localTarget is where the server of the configuration listens, seen from this machine. Without a fixed port there is
// none.
func (e *examination) localTarget() target {
	s := e.cfg.Server
	if s.Port == 0 {
		return target{}
	}
	host := strings.Trim(s.Host, "[]")
	switch ip, err := netip.ParseAddr(host); {
	case err == nil && ip.IsUnspecified() && ip.Is6():
		host = "::1"
	case err == nil && ip.IsUnspecified():
		host = "127.0.0.1"
	}
	return target{secure: e.o.CertFile != "", host: host, port: s.Port, prefix: s.Prefix()}
}
