package config_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"reverb/config"
)

// everything is a file that sets each documented name.
const everything = `
[server]
host = "127.0.0.1"
port = "9000"
path = "/ws/"
hostname = "ws.example.com"
max_request_size = 20_000
drain_timeout = 0
auth_timestamp_tolerance = 0
cors_origins = ["https://a.example"]
control_socket = "/run/reverb.sock"

[server.tls]
cert = "c.pem"
key = "k.pem"
passphrase = "hush"

[server.limits]
handshake_timeout = 1
body_timeout = 2
idle_timeout = 3
tls_timeout = 4
max_head_size = 2048
outbox_timeout = 8
outbox_bytes = 5000
total_outbox_bytes = 6000
max_message_size = 7000
max_connections = 8
max_connections_per_address = 9
max_subscriptions = 10
subscription_bytes = 11

[[apps]]
app_id = 123
key = "key1"
secret = "secret1"
profile = "pusher"
enabled = false
allowed_origins = ["*.example.com"]
ping_interval = 11
activity_timeout = 12
max_connections = 13
max_message_size = 0
accept_client_events_from = "none"
cache_bytes = 14
client_cache_bytes = 15
max_batch = 0
error_object = false

[apps.rate_limiting]
enabled = true
max_attempts = 14
decay_seconds = 15
terminate_on_limit = true

[[apps]]
max_user_id = 16
key = "key2"
app_id = "two"
secret = "secret2"

[scaling]
enabled = true
mode = "reverb"
channel = "c"
lease = 21
grace = 22
linger = 23
cache_ttl = 24
query_timeout = 25
terminate_php_nodes = true
buffer_bytes = 26000
buffer_age = 27

[scaling.redis]
host = "tls://redis.example"
port = 6380
username = "u"
password = "p"
database = 2
timeout = 17
prefix = "site"

[scaling.redis.sentinel]
master = "mymaster"
nodes = ["tls://s1:26379", "s2:26379"]
username = "su"
password = "sp"

[scaling.redis.tls]
ca = "ca.pem"
cert = "cert.pem"
key = "key.pem"
server_name = "redis.internal"
insecure = true

[metrics]
listen = "127.0.0.1:0"
path = "/m"
`

func TestEveryNameOfTheFile(t *testing.T) {
	c := load(t, everything)

	if got := c.Server.Prefix(); got != "/ws" {
		t.Errorf("Prefix = %q, want /ws", got)
	}
	if got := c.Server.HealthPath; got != "/ws/up" {
		t.Errorf("HealthPath = %q, want /ws/up", got)
	}
	wantLimits := config.Limits{
		HandshakeTimeout: 1 * time.Second, BodyTimeout: 2 * time.Second, IdleTimeout: 3 * time.Second, TLSTimeout: 4 * time.Second,
		MaxHead: 2048, OutboxTimeout: 8 * time.Second, OutboxBytes: 5000, TotalOutboxBytes: 6000, MaxMessageSize: 7000,
		MaxConnections: 8, MaxConnectionsPerAddress: 9, MaxSubscriptions: 10, SubscriptionBytes: 11,
	}
	if c.Server.Limits != wantLimits {
		t.Errorf("Limits = %+v, want %+v", c.Server.Limits, wantLimits)
	}

	rules := config.ProfileRules(config.ProfilePusher)
	rules.MaxBatch, rules.ErrorObject = 0, false
	first := &config.App{
		ID: "123", Key: "key1", Secret: "secret1", Profile: "pusher",
		AllowedOrigins: []string{"*.example.com"}, PingInterval: 11 * time.Second, ActivityTimeout: 12,
		MaxConnections: 13, AcceptClientEventsFrom: "none", CacheBytes: 14, ClientCacheBytes: 15,
		RateLimit: config.RateLimit{Enabled: true, MaxAttempts: 14, Decay: 15 * time.Second, TerminateOnLimit: true},
		Rules:     rules,
	}
	second := config.NewApp("two", "key2", "secret2")
	second.Rules.MaxUserID = 16
	second.MaxMessageSize = 7000 // the default follows a lower ceiling
	if want := (config.Apps{first, second}); !reflect.DeepEqual(c.Apps, want) {
		t.Errorf("Apps = %+v, %+v\nwant %+v, %+v", c.Apps[0], c.Apps[1], want[0], want[1])
	}
	if c.Apps.ByID("123") != c.Apps[0] || c.Apps.ByKey("key2") != c.Apps[1] || c.Apps.ByID("0123") != nil || c.Apps.ByKey("") != nil {
		t.Error("ByID or ByKey finds another app than the one named")
	}

	wantScaling := config.Scaling{
		Enabled: true, Mode: "reverb", Channel: "c", TerminatePHPNodes: true,
		Lease: 21 * time.Second, Grace: 22 * time.Second, Linger: 23 * time.Second, CacheTTL: 24 * time.Second,
		QueryTimeout: 25 * time.Second, BufferBytes: 26000, BufferAge: 27 * time.Second,
		Redis: config.Redis{
			Host: "redis.example", Port: 6380, Username: "u", Password: "p", Database: "2", Encrypted: true, Timeout: 17 * time.Second,
			Prefix: "site",
			Sentinel: config.Sentinel{
				Master: "mymaster", Nodes: []string{"s1:26379", "s2:26379"}, Username: "su", Password: "sp", Encrypted: true,
			},
			TLS: config.RedisTLS{CA: "ca.pem", Cert: "cert.pem", Key: "key.pem", ServerName: "redis.internal", Insecure: true},
		},
	}
	if !reflect.DeepEqual(c.Scaling, wantScaling) {
		t.Errorf("Scaling = %+v, want %+v", c.Scaling, wantScaling)
	}
	if c.Server.Port != 9000 || c.Server.Address() != "127.0.0.1:9000" || c.Server.DrainTimeout != 0 || c.Metrics.Path != "/m" {
		t.Errorf("Server = %+v, Metrics = %+v", c.Server, c.Metrics)
	}
}

