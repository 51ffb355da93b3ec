package config_test

import (
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
		"another store":  {"", []string{"CACHE_STORE=memcached"}, "", nil, nil},
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

// What is wrong with a store ends the start only when the file names the store: a site has CACHE_STORE and DB_CONNECTION for itself.
func TestCacheThatCannotBe(t *testing.T) {
	for name, tt := range map[string]struct {
		environ []string
		want    string
	}{
		"driver": {[]string{"CACHE_STORE=database", "DB_CONNECTION=sqlsrv"}, "mysql, mariadb, pgsql, sqlite"},
		"url":    {[]string{"CACHE_STORE=database", "DB_URL=:"}, "mysql, mariadb, pgsql, sqlite"},
		"name":   {[]string{"CACHE_STORE=redis", "APP_NAME=Café"}, "CACHE_PREFIX"},
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
