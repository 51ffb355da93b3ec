package config

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// Config is a whole configuration. It does not change after Load and may be
// read by any goroutine.
type Config struct {
	Server    Server
	Apps      Apps
	Scaling   Scaling
	Log       Log
	Metrics   Metrics
	Dashboard Dashboard
	Laravel   Laravel
	Database  Database
	Pulse     Pulse

	// origins tells for each key that was written somewhere where that was.
	origins map[string]origin

	// slips are names that nothing reads.
	slips []Slip

	// from is where all of it came from, for Reload.
	from Source
}

// Server is the table [server]: where we listen and what holds for all apps.
type Server struct {
	Host     string // address to bind; 0.0.0.0. IPv6 with or without brackets
	Port     int    // 8080; 0 takes a free one
	Path     string // prefix of every route as configured; "". See Prefix
	Hostname string // public name or URL, for banner and certificate look-up only; ""

	MaxRequestSize         int64         // body of an HTTP request, bytes; 10,000
	Predrain               time.Duration // from the stop signal until nobody is let in; 0
	DrainTimeout           time.Duration // from then to the cut; 10 s, 0 cuts at once
	AuthTimestampTolerance time.Duration // age of auth_timestamp either way; 600 s, 0 = not checked
	CORSOrigins            []string      // origins that may read HTTP answers in a browser; none
	TrustedProxies         []string      // addresses and networks whose word about the client is taken; none. See Proxies
	ProxyProtocol          bool          // they give it as a PROXY header, not as X-Forwarded-For; false
	Watch                  bool          // reload when the files change; false
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
	OutboxTimeout    time.Duration // of the oldest byte that waits for a slow client; 10 s

	MaxHead          int   // request line and headers, bytes; 16 KiB
	OutboxBytes      int64 // waiting for one slow client; 16 MiB
	TotalOutboxBytes int64 // waiting for all clients, an event for many counted once; 256 MiB
	MaxMessageSize   int64 // ceiling for every app, bytes; 16 MiB

	MaxConnections           int // of the node; 0 = no limit
	MaxConnectionsPerAddress int // of one client address; 0 = no limit
	MaxSubscriptions         int // of one connection; 0 = no limit

	SubscriptionBytes int64 // what the subscriptions of one connection may cost, names and channel_data included; 8 MiB, 0 = no limit
}

// Scaling is the table [scaling]: several nodes joined by Redis.
type Scaling struct {
	Enabled bool   // false
	Mode    string // ScalingNative, or ScalingReverb to share a cluster with PHP nodes
	Channel string // name of the pub/sub channel of ScalingReverb; "reverb"

	TerminatePHPNodes bool // in mode ScalingReverb; false, because Reverb up to 1.11.0 may end over it

	Lease        time.Duration // silence after which a node is taken for dead; 10 s
	Grace        time.Duration // members of a node that drains may come back elsewhere within it; 3 s
	Linger       time.Duration // a channel is followed so long after its last subscriber left; 5 s
	CacheTTL     time.Duration // of the last event of a cache channel; 30 min
	QueryTimeout time.Duration // of a question to all nodes; 1 s
	BufferBytes  int64         // of messages that wait for Redis to come back; 32 MiB
	BufferAge    time.Duration // a message waits at most this long; 30 s

	Redis Redis
}

// The values of Scaling.Mode.
const (
	ScalingNative = "native"
	ScalingReverb = "reverb"
)

// Redis is the table [scaling.redis]. After Load the parts hold what a URL
// says; a part that the URL leaves out keeps its own value.
type Redis struct {
	URL       string // redis:, tcp: plain; rediss:, tls: encrypted; "" = the parts
	Host      string // 127.0.0.1; a tls:// in front turns on TLS; an absolute path is a Unix socket
	Port      int    // 6379; 0 with a Unix socket
	Path      string // Unix socket, wins over Host and Port; ""
	Username  string // ACL user; ""
	Password  string // ""
	Database  string // number; "0"
	Encrypted bool   // follows from URL, Host, Nodes or TLS

	Timeout time.Duration // bound of one attempt to connect; 5 s, which 0 means too
	Prefix  string        // of all keys and channels but that of ScalingReverb; "reverb"
	Cluster bool          // the nodes are a Redis Cluster; false
	Nodes   []string      // host:port of some nodes of the cluster; none = Host and Port

	Sentinel Sentinel
	TLS      RedisTLS
}

// Sentinel is the table [scaling.redis.sentinel]: the master is asked for.
// User, password and database of the master are those of Redis.
type Sentinel struct {
	Master    string   // name of the master; "" = no Sentinel
	Nodes     []string // host:port of the sentinels; a tls:// in front turns on TLS
	Username  string   // of the sentinels; ""
	Password  string   // ""
	Encrypted bool     // follows from Nodes
}

// RedisTLS is the table [scaling.redis.tls]. A value here turns on TLS.
type RedisTLS struct {
	CA         string // PEM file of the authorities to trust; "" = those of the system
	Cert       string // PEM file of our certificate; "" = none
	Key        string // PEM file of its key
	ServerName string // that the certificate of Redis must be for; "" = the host
	Insecure   bool   // any certificate will do
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
				OutboxTimeout:    10 * time.Second,
				OutboxBytes:      16 << 20,
				TotalOutboxBytes: 256 << 20,
				MaxMessageSize:   16 << 20,

				SubscriptionBytes: 8 << 20,
			},
		},
		Scaling: Scaling{
			Mode:         ScalingNative,
			Channel:      "reverb",
			Lease:        10 * time.Second,
			Grace:        3 * time.Second,
			Linger:       5 * time.Second,
			CacheTTL:     30 * time.Minute,
			QueryTimeout: time.Second,
			BufferBytes:  32 << 20,
			BufferAge:    30 * time.Second,
			Redis:        Redis{Host: "127.0.0.1", Port: 6379, Database: "0", Timeout: 5 * time.Second, Prefix: "reverb"},
		},
		Log:       defaultLog(),
		Metrics:   Metrics{Path: "/metrics"},
		Dashboard: Dashboard{Listen: "127.0.0.1:8081"},
		Laravel:   Laravel{Name: "laravel", RedisPrefix: "laravel-database-", RedisCacheDB: "1", Cache: Cache{Prefix: "laravel-cache-", Table: "cache", RedisConnection: "cache", Signal: true}},
		Database:  Database{Driver: DriverSQLite, Host: "127.0.0.1", Username: "root", SSLMode: "prefer"},
		Pulse:     Pulse{Driver: PulseStorage, Interval: 15 * time.Second, SampleRate: 1, RedisConnection: "default"},
	}
}
