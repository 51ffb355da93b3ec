package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config is a whole configuration. It does not change after Load and may be
// read by any goroutine.
type Config struct {
	Server  Server
	Apps    Apps
	Scaling Scaling
	Metrics Metrics

	// origins tells for each key that was written somewhere where that was.
	origins map[string]origin
}

// Server is the table [server]: where we listen and what holds for all apps.
type Server struct {
	Host     string // address to bind; 0.0.0.0. IPv6 with or without brackets
	Port     int    // 8080; 0 takes a free one
	Path     string // prefix of every route as configured; "". See Prefix
	Hostname string // public name or URL, for banner and certificate look-up only; ""

	MaxRequestSize         int64         // body of an HTTP request, bytes; 10,000
	DrainTimeout           time.Duration // from the stop signal to the cut; 10 s, 0 cuts at once
	AuthTimestampTolerance time.Duration // age of auth_timestamp either way; 600 s, 0 = not checked
	CORSOrigins            []string      // origins that may read HTTP answers in a browser; none
	ControlSocket          string        // Unix socket of `reverb restart`; "" = by port, in a directory of our user
	HealthPath             string        // Prefix + "/up"; follows from Path

	TLS    TLS
	Limits Limits
}

// Prefix is what every route begins with: "" or "/a/b". Reverb trims slashes
// and spaces, so "ws", "/ws" and "/ws/" are the same.
func (s Server) Prefix() string {
	trimmed := strings.Trim(s.Path, "/ ")
	if trimmed == "" {
		return ""
	}
	return "/" + trimmed
}

// Address is host and port as net.Listen takes them. Reverb wants the brackets
// of an IPv6 address written ("[::1]"); here they may be left out.
func (s Server) Address() string {
	host := strings.TrimSuffix(strings.TrimPrefix(s.Host, "["), "]")
	return net.JoinHostPort(host, strconv.Itoa(s.Port))
}

// TLS is the table [server.tls]. Without Cert the certificate is looked up by
// hostname in the folders of Herd and Valet, and without one there we speak
// plain TCP.
type TLS struct {
	Cert       string // PEM file; may hold chain and key
	Key        string // PEM file; "" = in Cert
	Passphrase string // of the key
}

// Limits is the table [server.limits]: what one client, and all clients
// together, may cost the node.
type Limits struct {
	HandshakeTimeout time.Duration // whole request head; 10 s
	BodyTimeout      time.Duration // whole request body; 30 s
	IdleTimeout      time.Duration // HTTP keep-alive; 60 s
	TLSTimeout       time.Duration // TLS handshake; 10 s

	MaxHead          int   // request line and headers, bytes; 16 KiB
	OutboxBytes      int64 // waiting for one slow client; 1 MiB
	TotalOutboxBytes int64 // waiting for all clients; 256 MiB
	MaxMessageSize   int64 // ceiling for every app, bytes; 16 MiB

	MaxConnections           int // of the node; 0 = no limit
	MaxConnectionsPerAddress int // of one client address; 0 = no limit
	MaxSubscriptions         int // of one connection; 0 = no limit
}

// Scaling is the table [scaling]: several nodes joined by Redis.
type Scaling struct {
	Enabled bool   // false
	Mode    string // "native", or "reverb" to share a cluster with PHP nodes
	Channel string // name of the pub/sub channel; "reverb"
	Redis   Redis
}

// Redis is the table [scaling.redis]. After Load the parts hold what a URL
// says; what the URL leaves out keeps its own value.
type Redis struct {
	URL      string // redis:, tcp: plain; rediss:, tls: encrypted; "" = the parts
	Host     string // 127.0.0.1; a tls:// in front turns on TLS
	Port     int    // 6379
	Username string // ACL user; ""
	Password string // ""
	Database string // number; "0"
	TLS      bool   // follows from URL or Host

	Timeout time.Duration // how long reconnecting is tried; 60 s
}

// Metrics is the table [metrics]: the Prometheus page, on an own listener.
type Metrics struct {
	Listen string // "127.0.0.1:9090"; "" = off
	Path   string // "/metrics"

	// Profiles serves Go's profiles at /debug/pprof/ of the same address.
	Profiles bool
}

// Default is the configuration of an empty file. It has no app.
func Default() *Config {
	return &Config{
		Server: Server{
			Host:                   "0.0.0.0",
			Port:                   8080,
			MaxRequestSize:         10_000,
			DrainTimeout:           10 * time.Second,
			AuthTimestampTolerance: 600 * time.Second,
			HealthPath:             "/up",
			Limits: Limits{
				HandshakeTimeout: 10 * time.Second,
				BodyTimeout:      30 * time.Second,
				IdleTimeout:      60 * time.Second,
				TLSTimeout:       10 * time.Second,
				MaxHead:          16 << 10,
				OutboxBytes:      1 << 20,
				TotalOutboxBytes: 256 << 20,
				MaxMessageSize:   16 << 20,
			},
		},
		Scaling: Scaling{
			Mode:    "native",
			Channel: "reverb",
			Redis:   Redis{Host: "127.0.0.1", Port: 6379, Database: "0", Timeout: 60 * time.Second},
		},
		Metrics: Metrics{Path: "/metrics"},
	}
}

// resolve lets the URL and a scheme in front of the host override the parts, as
// Reverb's Redis client does with the URL. It reports whether the URL was
// usable; the cause is not told because it would quote the password.
func (r *Redis) resolve() bool {
	if scheme, host, ok := strings.Cut(r.Host, "://"); ok {
		r.Host, r.TLS = host, isTLSScheme(scheme)
	}
	if r.URL == "" {
		return true
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Hostname() == "" || !isRedisScheme(u.Scheme) {
		return false
	}
	database := strings.Trim(u.Path, "/")
	port := r.Port
	if u.Port() != "" {
		port, err = strconv.Atoi(u.Port())
	}
	if err != nil || port < 1 || port > maxPort || !isDigits(database) {
		return false
	}
	r.Host, r.Port, r.TLS = u.Hostname(), port, isTLSScheme(u.Scheme)
	if u.User != nil {
		r.Username = u.User.Username()
		r.Password, _ = u.User.Password()
	}
	if database != "" {
		r.Database = database
	}
	return true
}

func isRedisScheme(s string) bool { return s == "redis" || s == "tcp" || isTLSScheme(s) }

func isTLSScheme(s string) bool { return s == "rediss" || s == "tls" }

// isDigits reports whether s holds nothing but digits; true for "".
func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
