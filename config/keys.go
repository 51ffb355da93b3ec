package config

// key is one key of the file: its name, and the field it fills.
type key[T any] struct {
	name   string
	secret bool // never shown, in no message
	at     func(*T) setting
}

// Bounds that several keys share.
const (
	maxPort    = 65535
	maxSeconds = 86_400          // a day
	maxCount   = 1<<31 - 1       // fits an int everywhere
	maxBytes   = int64(1) << 30  // of one request or message
	maxOutbox  = int64(1) << 40  // of all clients together
	maxHead    = int64(16) << 20 // of one request
)

// serverKeys are all keys outside of [[apps]], in the order of config.toml.
var serverKeys = []key[Config]{
	{name: "server.host", at: func(c *Config) setting { return someText(&c.Server.Host) }},
	{name: "server.port", at: func(c *Config) setting {
		return numberSetting[int]{p: &c.Server.Port, max: maxPort, digits: true}
	}},
	{name: "server.path", at: func(c *Config) setting { return anyText(&c.Server.Path) }},
	{name: "server.hostname", at: func(c *Config) setting { return anyText(&c.Server.Hostname) }},
	{name: "server.max_request_size", at: func(c *Config) setting { return bytes(&c.Server.MaxRequestSize, 1, maxBytes) }},
	{name: "server.predrain", at: func(c *Config) setting { return seconds(&c.Server.Predrain, 0) }},
	{name: "server.drain_timeout", at: func(c *Config) setting { return seconds(&c.Server.DrainTimeout, 0) }},
	{name: "server.auth_timestamp_tolerance", at: func(c *Config) setting {
		return seconds(&c.Server.AuthTimestampTolerance, 0)
	}},
	{name: "server.cors_origins", at: func(c *Config) setting { return list(&c.Server.CORSOrigins) }},
	{name: "server.trusted_proxies", at: func(c *Config) setting { return list(&c.Server.TrustedProxies) }},
	{name: "server.proxy_protocol", at: func(c *Config) setting { return truth(&c.Server.ProxyProtocol) }},
	{name: "server.watch", at: func(c *Config) setting { return truth(&c.Server.Watch) }},
	{name: "server.control_socket", at: func(c *Config) setting { return anyText(&c.Server.ControlSocket) }},

	{name: "server.tls.cert", at: func(c *Config) setting { return anyText(&c.Server.TLS.Cert) }},
	{name: "server.tls.key", at: func(c *Config) setting { return anyText(&c.Server.TLS.Key) }},
	{name: "server.tls.passphrase", secret: true, at: func(c *Config) setting { return anyText(&c.Server.TLS.Passphrase) }},

	{name: "server.limits.handshake_timeout", at: func(c *Config) setting {
		return seconds(&c.Server.Limits.HandshakeTimeout, 1)
	}},
	{name: "server.limits.body_timeout", at: func(c *Config) setting { return seconds(&c.Server.Limits.BodyTimeout, 1) }},
	{name: "server.limits.idle_timeout", at: func(c *Config) setting { return seconds(&c.Server.Limits.IdleTimeout, 1) }},
	{name: "server.limits.tls_timeout", at: func(c *Config) setting { return seconds(&c.Server.Limits.TLSTimeout, 1) }},
	{name: "server.limits.max_head_size", at: func(c *Config) setting { return bytes(&c.Server.Limits.MaxHead, 1024, maxHead) }},
	{name: "server.limits.outbox_timeout", at: func(c *Config) setting { return seconds(&c.Server.Limits.OutboxTimeout, 1) }},
	{name: "server.limits.outbox_bytes", at: func(c *Config) setting { return bytes(&c.Server.Limits.OutboxBytes, 4096, maxBytes) }},
	{name: "server.limits.total_outbox_bytes", at: func(c *Config) setting {
		return bytes(&c.Server.Limits.TotalOutboxBytes, 4096, maxOutbox)
	}},
	{name: "server.limits.max_message_size", at: func(c *Config) setting {
		return bytes(&c.Server.Limits.MaxMessageSize, 1, maxBytes)
	}},
	{name: "server.limits.max_connections", at: func(c *Config) setting { return count(&c.Server.Limits.MaxConnections, 0) }},
	{name: "server.limits.max_connections_per_address", at: func(c *Config) setting {
		return count(&c.Server.Limits.MaxConnectionsPerAddress, 0)
	}},
	{name: "server.limits.max_subscriptions", at: func(c *Config) setting { return count(&c.Server.Limits.MaxSubscriptions, 0) }},
	{name: "server.limits.subscription_bytes", at: func(c *Config) setting {
		return bytes(&c.Server.Limits.SubscriptionBytes, 0, maxBytes)
	}},

	{name: "scaling.enabled", at: func(c *Config) setting { return truth(&c.Scaling.Enabled) }},
	{name: "scaling.mode", at: func(c *Config) setting { return oneOf(&c.Scaling.Mode, ScalingNative, ScalingReverb) }},
	{name: "scaling.channel", at: func(c *Config) setting { return someText(&c.Scaling.Channel) }},
	{name: "scaling.terminate_php_nodes", at: func(c *Config) setting { return truth(&c.Scaling.TerminatePHPNodes) }},
	{name: "scaling.lease", at: func(c *Config) setting { return seconds(&c.Scaling.Lease, 3) }},
	{name: "scaling.grace", at: func(c *Config) setting { return seconds(&c.Scaling.Grace, 1) }},
	{name: "scaling.linger", at: func(c *Config) setting { return seconds(&c.Scaling.Linger, 1) }},
	{name: "scaling.cache_ttl", at: func(c *Config) setting { return seconds(&c.Scaling.CacheTTL, 1) }},
	{name: "scaling.query_timeout", at: func(c *Config) setting { return seconds(&c.Scaling.QueryTimeout, 1) }},
	{name: "scaling.buffer_bytes", at: func(c *Config) setting { return bytes(&c.Scaling.BufferBytes, 4096, maxOutbox) }},
	{name: "scaling.buffer_age", at: func(c *Config) setting { return seconds(&c.Scaling.BufferAge, 1) }},

	{name: "scaling.redis.url", secret: true, at: func(c *Config) setting { return urlSetting{textSetting{p: &c.Scaling.Redis.URL}} }},
	{name: "scaling.redis.host", at: func(c *Config) setting { return someText(&c.Scaling.Redis.Host) }},
	{name: "scaling.redis.port", at: func(c *Config) setting {
		return numberSetting[int]{p: &c.Scaling.Redis.Port, max: maxPort, digits: true}
	}},
	{name: "scaling.redis.path", at: func(c *Config) setting { return anyText(&c.Scaling.Redis.Path) }},
	{name: "scaling.redis.username", at: func(c *Config) setting { return anyText(&c.Scaling.Redis.Username) }},
	{name: "scaling.redis.password", secret: true, at: func(c *Config) setting { return anyText(&c.Scaling.Redis.Password) }},
	{name: "scaling.redis.database", at: func(c *Config) setting { return numberText(&c.Scaling.Redis.Database) }},
	{name: "scaling.redis.timeout", at: func(c *Config) setting { return seconds(&c.Scaling.Redis.Timeout, 0) }},
	{name: "scaling.redis.prefix", at: func(c *Config) setting { return someText(&c.Scaling.Redis.Prefix) }},
	{name: "scaling.redis.cluster", at: func(c *Config) setting { return truth(&c.Scaling.Redis.Cluster) }},
	{name: "scaling.redis.nodes", at: func(c *Config) setting { return list(&c.Scaling.Redis.Nodes) }},

	{name: "scaling.redis.sentinel.master", at: func(c *Config) setting { return anyText(&c.Scaling.Redis.Sentinel.Master) }},
	{name: "scaling.redis.sentinel.nodes", at: func(c *Config) setting { return list(&c.Scaling.Redis.Sentinel.Nodes) }},
	{name: "scaling.redis.sentinel.username", at: func(c *Config) setting { return anyText(&c.Scaling.Redis.Sentinel.Username) }},
	{name: "scaling.redis.sentinel.password", secret: true, at: func(c *Config) setting {
		return anyText(&c.Scaling.Redis.Sentinel.Password)
	}},

	{name: "scaling.redis.tls.ca", at: func(c *Config) setting { return anyText(&c.Scaling.Redis.TLS.CA) }},
	{name: "scaling.redis.tls.cert", at: func(c *Config) setting { return anyText(&c.Scaling.Redis.TLS.Cert) }},
	{name: "scaling.redis.tls.key", at: func(c *Config) setting { return anyText(&c.Scaling.Redis.TLS.Key) }},
	{name: "scaling.redis.tls.server_name", at: func(c *Config) setting { return anyText(&c.Scaling.Redis.TLS.ServerName) }},
	{name: "scaling.redis.tls.insecure", at: func(c *Config) setting { return truth(&c.Scaling.Redis.TLS.Insecure) }},

	{name: "log.level", at: func(c *Config) setting { return oneOf(&c.Log.Level, LogDebug, LogInfo, LogWarn, LogError) }},
	{name: "log.format", at: func(c *Config) setting { return oneOf(&c.Log.Format, LogConsole, LogJSON) }},

	{name: "metrics.listen", at: func(c *Config) setting { return anyText(&c.Metrics.Listen) }},
	{name: "metrics.path", at: func(c *Config) setting { return someText(&c.Metrics.Path) }},
	{name: "metrics.profiles", at: func(c *Config) setting { return truth(&c.Metrics.Profiles) }},

	{name: "dashboard.enabled", at: func(c *Config) setting { return truth(&c.Dashboard.Enabled) }},
	{name: "dashboard.listen", at: func(c *Config) setting { return someText(&c.Dashboard.Listen) }},
	{name: "dashboard.username", at: func(c *Config) setting { return anyText(&c.Dashboard.Username) }},
	{name: "dashboard.password_hash", secret: true, at: func(c *Config) setting { return anyText(&c.Dashboard.PasswordHash) }},
	{name: "dashboard.insecure_local", at: func(c *Config) setting { return truth(&c.Dashboard.InsecureLocal) }},

	{name: "laravel.name", at: func(c *Config) setting { return anyText(&c.Laravel.Name) }},
	{name: "laravel.redis_prefix", at: func(c *Config) setting { return anyText(&c.Laravel.RedisPrefix) }},
	{name: "laravel.redis_cache_db", at: func(c *Config) setting { return numberText(&c.Laravel.RedisCacheDB) }},
	{name: "laravel.redis_cache_connection", at: func(c *Config) setting { return someText(&c.Laravel.Cache.RedisConnection) }},
	{name: "laravel.cache_store", at: func(c *Config) setting { return storeOf(&c.Laravel.Cache) }},
	{name: "laravel.cache_prefix", at: func(c *Config) setting { return anyText(&c.Laravel.Cache.Prefix) }},
	{name: "laravel.cache_path", at: func(c *Config) setting { return anyText(&c.Laravel.Cache.Path) }},
	{name: "laravel.cache_table", at: func(c *Config) setting { return someText(&c.Laravel.Cache.Table) }},
	{name: "laravel.cache_connection", at: func(c *Config) setting { return anyText(&c.Laravel.Cache.Connection) }},
	{name: "laravel.restart_signal", at: func(c *Config) setting { return truth(&c.Laravel.Cache.Signal) }},

	{name: "database.url", secret: true, at: func(c *Config) setting { return urlSetting{textSetting{p: &c.Database.URL}} }},
	{name: "database.driver", at: func(c *Config) setting { return someText(&c.Database.Driver) }},
	{name: "database.host", at: func(c *Config) setting { return someText(&c.Database.Host) }},
	{name: "database.port", at: func(c *Config) setting {
		return numberSetting[int]{p: &c.Database.Port, max: maxPort, digits: true, blankZero: true}
	}},
	{name: "database.socket", at: func(c *Config) setting { return anyText(&c.Database.Socket) }},
	{name: "database.name", at: func(c *Config) setting { return anyText(&c.Database.Name) }},
	{name: "database.username", at: func(c *Config) setting { return anyText(&c.Database.Username) }},
	{name: "database.password", secret: true, at: func(c *Config) setting { return anyText(&c.Database.Password) }},
	{name: "database.prefix", at: func(c *Config) setting { return anyText(&c.Database.Prefix) }},
	{name: "database.sslmode", at: func(c *Config) setting { return someText(&c.Database.SSLMode) }},
	{name: "database.ca", at: func(c *Config) setting { return anyText(&c.Database.CA) }},

	{name: "pulse.enabled", at: func(c *Config) setting { return truth(&c.Pulse.Enabled) }},
	{name: "pulse.driver", at: func(c *Config) setting { return oneOf(&c.Pulse.Driver, PulseStorage, PulseRedis) }},
	{name: "pulse.interval", at: func(c *Config) setting { return seconds(&c.Pulse.Interval, 1) }},
	{name: "pulse.sample_rate", at: func(c *Config) setting { return rateSetting{&c.Pulse.SampleRate} }},
	{name: "pulse.connection", at: func(c *Config) setting { return anyText(&c.Pulse.Connection) }},
	{name: "pulse.database_url", secret: true, at: func(c *Config) setting {
		return urlSetting{textSetting{p: &c.Pulse.DatabaseURL}}
	}},
	{name: "pulse.redis_connection", at: func(c *Config) setting { return someText(&c.Pulse.RedisConnection) }},
	{name: "pulse.redis_database", at: func(c *Config) setting { return anyText(&c.Pulse.RedisDatabase) }},
}

