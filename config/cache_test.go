package config_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reverb/config"
)

func TestCacheOfTheSite(t *testing.T) {
	for name, tt := range map[string]struct {
		file                    string
		environ                 []string
		store                   string
		redisPrefixes, prefixes []string
	}{
		"nothing": {"", nil, "", nil, nil},
		"name": {"", []string{"CACHE_STORE=redis", "APP_NAME=My Shop"}, "redis",
			[]string{"my-shop-database-", "my_shop_database_"}, []string{"my-shop-cache-", "my_shop_cache_"}},
		"prefixes": {"", []string{"CACHE_STORE=redis", "APP_NAME=My Shop", "REDIS_PREFIX=r:", "CACHE_PREFIX="}, "redis",
			[]string{"r:"}, []string{""}},
		"laravel 10":     {"", []string{"CACHE_DRIVER=database", "CACHE_PREFIX=c"}, "database", nil, []string{"c"}},
		"file":           {"", []string{"CACHE_STORE=file"}, "file", nil, nil},
		"empty":          {"[laravel]\ncache_store = \"file\"\n", []string{"CACHE_STORE="}, "", nil, nil},
		"file, then env": {"[laravel]\ncache_store = \"file\"\n", []string{"CACHE_STORE=redis", "REDIS_PREFIX=r", "CACHE_PREFIX=c"}, "redis", []string{"r"}, []string{"c"}},
		"not wanted":     {"[laravel]\nrestart_signal = false\n", []string{"CACHE_STORE=redis"}, "redis", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, tt.file+oneApp, tt.environ...).Laravel.Cache
			if c.Store != tt.store || !slices.Equal(c.RedisPrefixes, tt.redisPrefixes) || !slices.Equal(c.Prefixes, tt.prefixes) || c.Trouble != "" {
				t.Errorf("got %+v", c)
			}
		})
	}
}

