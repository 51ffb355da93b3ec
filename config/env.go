package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"reverb/internal/nearest"
)

// envTable maps the variables of Laravel Reverb to keys; envApp decides which app REVERB_APP_* describes. A variable
// that turns something on comes before the variables that count only then, see isIdle.
var envTable = []struct{ name, key string }{
	{"REVERB_SERVER_HOST", "server.host"},
	{"REVERB_SERVER_PORT", "server.port"},
	{"REVERB_SERVER_PATH", "server.path"},
	{"REVERB_HOST", "server.hostname"},
	{"REVERB_MAX_REQUEST_SIZE", "server.max_request_size"},

	{"REVERB_LOG_LEVEL", "log.level"},   // ours
	{"REVERB_LOG_FORMAT", "log.format"}, // ours

	{"REVERB_APP_ID", "apps.app_id"},
	{"REVERB_APP_KEY", "apps.key"},
	{"REVERB_APP_SECRET", "apps.secret"},
	{"REVERB_APP_PREVIOUS_KEYS", "apps.previous_keys"},       // ours; as APP_PREVIOUS_KEYS of Laravel
	{"REVERB_APP_PREVIOUS_SECRETS", "apps.previous_secrets"}, // ours
	{"REVERB_APP_PING_INTERVAL", "apps.ping_interval"},
	{"REVERB_APP_ACTIVITY_TIMEOUT", "apps.activity_timeout"},
	{"REVERB_APP_MAX_CONNECTIONS", "apps.max_connections"},
	{"REVERB_APP_MAX_MESSAGE_SIZE", "apps.max_message_size"},
	{"REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM", "apps.accept_client_events_from"},
	{"REVERB_APP_RATE_LIMITING_ENABLED", "apps.rate_limiting.enabled"},
	{"REVERB_APP_RATE_LIMIT_MAX_ATTEMPTS", "apps.rate_limiting.max_attempts"},
	{"REVERB_APP_RATE_LIMIT_DECAY_SECONDS", "apps.rate_limiting.decay_seconds"},
	{"REVERB_APP_RATE_LIMIT_TERMINATE", "apps.rate_limiting.terminate_on_limit"},

	{"PULSE_ENABLED", "pulse.enabled"},
	{"PULSE_INGEST_DRIVER", "pulse.driver"},
	{"REVERB_PULSE_INGEST_INTERVAL", "pulse.interval"},
	{"PULSE_DB_CONNECTION", "pulse.connection"},
	{"PULSE_REDIS_CONNECTION", "pulse.redis_connection"},
	{"APP_NAME", "laravel.name"},
	{"REDIS_PREFIX", "laravel.redis_prefix"},
	{"REDIS_CACHE_DB", "laravel.redis_cache_db"},
	{"REDIS_CACHE_CONNECTION", "laravel.redis_cache_connection"},
	{"CACHE_DRIVER", "laravel.cache_store"}, // before Laravel 11
	{"CACHE_STORE", "laravel.cache_store"},
	{"CACHE_PREFIX", "laravel.cache_prefix"},
	{"DB_CACHE_TABLE", "laravel.cache_table"},
	{"DB_CACHE_CONNECTION", "laravel.cache_connection"},
	{"DATABASE_URL", "database.url"}, // before Laravel 11
	{"DB_URL", "database.url"},
	{"DB_CONNECTION", "database.driver"},
	{"DB_HOST", "database.host"},
	{"DB_PORT", "database.port"},
	{"DB_SOCKET", "database.socket"},
	{"DB_DATABASE", "database.name"},
	{"DB_USERNAME", "database.username"},
	{"DB_PASSWORD", "database.password"},
	{"DB_PREFIX", "database.prefix"},
	{"DB_SSLMODE", "database.sslmode"},
	{"MYSQL_ATTR_SSL_CA", "database.ca"},

	{"REVERB_SCALING_ENABLED", "scaling.enabled"},
	{"REVERB_SCALING_CHANNEL", "scaling.channel"},
	{"REDIS_URL", "scaling.redis.url"},
	{"REDIS_HOST", "scaling.redis.host"},
	{"REDIS_PORT", "scaling.redis.port"},
	{"REDIS_PATH", "scaling.redis.path"},
	{"REDIS_USERNAME", "scaling.redis.username"},
	{"REDIS_PASSWORD", "scaling.redis.password"},
	{"REDIS_DB", "scaling.redis.database"},
	{"REDIS_TIMEOUT", "scaling.redis.timeout"},
}

