package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// Cache is the part of the table [laravel] about the default cache store of the site, where `php artisan reverb:restart` leaves its signal.
type Cache struct {
	Store  string // one of the constants below; "" = none that can be looked at
	Prefix string // of the keys in Redis or the table; follows from Laravel.Name: "laravel-cache-"
	Path   string // folder of CacheFile; "" = storage/framework/cache/data beside .env
	Table  string // of CacheDatabase; "cache"
	Signal bool   // the signal ends the server; true

	// Follow from these and the tables [database] and [scaling.redis], when there is a store.
	RedisPrefixes []string // of all keys in Redis: one, or the possible ones
	Prefixes      []string // of the keys of the cache likewise
	Redis         Redis
	Database      Database
	Trouble       string // why the store of .env cannot be looked at; ""
}

// The values of Cache.Store, as CACHE_STORE has them.
const (
	CacheRedis    = "redis"
	CacheFile     = "file"
	CacheDatabase = "database"
)

// wants reports whether the file names this store. One that only .env names is looked at too, but what is wrong with it then ends no start:
// the site has the variable for itself.
func (c *Cache) wants(l *loader, store string) bool {
	return c.Signal && c.Store == store && l.originOf("laravel.cache_store").name == ""
}

// checkCache must come before checkLaravel, which writes down the prefix that it derives.
func (l *loader) checkCache() {
	c := &l.cfg.Laravel.Cache
	const prefix = "laravel.cache_prefix"
	c.Prefixes = l.prefixes(prefix, c.Prefix, "cache")
	if o, named := l.cfg.origins["laravel.name"]; named && len(c.Prefixes) > 1 {
		c.Prefix = c.Prefixes[0]
		l.cfg.origins[prefix] = o
	}
	if !c.Signal || c.Store == "" {
		c.Prefixes = nil
		return
	}
	switch c.Store {
	case CacheFile:
		if c.Path == "" {
			c.Path = filepath.Join(filepath.Dir(l.envFile), "storage", "framework", "cache", "data")
		}
		c.Prefixes = nil
		return
	case CacheRedis:
		c.RedisPrefixes = l.prefixes("laravel.redis_prefix", l.cfg.Laravel.RedisPrefix, "database")
		c.Redis = l.cfg.Scaling.Redis
		c.Redis.Database = l.cfg.Laravel.RedisCacheDB
	case CacheDatabase:
		c.Database = l.cfg.Database
		if !c.Database.resolve() || !slices.Contains(drivers, c.Database.Driver) {
			l.cacheTrouble(c, "database.driver", "it needs a connection that is one of "+strings.Join(drivers, ", "))
		}
	}
	if len(c.Prefixes)+len(c.RedisPrefixes) > 1 && !isASCII(l.cfg.Laravel.Name) {
		l.cacheTrouble(c, "laravel.name", "the prefixes cannot be derived from letters that are not ASCII: "+
			"it needs laravel.cache_prefix (CACHE_PREFIX), and laravel.redis_prefix (REDIS_PREFIX) with Redis")
	}
}

// cacheTrouble is an error when somebody asked for the store, else a reason to do without.
func (l *loader) cacheTrouble(c *Cache, path, text string) {
	if c.wants(l, c.Store) {
		l.fail(path, ": laravel.cache_store = %s: %s", shown(c.Store), text)
		return
	}
	c.Trouble = text
}

// prefixes are what a written prefix is, or what the skeletons of Laravel 12 and 11 make of the name.
func (l *loader) prefixes(path, written, word string) []string {
	if _, ok := l.cfg.origins[path]; ok {
		return []string{written}
	}
	name := slug(l.cfg.Laravel.Name)
	return []string{name + "-" + word + "-", strings.ReplaceAll(name, "-", "_") + "_" + word + "_"}
}

// storeSetting is a store that can be looked at, or none.
type storeSetting struct{ textSetting }

func storeOf(p *string) setting { return storeSetting{oneOf(p, CacheRedis, CacheFile, CacheDatabase)} }

func (s storeSetting) setBlank() bool { *s.p = ""; return true }

func (s storeSetting) setFile(v any) bool {
	if v == "" {
		return s.setBlank()
	}
	return s.textSetting.setFile(v)
}

func (s storeSetting) want() string { return s.textSetting.want() + `, or ""` }