// Each case is wrong in one way. want is the error line after the file's name.
func TestRefusedFiles(t *testing.T) {
	cases := map[string]struct{ file, want string }{
		"wrong type":           {"[server]\nhost = 5", `:2: server.host = 5: want a non-empty string`},
		"number as text":       {"[server]\n\nmax_request_size = \"9\"", `:3: server.max_request_size = "9": want a whole number of bytes from 1 to 1073741824`},
		"fraction":             {"[server]\ndrain_timeout = 1.5", `:2: server.drain_timeout = 1.5: want a whole number of seconds from 0 to 86400`},
		"port too high":        {"[server]\nport = 65536", `:2: server.port = 65536: want a whole number from 0 to 65535`},
		"port negative":        {"[server]\nport = -1", `:2: server.port = -1: want a whole number from 0 to 65535`},
		"boolean":              {"[scaling]\nenabled = 1", `:2: scaling.enabled = 1: want true or false`},
		"word":                 {"[scaling]\nmode = \"x\"", `:2: scaling.mode = "x": want one of "native", "reverb"`},
		"list":                 {"[server]\ncors_origins = [\"a\", 1]", `:2: server.cors_origins = [a 1]: want a list of non-empty strings`},
		"control character":    {"[server]\nhostname = \"a\\u0001\"", `:2: server.hostname = "a\x01": want a string`},
		"unknown key":          {"[metrics]\nport = 1", `:2: metrics.port: unknown key: want one of listen, path`},
		"key of a table below": {"[server]\noutbox_bytes = 1", `:2: server.outbox_bytes: unknown key, did you mean server.limits.outbox_bytes? want one of host,`},
		"mistyped table":       {"[scalling]\nenabled = true", `:1: scalling: unknown key, did you mean scaling? want one of server,`},
		"unknown table":        {"[webhooks]\nurl = \"x\"", `:1: webhooks: unknown key: want one of server, scaling, log, metrics, dashboard, laravel, database, pulse, apps`},
		"dotted unknown":       {"server.limits.max = 1", `:1: server.limits.max: unknown key: want one of handshake_timeout,`},
		"unknown app key":      {"[[apps]]\n[[apps]]\nname = 1", `:3: apps[1].name: unknown key: want one of app_id, key, secret, previous_keys, previous_secrets, profile,`},
		"value for table":      {"server = 1", `:1: server: want a table, written [server]`},
		"table for value":      {"[server.host]\nx = 1", `:1: server.host = a table: want a non-empty string`},
		"single apps":          {"[apps]\nkey = \"k\"", `:1: apps: want an array of tables, written [[apps]]`},
		"apps of words":        {"apps = [\"a\"]", `:1: apps: want tables only, written [[apps]]`},
		"profile":              {"[[apps]]\nprofile = \"soketi\"", `:2: apps[0].profile = "soketi": want one of "reverb", "pusher"`},
		"ping of zero":         {"[[apps]]\nping_interval = 0", `:2: apps[0].ping_interval = 0: want a whole number of seconds from 1 to 86400`},
		"inline apps":          {"apps = [\n  {app_id = 1},\n  {ping_interval = 0}]", `:3: apps[1].ping_interval = 0: want a whole number`},
		"key without cert":     {"[server.tls]\nkey = \"k\"", `:2: server.tls.key: want server.tls.cert too`},
		"path":                 {"[server]\npath = \"a b\"", `:2: server.path = "a b": want segments of letters, digits and - . _ ~`},
		"path with pattern":    {"[server]\npath = \"{x}\"", `:2: server.path = "{x}": want segments`},
		"path upwards":         {"[server]\npath = \"a/../b\"", `:2: server.path = "a/../b": want segments`},
		"proxy":                {"[server]\ntrusted_proxies = [\"10.0.0.1\", \"proxy\"]", `:2: server.trusted_proxies has "proxy": want an address or a network`},
		"proxy everywhere":     {"[server]\ntrusted_proxies = [\"::/0\"]", `:2: server.trusted_proxies has "::/0": want`},
		"proxy of two kinds":   {"[server]\ntrusted_proxies = [\"::ffff:10.0.0.0/104\"]", `:2: server.trusted_proxies has "::ffff:10.0.0.0/104": want`},
		"protocol of nobody":   {"[server]\nproxy_protocol = true", `:2: server.proxy_protocol: want server.trusted_proxies too`},
		"host":                 {"[server]\nhost = \"http://x\"", `:2: server.host = "http://x": want an address`},
		"outboxes":             {"[server.limits]\noutbox_bytes = 6000\ntotal_outbox_bytes = 5000", `:3: server.limits.total_outbox_bytes = 5000: want at least server.limits.outbox_bytes, which is 6000`},
		"message over limit":   {"[[apps]]\nmax_message_size = 16777217", `:2: apps[0].max_message_size = 16777217: want at most server.limits.max_message_size, which is 16777216`},
		"missing credentials":  {"[server]\n[[apps]]\nkey = \"k\"\nsecret = \"s\"", `:2: apps[0].app_id: is missing: want a non-empty string here or in REVERB_APP_ID`},
		"key in a URL":         {"[[apps]]\nkey = \"a/b\"", `:2: apps[0].key = "a/b": want letters, digits and - . _ ~`},
		"same id":              {oneApp + strings.Replace(oneApp, `"k"`, `"k2"`, 1), `:6: apps[1].app_id = "1": want another than apps[0] has`},
		"same key":             {oneApp + strings.Replace(oneApp, `"1"`, `"2"`, 1), `:7: apps[1].key = "k": want another than apps[0] has`},
		"redis url":            {"[scaling.redis]\nurl = \"http://:pw@h\"", `:2: scaling.redis.url: want redis://user:password@host:port/database`},
		"redis database":       {"[scaling.redis]\ndatabase = \"a\"", `:2: scaling.redis.database = "a": want a whole number from 0`},
		"metrics address":      {"[metrics]\nlisten = \"9090\"", `:2: metrics.listen = "9090": want host:port`},
		"metrics path":         {"[metrics]\npath = \"m\"", `:2: metrics.path = "m": want a path that begins with /`},
		"long socket":          {"[server]\ncontrol_socket = \"" + strings.Repeat("x", 105) + "\"", `:2: server.control_socket: want a path of at most 104 bytes`},
		"syntax":               {"[server]\nport = = 1", `:2: `},
		"key written twice":    {"[server]\nport = 1\nport = 2", `:3: `},
		"nesting":              {"a = " + strings.Repeat("[", 300), `: brackets are nested deeper than 200`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := source(t, tc.file)
			_, err := config.Load(s)
			if err == nil {
				t.Fatalf("no error for\n%s", tc.file)
			}
			if want := s.File + tc.want; !strings.Contains("\n"+err.Error(), "\n"+want) {
				t.Errorf("error:\n%v\nwant a line that begins with\n%s", err, want)
			}
		})
	}
}

