package config

// STUB of the exported contract; the owner of this package replaces this file with the files of the house.

import "time"

type Config struct {
	Server  Server
	Apps    Apps
	Scaling Scaling
	Metrics Metrics
}

type Server struct {
	Host, Path, Hostname   string // Path as configured
	Port                   int
	MaxRequestSize         int64
	DrainTimeout           time.Duration // seconds in the file; default 10
	HealthPath             string        `toml:"-"`
	TLS                    TLS
	Limits                 Limits
	CORSOrigins            []string      // default none
	ControlSocket          string        // of `reverb restart`; default in the runtime dir, by port
	AuthTimestampTolerance time.Duration // default 600 s, 0 off
}

func (s Server) Prefix() string { panic("stub") } // "" or "/a/b", trimmed

type TLS struct{ Cert, Key, Passphrase string }

type Limits struct {
	HandshakeTimeout, BodyTimeout, IdleTimeout, TLSTimeout time.Duration // 10 s, 30 s, 60 s, 10 s
	MaxHead                                                int           // bytes, 16 KiB
	OutboxBytes, TotalOutboxBytes                          int64         // 1 MiB, 256 MiB
	MaxMessageSize                                         int64         // hard ceiling when an app says 0; 16 MiB
	MaxConnections, MaxConnectionsPerAddress               int           // 0 = no limit
	MaxSubscriptions                                       int           // per connection, 0 = no limit
}

// App is immutable after load.
type App struct {
	ID, Key, Secret        string
	Profile                string // "reverb" or "pusher"
	AllowedOrigins         []string
	PingInterval           time.Duration
	ActivityTimeout        int    // seconds, told to clients
	MaxConnections         int    // 0 = no limit
	MaxMessageSize         int64  // 0 = ceiling
	AcceptClientEventsFrom string // all, members, none
	Enabled                bool
	RateLimit              RateLimit
	Rules                  Rules
}

type RateLimit struct {
	Enabled          bool
	MaxAttempts      int
	Decay            time.Duration
	TerminateOnLimit bool
}

// Rules are what a profile sets; each can be set by itself in [[apps]].
type Rules struct {
	ErrorObject                                bool // pusher:error data as an object
	StringUserIDs                              bool
	RequireUserID                              bool // presence without user_id: 4009
	StrictNames                                bool // channel and event name syntax, MaxChannelName, MaxEventName
	MaxChannelName, MaxEventName               int
	ClientEventsPrivateOnly                    bool
	RequireProtocol                            bool // 4006/4007/4008
	CheckAuthKey                               bool // subscribe auth must carry the app key
	RequireTimestamp                           bool // HTTP auth_timestamp must be there
	MaxPublishChannels, MaxBatch               int  // 0 = no limit
	MaxEventData                               int  // bytes, 0 = no limit
	MaxPresenceMembers, MaxUserInfo, MaxUserID int  // 0 = no limit
}

type Apps []*App

func (a Apps) ByID(id string) *App   { panic("stub") }
func (a Apps) ByKey(key string) *App { panic("stub") }

type Scaling struct {
	Enabled bool
	Mode    string // native, reverb
	Channel string
	Redis   Redis
}

type Redis struct {
	URL, Host, Username, Password, Database string
	Port                                    int
	Timeout                                 time.Duration
}

type Metrics struct {
	Listen string // "127.0.0.1:9090"; "" = off
	Path   string // /metrics
}

// Source says where the values come from.
type Source struct {
	File    string            // config.toml; "" = config.toml of the working directory when it exists
	EnvFile string            // .env; "" = .env of the working directory when it exists
	Environ []string          // os.Environ()
	Flags   map[string]string // host port path hostname
}

// Load reads, merges and validates; the error lists every violation, a line each.
func Load(s Source) (*Config, error) { panic("stub") }