// envIgnored are the variables of Reverb that only Laravel itself reads: the
// driver's name, the address its broadcaster calls, and its monitoring.
var envIgnored = []string{
	"REVERB_SERVER",
	"REVERB_PORT",
	"REVERB_SCHEME",
	"REVERB_TELESCOPE_INGEST_INTERVAL",
}

// variableOf is the variable of a key.
func variableOf(key string) string {
	for _, e := range envTable {
		if e.key == key {
			return e.name
		}
	}
	return ""
}

// readEnv applies .env and, over it, the environment.
func (l *loader) readEnv(s Source) {
	vars := l.variables(s)
	for _, name := range []string{"APP_KEY", "APP_NAME", "APP_URL"} {
		l.site = l.site || vars[name].value != ""
	}
	app, at := l.envApp(vars)
	for _, e := range envTable {
		v, ok := vars[e.name]
		if !ok {
			continue
		}
		path := e.key
		if rest, ok := strings.CutPrefix(e.key, "apps."); ok {
			path = join(at, rest)
		}
		set, secret, ok := l.find(e.key, app)
		if !ok {
			continue // an option, and no app to have it
		}
		l.writeVariable(v, path, set, secret)
	}
	l.cfg.slips = slips(vars)
}

// ownPrefix begins the names of Reverb's variables.
const ownPrefix = "REVERB_"