func TestAllProblemsAtOnceInOrder(t *testing.T) {
	s := source(t, "[server]\nport = 70000\nhots = 1\nhost = 1\n[[apps]]\nkey = \"k\"\nping_interval = 0\n[scaling]\nenabled = \"yes\"\n",
		"REVERB_SERVER_PORT=eighty")
	s.EnvFile = write(t, "site.env", "A=b\nREVERB_APP_MAX_CONNECTIONS=-4\nB=two words\n")
	s.Flags = map[string]string{"port": "x"}
	_, err := config.Load(s)
	want := []string{
		s.File + `:7: apps[0].ping_interval = 0: want a whole number of seconds from 1 to 86400`,
		s.File + `:2: server.port = 70000: want a whole number from 0 to 65535`,
		s.File + `:3: server.hots: unknown key, did you mean host? want one of host, port, path, hostname, max_request_size, predrain, drain_timeout, ` +
			`auth_timestamp_tolerance, cors_origins, trusted_proxies, proxy_protocol, watch, control_socket, tls, limits`,
		s.File + `:4: server.host = 1: want a non-empty string`,
		s.File + `:9: scaling.enabled = "yes": want true or false`,
		s.EnvFile + `:3: a value with spaces must stand in quotes`,
		`environment: REVERB_SERVER_PORT = "eighty" (server.port): want a whole number from 0 to 65535`,
		s.EnvFile + `:2: REVERB_APP_MAX_CONNECTIONS = "-4" (apps[0].max_connections): want a whole number from 0 to 2147483647`,
		`command line: --port = "x" (server.port): want a whole number from 0 to 65535`,
		s.File + `:5: apps[0].app_id: is missing: want a non-empty string here or in REVERB_APP_ID`,
		s.File + `:5: apps[0].secret: is missing: want a non-empty string here or in REVERB_APP_SECRET`,
	}
	if got := strings.Split(err.Error(), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("errors:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestErrorsNeverTellASecret(t *testing.T) {
	const pw = "s3cr3t"
	for _, file := range []string{
		"[[apps]]\nsecret = [\"" + pw + "\"]",
		"[[apps]]\nsecret = " + pw,
		"[[apps]]\nsecret = {a = \"" + pw + "\"}",
		"[scaling.redis]\npassword = [\"" + pw + "\"]",
		"[scaling.redis]\nurl = \"http://u:" + pw + "@h\"",
		"[scaling.redis]\nurl = \"redis://u:" + pw + "@h:x\"",
		"[server.tls]\npassphrase = {p = \"" + pw + "\"}",
		"apps = [\"" + pw + "\"]",
	} {
		_, err := config.Load(source(t, file))
		if err == nil || strings.Contains(err.Error(), pw) {
			t.Errorf("error %v\nfor %s", err, file)
		}
	}
}

// A file that bounds what waits for all clients need not bound what waits for one.
func TestBoundOfOneOutboxFollowsThatOfAll(t *testing.T) {
	limits := load(t, oneApp+"[server.limits]\ntotal_outbox_bytes = 8388608\n").Server.Limits
	if limits.OutboxBytes != 8<<20 || limits.TotalOutboxBytes != 8<<20 {
		t.Errorf("%d bytes for one, %d for all, want %d for both", limits.OutboxBytes, limits.TotalOutboxBytes, 8<<20)
	}
}

func TestMissingFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := config.Load(config.Source{Environ: credentials}); err != nil {
		t.Errorf("files that nobody named are required: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "none")
	for _, s := range []config.Source{{File: missing}, {EnvFile: missing}} {
		s.Environ = credentials
		if _, err := config.Load(s); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("Load(%+v) = %v, want an error that names the file", s, err)
		}
	}
	s := config.Source{File: write(t, "big", strings.Repeat("#", 1<<20+1)), Environ: credentials}
	if _, err := config.Load(s); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a file of over 1 MiB: %v", err)
	}
}

func FuzzConfigFile(f *testing.F) {
	f.Add(everything)
	f.Add(oneApp)
	f.Add("apps = [{app_id = 1, key = 'k', secret = '''s''', rate_limiting.enabled = true}]\nserver.\"port\" = 0x10\n")
	f.Add("[server]\nhost = \"\"\"\na\\\n  b\"\"\"\"\"\n[scaling.redis]\nurl = \"rediss://u:p@h/1\"")
	dir := f.TempDir()
	env := write(f, ".env", "")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return
		}
		config.KeyLinesForTest(text)
		file := filepath.Join(dir, "config.toml")
		overwrite(t, file, text)
		c, err := config.Load(config.Source{File: file, EnvFile: env})
		if (c == nil) == (err == nil) {
			t.Fatalf("Load = %v, %v", c, err)
		}
		if c != nil {
			c.Effective()
		}
	})
}
