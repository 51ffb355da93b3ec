package config

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Pulse is the table [pulse]: the counts of the messages card of Laravel Pulse.
type Pulse struct {
	Enabled     bool          // false
	Driver      string        // PulseStorage or PulseRedis; "storage"
	Interval    time.Duration // between two writes; 15 s
	SampleRate  float64       // part of the messages that is counted, as in config/pulse.php of the site; 1
	Connection  string        // the site's name of the database connection; "" = Database.Driver
	DatabaseURL string        // wins over the table [database]; ""

	RedisConnection string // the site's name of the Redis connection; "default"
	RedisDatabase   string // its number; "" = by RedisConnection

	// Follow from these and the tables [database], [scaling.redis] and [laravel].
	Database Database
	Redis    Redis
}

// The values of Pulse.Driver, as PULSE_INGEST_DRIVER has them.
const (
	PulseStorage = "storage" // the counts go to the database
	PulseRedis   = "redis"   // they go to the stream that `php artisan pulse:work` reads
)

// writesTo reports whether the counts go to a place of this kind.
func (p *Pulse) writesTo(driver string) bool { return p.Enabled && p.Driver == driver }

func (ru rules) checkPulse() {
	p := &ru.cfg.Pulse
	switch {
	case p.writesTo(PulseStorage):
		ru.checkPulseDatabase(p)
	case p.writesTo(PulseRedis):
		ru.checkPulseRedis(p)
	}
}

func (ru rules) checkPulseDatabase(p *Pulse) {
	p.Database = ru.cfg.Database
	path, at := "database.url", "database.driver"
	if p.DatabaseURL != "" {
		path = "pulse.database_url"
		p.Database.URL = p.DatabaseURL
	} else if p.Connection != "" {
		at = "pulse.connection"
		p.Database.Driver = p.Connection
	}
	if !ru.resolve(&p.Database) {
		ru.fail(path, ": want driver://user:password@host:port/database, driver being one of %s", strings.Join(drivers, ", "))
		return
	}
	if !slices.Contains(drivers, p.Database.Driver) {
		ru.fail(at, " = %s: want one of %s; how to reach another connection of the site can be said with pulse.database_url",
			shown(p.Database.Driver), strings.Join(drivers, ", "))
	}
}

func (ru rules) checkPulseRedis(p *Pulse) {
	p.Redis = ru.cfg.Scaling.Redis
	switch {
	case p.RedisDatabase != "":
		p.Redis.Database = p.RedisDatabase
	case p.RedisConnection == "cache":
		p.Redis.Database = ru.redisCacheDatabase()
	case p.RedisConnection != "default":
		ru.fail("pulse.redis_connection", " = %s: want \"default\" or \"cache\", or its number in pulse.redis_database", shown(p.RedisConnection))
	}
	if !isDigits(p.Redis.Database) {
		ru.fail("pulse.redis_database", " = %s: want a whole number from 0", shown(p.Redis.Database))
	}
	if name := ru.cfg.Laravel.Name; ru.originOf("laravel.redis_prefix") == unknown {
		ru.fail("laravel.name", " = %s: want laravel.redis_prefix (REDIS_PREFIX) too, it cannot be derived from these letters", shown(name))
	}
}

// rateSetting is a part of a whole: above 0, at most 1.
type rateSetting struct{ p *float64 }

func (r rateSetting) setFile(v any) bool {
	switch v := v.(type) {
	case float64:
		return r.set(v)
	case int64:
		return r.set(float64(v))
	}
	return false
}

func (r rateSetting) setText(s string) bool {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return err == nil && r.set(f)
}

func (r rateSetting) setBlank() bool { return false }

func (r rateSetting) set(f float64) bool {
	ok := isRate(f)
	if ok {
		*r.p = f
	}
	return ok
}

func isRate(f float64) bool { return !math.IsNaN(f) && f > 0 && f <= 1 }

func (r rateSetting) allowed() bool { return isRate(*r.p) }

func (r rateSetting) want() string { return "a number above 0, at most 1" }

func (r rateSetting) String() string { return strconv.FormatFloat(*r.p, 'f', -1, 64) }
