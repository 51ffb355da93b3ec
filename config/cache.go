package config

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Cache is the part of the table [laravel] about the default cache store of the site, where `php artisan
// reverb:restart` leaves its signal.
type Cache struct {
	Store           string // one of the constants below; "" = none that can be looked at
	Prefix          string // of the keys in Redis or the table; follows from Laravel.Name: "laravel-cache-"
	Path            string // folder of CacheFile; "" = storage/framework/cache/data beside .env
	Table           string // of CacheDatabase; "cache"
	Connection      string // the site's name of the database connection of CacheDatabase; "" = the default one
	RedisConnection string // the site's name of the Redis connection of CacheRedis; "cache"
	Signal          bool   // the signal ends the server; true

	// Follow from these and the tables [database] and [scaling.redis], when there is a store.
	RedisPrefixes []string // of all keys in Redis: one, or the possible ones
	Prefixes      []string // of the keys of the cache likewise
	Redis         Redis
	Database      Database
	Trouble       string // why the store of .env cannot be looked at; ""
	Other         string // the store of .env, when it is none that we know; "" = it is one
}

// The values of Cache.Store, as CACHE_STORE has them.
const (
	CacheRedis    = "redis"
	CacheFile     = "file"
	CacheDatabase = "database"
)

// wants reports whether the file names this store. One that only .env names is looked at too, but what is wrong with it
// then ends no start: the site has the variable for itself.
func (c *Cache) wants(l *loader, store string) bool {
	return c.Signal && c.Store == store && l.originOf("laravel.cache_store").name == ""
}

// checkCache must come before checkLaravel, which writes down the prefix that it derives.
func (ru rules) checkCache() {
	c := &ru.cfg.Laravel.Cache
	const prefix, store = "laravel.cache_prefix", "laravel.cache_store"
	c.Prefixes = ru.prefixes(prefix, c.Prefix, "cache")
	if o, named := ru.cfg.origins["laravel.name"]; named && len(c.Prefixes) != 1 {
		c.Prefix = ""
		if len(c.Prefixes) > 0 {
			c.Prefix = c.Prefixes[0]
		} else {
			o = unknown
		}
		ru.cfg.origins[prefix] = o
	}
	if _, said := ru.cfg.origins[store]; !said && ru.site {
		c.Store, ru.cfg.origins[store] = CacheDatabase, origin{place: "Laravel's default", name: "CACHE_STORE"}
	}
	if !c.Signal || c.Store == "" {
		c.Prefixes = nil
		if c.Other != "" {
			c.Trouble = "a signal in this store cannot be heard; it can in redis, file and database"
		}
		return
	}
	switch c.Store {
	case CacheFile:
		if c.Path == "" {
			c.Path = filepath.Join("storage", "framework", "cache", "data")
		}
		c.Path, c.Prefixes = ru.inSite(c.Path), nil
		return
	case CacheRedis:
		ru.checkRedisCache(c)
	case CacheDatabase:
		ru.checkDatabaseCache(c)
	}
	if len(c.Prefixes) == 0 || c.Store == CacheRedis && len(c.RedisPrefixes) == 0 {
		ru.cacheTrouble(c, "laravel.name", "the prefixes cannot be derived from its letters: "+
			"it needs laravel.cache_prefix (CACHE_PREFIX), and laravel.redis_prefix (REDIS_PREFIX) with Redis")
	}
}

func (ru rules) checkRedisCache(c *Cache) {
	c.RedisPrefixes = ru.prefixes("laravel.redis_prefix", ru.cfg.Laravel.RedisPrefix, "database")
	c.Redis = ru.cfg.Scaling.Redis
	switch c.RedisConnection {
	case "cache":
		c.Redis.Database = ru.redisCacheDatabase()
	case "default":
	default:
		ru.cacheTrouble(c, "laravel.redis_cache_connection", `the Redis connection must be "cache" or "default", and is `+shown(c.RedisConnection))
	}
}

// redisCacheDatabase is the number of the database of the site's Redis connection
// "cache". The connection has the URL of the others, and a number in that wins.
func (ru rules) redisCacheDatabase() string {
	o := ru.cfg.origins["laravel.redis_cache_db"]
	if number := ru.cfg.Scaling.Redis.urlDatabase(); number != "" && (o == origin{} || o.name != "") {
		ru.cfg.Laravel.RedisCacheDB = number // what `reverb check` shows is in force
		ru.cfg.origins["laravel.redis_cache_db"] = ru.originOf("scaling.redis.url")
	}
	return ru.cfg.Laravel.RedisCacheDB
}

func (ru rules) checkDatabaseCache(c *Cache) {
	c.Database = ru.cfg.Database
	path := "database.driver"
	if c.Connection != "" {
		path, c.Database.Driver = "laravel.cache_connection", c.Connection
	}
	switch {
	case !ru.resolve(&c.Database), !slices.Contains(drivers, c.Database.Driver):
		ru.cacheTrouble(c, path, "it needs a connection that is one of "+strings.Join(drivers, ", "))
	case c.Database.Driver == DriverSQLite && strings.HasPrefix(c.Database.Name, ":memory:"):
		ru.cacheTrouble(c, "database.name", "a database in the memory of PHP cannot be read from outside")
	}
}

// cacheTrouble is an error when somebody asked for the store, else a reason to do without.
func (ru rules) cacheTrouble(c *Cache, path, text string) {
	if c.wants(ru.loader, c.Store) {
		ru.fail(path, ": laravel.cache_store = %s: %s", shown(c.Store), text)
		return
	}
	c.Trouble = text
}

// prefixes are what a written prefix is, or what the skeletons of Laravel 12 and 11 make of the name: none when that is
// not known.
func (ru rules) prefixes(path, written, word string) []string {
	if _, ok := ru.cfg.origins[path]; ok {
		return []string{written}
	}
	name, exact := slug(ru.cfg.Laravel.Name)
	if !exact {
		return nil
	}
	return []string{name + "-" + word + "-", strings.ReplaceAll(name, "-", "_") + "_" + word + "_"}
}

// storeSetting is a store that can be looked at, or none. A variable may name any store: the site has it for itself.
type storeSetting struct {
	textSetting
	other *string
}

func storeOf(c *Cache) setting {
	return storeSetting{oneOf(&c.Store, CacheRedis, CacheFile, CacheDatabase), &c.Other}
}

func (s storeSetting) setBlank() bool { *s.p, *s.other = "", ""; return true }

func (s storeSetting) setFile(v any) bool {
	if v == "" {
		return s.setBlank()
	}
	return s.textSetting.setFile(v)
}

func (s storeSetting) setText(text string) bool {
	_ = s.setBlank()
	if !s.textSetting.setText(text) && isPrintable(text) {
		*s.other = text
	}
	return isPrintable(text)
}

func (s storeSetting) allowed() bool { return *s.p == "" || s.textSetting.allowed() }

func (s storeSetting) want() string { return s.textSetting.want() + `, or ""` }

func (s storeSetting) String() string { return strconv.Quote(*s.p + *s.other) }