// What is wrong with a store ends the start only when the file names the store: a site has CACHE_STORE and
// DB_CONNECTION for itself.
func TestCacheThatCannotBe(t *testing.T) {
	for name, tt := range map[string]struct {
		environ []string
		want    string
	}{
		"driver":           {[]string{"CACHE_STORE=database", "DB_CONNECTION=sqlsrv"}, "mysql, mariadb, pgsql, sqlite"},
		"connection":       {[]string{"CACHE_STORE=database", "DB_CACHE_CONNECTION=tenant"}, "mysql, mariadb, pgsql, sqlite"},
		"redis connection": {[]string{"CACHE_STORE=redis", "REDIS_CACHE_CONNECTION=sessions"}, `"sessions"`},
		"memory":           {[]string{"CACHE_STORE=database", "DB_CONNECTION=sqlite", "DB_DATABASE=:memory:"}, "memory"},
		"url":              {[]string{"CACHE_STORE=database", "DB_URL=:"}, "mysql, mariadb, pgsql, sqlite"},
		"name":             {[]string{"CACHE_STORE=redis", "APP_NAME=Привет"}, "CACHE_PREFIX"},
	} {
		t.Run(name, func(t *testing.T) {
			if c := load(t, oneApp, tt.environ...).Laravel.Cache; !strings.Contains(c.Trouble, tt.want) {
				t.Errorf("trouble %q, want %q", c.Trouble, tt.want)
			}
			store := strings.TrimPrefix(tt.environ[0], "CACHE_STORE=")
			s := config.Source{File: write(t, "config.toml", "[laravel]\ncache_store = \""+store+"\"\n"+oneApp), Environ: tt.environ[1:]}
			if _, err := config.Load(s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// A site without CACHE_STORE has the default of Laravel's skeleton.
func TestCacheStoreOfASiteThatNamesNone(t *testing.T) {
	c := load(t, oneApp, "APP_NAME=Café", "DB_CONNECTION=mysql", "DB_CACHE_TABLE=signals")
	cache := c.Laravel.Cache
	if cache.Store != config.CacheDatabase || cache.Database.Driver != "mysql" || cache.Table != "signals" || cache.Trouble != "" {
		t.Errorf("got %+v", cache)
	}
	if want := []string{"cafe-cache-", "cafe_cache_"}; !slices.Equal(cache.Prefixes, want) {
		t.Errorf("prefixes %q, want %q", cache.Prefixes, want)
	}
	if got := value(t, c, "laravel.cache_store"); got.Value != `"database"` || !strings.Contains(got.Source, "Laravel's default") {
		t.Errorf("the effective value is %+v", got)
	}
	if cache := load(t, oneApp, "APP_NAME=x", "DB_CONNECTION=sqlsrv").Laravel.Cache; cache.Trouble == "" {
		t.Errorf("a database that is not known: %+v", cache) // and no error
	}
	if cache := load(t, oneApp, "REVERB_SERVER_PORT=1").Laravel.Cache; cache.Store != "" {
		t.Errorf("without a site: %+v", cache)
	}
}

func TestCacheStoresThatCannotBeHeard(t *testing.T) {
	for _, store := range []string{"memcached", "dynamodb", "octane", "failover", "array", "null", "apc", "mine"} {
		c := load(t, oneApp, "CACHE_STORE="+store)
		if cache := c.Laravel.Cache; cache.Store != "" || cache.Other != store || !strings.Contains(cache.Trouble, "cannot be heard") {
			t.Errorf("%s: %+v", store, cache)
		}
		if got := value(t, c, "laravel.cache_store").Value; got != `"`+store+`"` {
			t.Errorf("%s: the effective value is %s", store, got)
		}
	}
	if cache := load(t, oneApp, "CACHE_STORE=").Laravel.Cache; cache.Trouble != "" {
		t.Errorf("none: %+v", cache)
	}
}

func TestRedisOfTheCache(t *testing.T) {
	for name, tt := range map[string]struct {
		file     string
		environ  []string
		address  string
		database string
	}{
		"defaults":            {"", nil, "127.0.0.1:6379", "1"},
		"cache db":            {"", []string{"REDIS_CACHE_DB=4"}, "127.0.0.1:6379", "4"},
		"url with a path":     {"", []string{"REDIS_CACHE_DB=4", "REDIS_URL=redis://h:7/5"}, "h:7", "5"},
		"url with a database": {"", []string{"REDIS_CACHE_DB=4", "REDIS_URL=redis://h:7?database=6"}, "h:7", "6"},
		"url without":         {"", []string{"REDIS_CACHE_DB=4", "REDIS_URL=redis://h:7"}, "h:7", "4"},
		"our file wins":       {"[laravel]\nredis_cache_db = 8\n", []string{"REDIS_URL=redis://h:7/5"}, "h:7", "8"},
		"default connection":  {"", []string{"REDIS_CACHE_CONNECTION=default", "REDIS_DB=3"}, "127.0.0.1:6379", "3"},
		"socket as host":      {"", []string{"REDIS_HOST=/run/redis.sock", "REDIS_PORT=0"}, "/run/redis.sock", "1"},
		"socket with scheme":  {"", []string{"REDIS_HOST=unix:///run/redis.sock"}, "/run/redis.sock", "1"},
		"socket as path":      {"", []string{"REDIS_CLIENT=predis", "REDIS_PATH=/run/redis.sock", "REDIS_SCHEME=unix"}, "/run/redis.sock", "1"},
		"socket as url":       {"", []string{"REDIS_URL=unix:///run/redis.sock?database=2"}, "/run/redis.sock", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			cache := load(t, tt.file+oneApp, append(tt.environ, "CACHE_STORE=redis", "REVERB_SCALING_ENABLED=true")...).Laravel.Cache
			if got := cache.Redis.Address(); got != tt.address || cache.Redis.Database != tt.database || cache.Redis.Encrypted || cache.Trouble != "" {
				t.Errorf("got %s, database %s, %+v", got, cache.Redis.Database, cache)
			}
		})
	}
}

// The database that is shown is the one in force, and its source is the variable that decides.
func TestShownDatabaseOfTheCache(t *testing.T) {
	for _, tt := range []struct{ url, value, source string }{
		{"redis://h:7/5", "5", "environment REDIS_URL"},
		{"redis://h:7?database=6", "6", "environment REDIS_URL"},
		{"redis://h:7", "4", "environment REDIS_CACHE_DB"},
	} {
		c := load(t, oneApp, "CACHE_STORE=redis", "REDIS_CACHE_DB=4", "REDIS_URL="+tt.url)
		if got := value(t, c, "laravel.redis_cache_db"); strings.Trim(got.Value, `"`) != tt.value || got.Source != tt.source {
			t.Errorf("%s: shown %+v, want %s from %s", tt.url, got, tt.value, tt.source)
		}
	}
}

// PHP runs in the folder of the site: relative names begin there, wherever this server is started.
func TestPathsAreRelativeToTheSite(t *testing.T) {
	site := t.TempDir()
	env := filepath.Join(site, ".env")
	for _, tt := range []struct{ name, text, want string }{
		{"default", "", "database/database.sqlite"},
		{"relative", "DB_DATABASE=data/shop.sqlite\n", "data/shop.sqlite"},
		{"absolute", "DB_DATABASE=/srv/shop.sqlite\n", "/srv/shop.sqlite"},
		{"url", "DB_URL=sqlite:data/u.sqlite\n", "data/u.sqlite"},
	} {
		save(t, env, "CACHE_STORE=database\nDB_CACHE_CONNECTION=sqlite\nDB_CONNECTION=mysql\nPULSE_ENABLED=true\nPULSE_DB_CONNECTION=sqlite\n"+tt.text)
		c, err := config.Load(config.Source{File: write(t, "config.toml", oneApp), EnvFile: env})
		must(t, err)
		want := tt.want
		if !filepath.IsAbs(want) {
			want = filepath.Join(site, want)
		}
		if c.Laravel.Cache.Database.Name != want || c.Pulse.Database.Name != want {
			t.Errorf("%s: %q and %q, want %q", tt.name, c.Laravel.Cache.Database.Name, c.Pulse.Database.Name, want)
		}
	}
	save(t, env, "CACHE_STORE=file\n")
	c, err := config.Load(config.Source{File: write(t, "config.toml", oneApp), EnvFile: env})
	must(t, err)
	if want := filepath.Join(site, "storage/framework/cache/data"); c.Laravel.Cache.Path != want {
		t.Errorf("cache %q, want %q", c.Laravel.Cache.Path, want)
	}
}

// Laravel reads .env.staging instead of .env when APP_ENV=staging is in the environment and the file is there.
func TestEnvFileOfTheEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "config.toml", oneApp)
	save(t, ".env", "APP_ENV=local\nREVERB_SERVER_PORT=1111\n")
	save(t, ".env.staging", "REVERB_SERVER_PORT=2222\n")
	save(t, ".env.local", "REVERB_SERVER_PORT=3333\n")
	for _, tt := range []struct {
		environ []string
		file    string
		port    int
	}{
		{nil, "", 1111}, // APP_ENV of the file itself names no other
		{[]string{"APP_ENV=staging"}, "", 2222},
		{[]string{"APP_ENV=production"}, "", 1111},
		{[]string{"APP_ENV="}, "", 1111},
		{[]string{"APP_ENV=../x"}, "", 1111},
		{[]string{"APP_ENV=staging"}, ".env.local", 3333}, // said with --env-file
	} {
		c, err := config.Load(config.Source{Environ: tt.environ, EnvFile: tt.file})
		must(t, err)
		if c.Server.Port != tt.port {
			t.Errorf("%v %s: port %d, want %d", tt.environ, tt.file, c.Server.Port, tt.port)
		}
		again, err := c.Reload()
		must(t, err)
		if again.Server.Port != tt.port {
			t.Errorf("%v %s: port %d after a reload", tt.environ, tt.file, again.Server.Port)
		}
	}
}

// A prefix that cannot be known is not shown as if it were.
func TestPrefixesOfLettersThatCannotBeSpelled(t *testing.T) {
	c := load(t, oneApp, "APP_NAME=Привет", "CACHE_STORE=redis")
	for _, key := range []string{"laravel.cache_prefix", "laravel.redis_prefix"} {
		if got := value(t, c, key); got.Value != `""` || !strings.HasPrefix(got.Source, "unknown") {
			t.Errorf("%s is %+v", key, got)
		}
	}
	c = load(t, oneApp, "APP_NAME=Café", "CACHE_STORE=redis")
	if got := value(t, c, "laravel.cache_prefix"); got.Value != `"cafe-cache-"` || got.Source != "environment APP_NAME" {
		t.Errorf("cache_prefix is %+v", got)
	}
}