// appKeys are the keys of one [[apps]] entry, in the order of config.toml. The
// profile is applied before all others, wherever it stands in the file.
var appKeys = []key[App]{
	{name: "apps.app_id", at: func(a *App) setting { return idText(&a.ID) }},
	{name: "apps.key", at: func(a *App) setting { return someText(&a.Key) }},
	{name: "apps.secret", secret: true, at: func(a *App) setting { return someText(&a.Secret) }},
	{name: "apps.previous_keys", at: func(a *App) setting { return list(&a.PreviousKeys) }},
	{name: "apps.previous_secrets", secret: true, at: func(a *App) setting { return list(&a.PreviousSecrets) }},
	{name: "apps.profile", at: func(a *App) setting {
		return profileSetting{oneOf(&a.Profile, ProfileReverb, ProfilePusher), a}
	}},
	{name: "apps.enabled", at: func(a *App) setting { return truth(&a.Enabled) }},
	{name: "apps.allowed_origins", at: func(a *App) setting { return list(&a.AllowedOrigins) }},
	{name: "apps.ping_interval", at: func(a *App) setting { return seconds(&a.PingInterval, 1) }},
	{name: "apps.activity_timeout", at: func(a *App) setting {
		return numberSetting[int]{p: &a.ActivityTimeout, min: 1, max: maxSeconds, unit: "seconds"}
	}},
	{name: "apps.max_connections", at: func(a *App) setting { return count(&a.MaxConnections, 0) }},
	{name: "apps.max_message_size", at: func(a *App) setting { return bytes(&a.MaxMessageSize, 0, maxBytes) }},
	{name: "apps.accept_client_events_from", at: func(a *App) setting {
		return oneOf(&a.AcceptClientEventsFrom, "members", "all", "none")
	}},
	{name: "apps.cache_bytes", at: func(a *App) setting { return bytes(&a.CacheBytes, 0, maxOutbox) }},
	{name: "apps.client_cache_bytes", at: func(a *App) setting { return bytes(&a.ClientCacheBytes, 0, maxOutbox) }},

	{name: "apps.error_object", at: func(a *App) setting { return truth(&a.Rules.ErrorObject) }},
	{name: "apps.string_user_ids", at: func(a *App) setting { return truth(&a.Rules.StringUserIDs) }},
	{name: "apps.require_user_id", at: func(a *App) setting { return truth(&a.Rules.RequireUserID) }},
	{name: "apps.strict_names", at: func(a *App) setting { return truth(&a.Rules.StrictNames) }},
	{name: "apps.client_events_private_only", at: func(a *App) setting { return truth(&a.Rules.ClientEventsPrivateOnly) }},
	{name: "apps.require_protocol", at: func(a *App) setting { return truth(&a.Rules.RequireProtocol) }},
	{name: "apps.check_auth_key", at: func(a *App) setting { return truth(&a.Rules.CheckAuthKey) }},
	{name: "apps.require_timestamp", at: func(a *App) setting { return truth(&a.Rules.RequireTimestamp) }},
	{name: "apps.require_auth_key", at: func(a *App) setting { return truth(&a.Rules.RequireAuthKey) }},
	{name: "apps.any_client_data", at: func(a *App) setting { return truth(&a.Rules.AnyClientData) }},
	{name: "apps.subscribe_once", at: func(a *App) setting { return truth(&a.Rules.SubscribeOnce) }},
	{name: "apps.pusher_answers", at: func(a *App) setting { return truth(&a.Rules.PusherAnswers) }},
	{name: "apps.max_channel_name", at: func(a *App) setting { return count(&a.Rules.MaxChannelName, 0) }},
	{name: "apps.max_event_name", at: func(a *App) setting { return count(&a.Rules.MaxEventName, 0) }},
	{name: "apps.max_publish_channels", at: func(a *App) setting { return count(&a.Rules.MaxPublishChannels, 0) }},
	{name: "apps.max_batch", at: func(a *App) setting { return count(&a.Rules.MaxBatch, 0) }},
	{name: "apps.max_event_data", at: func(a *App) setting { return bytes(&a.Rules.MaxEventData, 0, maxBytes) }},
	{name: "apps.max_presence_members", at: func(a *App) setting { return count(&a.Rules.MaxPresenceMembers, 0) }},
	{name: "apps.max_user_info", at: func(a *App) setting { return bytes(&a.Rules.MaxUserInfo, 0, maxBytes) }},
	{name: "apps.max_user_id", at: func(a *App) setting { return count(&a.Rules.MaxUserID, 0) }},
	{name: "apps.max_client_events", at: func(a *App) setting { return count(&a.Rules.MaxClientEvents, 0) }},

	{name: "apps.rate_limiting.enabled", at: func(a *App) setting { return anyTruth{boolSetting{&a.RateLimit.Enabled}} }},
	{name: "apps.rate_limiting.max_attempts", at: func(a *App) setting { return count(&a.RateLimit.MaxAttempts, 1) }},
	{name: "apps.rate_limiting.decay_seconds", at: func(a *App) setting { return seconds(&a.RateLimit.Decay, 1) }},
	{name: "apps.rate_limiting.terminate_on_limit", at: func(a *App) setting { return truth(&a.RateLimit.TerminateOnLimit) }},
}

// count is a plain number; where 0 means no limit, an empty variable means that
// too. (In Reverb REVERB_APP_MAX_CONNECTIONS= refuses every connection.)
func count(p *int, low int64) setting {
	return numberSetting[int]{p: p, min: low, max: maxCount, blankZero: low == 0}
}

func bytes[T int | int64](p *T, low, high int64) setting {
	return numberSetting[T]{p: p, min: low, max: high, unit: "bytes"}
}

// profileSetting sets the rules with the profile.
type profileSetting struct {
	textSetting
	app *App
}

func (p profileSetting) setFile(v any) bool {
	s, ok := v.(string)
	return ok && p.setText(s)
}

func (p profileSetting) setText(s string) bool {
	ok := p.textSetting.setText(s)
	if ok {
		p.app.Rules = ProfileRules(s)
	}
	return ok
}