// slips are the variables that look like a known one that was mistyped. A variable that is like none is somebody else's.
func slips(vars map[string]variable) []Slip {
	var known []string
	for _, e := range envTable {
		known = append(known, e.name)
	}
	known = append(known, envIgnored...)
	var found []Slip
	for name, v := range vars {
		if !strings.HasPrefix(name, ownPrefix) || slices.Contains(known, name) {
			continue
		}
		if meant := nearest.Slip(name, known); meant != "" {
			found = append(found, Slip{Name: name, Meant: meant, Place: v.origin.String()})
		}
	}
	slices.SortFunc(found, func(a, b Slip) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// Slip is a variable that nothing reads.
type Slip struct {
	Name  string
	Meant string // the known variable that it is most like
	Place string // file and line, or the environment
}

func (s Slip) String() string {
	return s.Place + ": " + s.Name + " is not read. Did you mean " + s.Meant + "?"
}

// Slips are the variables of .env and the environment that look like mistyped names of Reverb's, by name.
func (c *Config) Slips() []Slip { return c.slips }

// writeVariable applies one variable. What is wrong with REDIS_* or DB_* does not
// count while nothing here uses them: a site has them for itself.
func (l *loader) writeVariable(v variable, path string, set setting, secret bool) {
	value, null := laravelWord(v.value)
	blank := null || value == ""
	if store, ok := set.(storeSetting); ok && null {
		blank, value = !store.setText("null"), "null" // Laravel's store that keeps nothing
	}
	switch {
	case blank && set.setBlank(), !blank && set.setText(value):
		l.cfg.origins[path] = v.origin
	case blank, l.isIdle(v.origin):
	default:
		l.refuse(v.origin, path, secret, value, set.want())
	}
}

// isIdle reports whether an origin is a variable that Laravel has for itself
// and nobody here uses.
func (l *loader) isIdle(o origin) bool {
	p, cache := &l.cfg.Pulse, &l.cfg.Laravel.Cache
	prefix, _, _ := strings.Cut(o.name, "_")
	switch {
	case prefix == "CACHE", o.name == "DB_CACHE_TABLE", o.name == "DB_CACHE_CONNECTION", o.name == "REDIS_CACHE_CONNECTION":
		return true // the stores of a site are more than those that hold a signal
	case o.name == "REDIS_PREFIX", o.name == "REDIS_CACHE_DB", o.name == "PULSE_REDIS_CONNECTION", prefix == "APP":
		return !p.writesTo(PulseRedis) && !cache.wants(l, CacheRedis)
	case prefix == "REDIS":
		return !l.cfg.Scaling.Enabled && !p.writesTo(PulseRedis) && !cache.wants(l, CacheRedis)
	case prefix == "DB", prefix == "DATABASE", prefix == "MYSQL", o.name == "PULSE_DB_CONNECTION":
		return !p.writesTo(PulseStorage) && !cache.wants(l, CacheDatabase)
	case o.name == "PULSE_INGEST_DRIVER", o.name == "REVERB_PULSE_INGEST_INTERVAL":
		return !p.Enabled
	}
	return false
}

// variables are all that are set anywhere. A variable of
// the environment hides that of the file even when it is empty, as in Laravel.
func (l *loader) variables(s Source) map[string]variable {
	environ := map[string]string{}
	for _, pair := range s.Environ {
		name, value, _ := strings.Cut(pair, "=")
		if _, ok := environ[name]; !ok {
			environ[name] = value
		}
	}
	lines := map[string]dotenvLine{}
	text, file, ok := l.readText(s.EnvFile, l.siteFile(environ["APP_ENV"]))
	l.envFile = file
	if ok {
		l.cfg.from.EnvFile = file
		lookup := func(name string) (string, bool) {
			value, ok := environ[name]
			return value, ok
		}
		lines = dotenv(text, lookup, func(line int, err error) {
			l.report(origin{place: file, line: line}, "", "%s", err)
		})
	}
	vars := make(map[string]variable, len(environ)+len(lines))
	for name, v := range lines {
		vars[name] = variable{v.value, origin{place: file, line: v.line, name: name}}
	}
	for name, value := range environ {
		vars[name] = variable{value, origin{place: "environment", name: name}}
	}
	return vars
}

// siteFile is the .env that Laravel takes: one of its own for APP_ENV, when that
// is in the environment and the file is there. (LoadEnvironmentVariables)
func (l *loader) siteFile(env string) string {
	const plain = ".env"
	name, _ := laravelWord(env)
	if name == "" || strings.ContainsRune(name, filepath.Separator) {
		return plain
	}
	info, err := os.Stat(filepath.Join(l.dir, plain+"."+name))
	if err != nil || info.IsDir() {
		return plain
	}
	return plain + "." + name
}

// inSite is a path as PHP finds it from the folder of the site, that of .env.
func (l *loader) inSite(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	folder := filepath.Dir(l.envFile)
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(l.cfg.from.dir, folder)
	}
	return filepath.Join(folder, path)
}

// resolve is d.resolve, with the file of SQLite where the site has it.
func (l *loader) resolve(d *Database) bool {
	if !d.resolve() {
		return false
	}
	if d.Driver == DriverSQLite && !strings.HasPrefix(d.Name, ":memory:") {
		d.Name = l.inSite(d.Name)
	}
	return true
}

// envApp is the app that REVERB_APP_* is about and its path: the app of the
// file with that id, else with that key, else the first one. Without an app in
// the file, credentials make one; without credentials there is none.
func (l *loader) envApp(vars map[string]variable) (*App, string) {
	text := func(name string) string {
		value, _ := laravelWord(vars[name].value)
		return value
	}
	id, key := text("REVERB_APP_ID"), text("REVERB_APP_KEY")
	for i, app := range l.cfg.Apps {
		if id != "" && app.ID == id {
			return app, element("apps", i)
		}
	}
	for i, app := range l.cfg.Apps {
		if key != "" && app.Key == key {
			return app, element("apps", i)
		}
	}
	if len(l.cfg.Apps) == 0 {
		if id+key+text("REVERB_APP_SECRET") == "" {
			return nil, ""
		}
		l.cfg.Apps = Apps{NewApp("", "", "")}
		for _, name := range []string{"REVERB_APP_ID", "REVERB_APP_KEY", "REVERB_APP_SECRET"} {
			if v, ok := vars[name]; ok {
				l.cfg.origins[element("apps", 0)] = v.origin
			}
		}
	}
	return l.cfg.Apps[0], element("apps", 0)
}

// laravelWord is what Laravel's env() makes of a value: the words null and
// empty, also in parentheses, are no text, and a second pair of quotes is taken
// off. The words true and false stay, every boolean key knows them.
func laravelWord(s string) (value string, null bool) {
	switch strings.ToLower(s) {
	case "null", "(null)":
		return "", true
	case "empty", "(empty)":
		return "", false
	case "(true)":
		return "true", false
	case "(false)":
		return "false", false
	}
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1], false
	}
	return s, false
}
