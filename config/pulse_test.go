package config_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reverb/config"
)

func TestPulseDatabase(t *testing.T) {
	const on = "PULSE_ENABLED=true"
	for name, tt := range map[string]struct {
		environ []string
		want    config.Database
	}{
		"laravel's defaults": {nil, config.Database{Driver: "sqlite", Host: "127.0.0.1", Name: "database/database.sqlite", Username: "root", SSLMode: "prefer"}},
		"mysql": {[]string{"DB_CONNECTION=mysql", "DB_HOST=db", "DB_DATABASE=shop", "DB_USERNAME=u", "DB_PASSWORD=p w", "DB_PREFIX=x_"},
			config.Database{Driver: "mysql", Host: "db", Port: 3306, Name: "shop", Username: "u", Password: "p w", Prefix: "x_", SSLMode: "prefer"}},
		"socket": {[]string{"DB_CONNECTION=mariadb", "DB_SOCKET=/run/s", "DB_PORT="},
			config.Database{Driver: "mariadb", Host: "127.0.0.1", Port: 3306, Socket: "/run/s", Name: "laravel", Username: "root", SSLMode: "prefer"}},
		"connection of pulse": {[]string{"DB_CONNECTION=mysql", "PULSE_DB_CONNECTION=pgsql", "DB_DATABASE=shop"},
			config.Database{Driver: "pgsql", Host: "127.0.0.1", Port: 5432, Name: "shop", Username: "root", SSLMode: "prefer"}},
		"url": {[]string{"DB_CONNECTION=mysql", "DB_URL=postgres://u:p%40@db:6000/shop?sslmode=require"},
			config.Database{URL: "postgres://u:p%40@db:6000/shop?sslmode=require", Driver: "pgsql", Host: "db", Port: 6000, Name: "shop", Username: "u", Password: "p@", SSLMode: "require"}},
		"old url": {[]string{"DATABASE_URL=mysql2://db/shop"},
			config.Database{URL: "mysql2://db/shop", Driver: "mysql", Host: "db", Port: 3306, Name: "shop", Username: "root", SSLMode: "prefer"}},
		"file": {[]string{"DB_URL=sqlite:///var/shop.sqlite"},
			config.Database{URL: "sqlite:///var/shop.sqlite", Driver: "sqlite", Host: "127.0.0.1", Name: "/var/shop.sqlite", Username: "root", SSLMode: "prefer"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, oneApp, append(tt.environ, on)...)
			if tt.want.Driver == config.DriverSQLite && !filepath.IsAbs(tt.want.Name) {
				tt.want.Name = filepath.Join(filepath.Dir(c.Files()[1]), tt.want.Name)
			}
			if c.Pulse.Database != tt.want {
				t.Errorf("got  %+v\nwant %+v", c.Pulse.Database, tt.want)
			}
		})
	}
}

func TestPulseRedis(t *testing.T) {
	for name, tt := range map[string]struct {
		environ          []string
		database, prefix string
	}{
		"defaults":       {nil, "0", "laravel-database-"},
		"name":           {[]string{"APP_NAME=My Shop_2 (b@r)!"}, "0", "my-shop-2-b-at-r-database-"},
		"prefix":         {[]string{"APP_NAME=Shop", "REDIS_PREFIX=shop_database_"}, "0", "shop_database_"},
		"no prefix":      {[]string{"REDIS_PREFIX="}, "0", ""},
		"cache":          {[]string{"PULSE_REDIS_CONNECTION=cache", "REDIS_CACHE_DB=7"}, "7", "laravel-database-"},
		"cache by url":   {[]string{"PULSE_REDIS_CONNECTION=cache", "REDIS_CACHE_DB=7", "REDIS_URL=redis://h/5"}, "5", "laravel-database-"},
		"accents":        {[]string{"APP_NAME=Café Müller"}, "0", "cafe-muller-database-"},
		"database":       {[]string{"REDIS_DB=3"}, "3", "laravel-database-"},
		"prefix, no app": {[]string{"REDIS_PREFIX=é"}, "0", "é"},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, oneApp, append(tt.environ, "PULSE_ENABLED=1", "PULSE_INGEST_DRIVER=redis", "REVERB_PULSE_INGEST_INTERVAL=5")...)
			if c.Pulse.Redis.Database != tt.database || c.Laravel.RedisPrefix != tt.prefix || c.Pulse.Interval != 5*time.Second {
				t.Errorf("got %q %q %v", c.Pulse.Redis.Database, c.Laravel.RedisPrefix, c.Pulse.Interval)
			}
		})
	}
}

// A setting that Laravel has for itself is no error while nothing here uses it.
func TestPulseErrors(t *testing.T) {
	storage, redis := []string{"PULSE_ENABLED=true"}, []string{"PULSE_ENABLED=true", "PULSE_INGEST_DRIVER=redis"}
	for name, tt := range map[string]struct {
		on      []string
		environ string
		want    string
	}{
		"driver":      {storage, "DB_CONNECTION=sqlsrv", "DB_CONNECTION (database.driver)"},
		"connection":  {storage, "PULSE_DB_CONNECTION=other", "pulse.database_url"},
		"port":        {storage, "DB_PORT=x", "database.port"},
		"url":         {storage, "DB_URL=mongodb://u:geheim@h/d", "DB_URL (database.url): want driver://"},
		"bad url":     {storage, "DB_URL=mysql://u:ge%heim@h/d", "DB_URL (database.url): want driver://"},
		"redis":       {redis, "REDIS_PORT=x", "scaling.redis.port"},
		"redis name":  {redis, "PULSE_REDIS_CONNECTION=other", "pulse.redis_database"},
		"name":        {redis, "APP_NAME=Привет", "REDIS_PREFIX"},
		"no interval": {storage, "REVERB_PULSE_INGEST_INTERVAL=0", "pulse.interval"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := config.Load(source(t, oneApp, tt.environ)); err != nil {
				t.Errorf("without Pulse: %v", err)
			}
			_, err := config.Load(source(t, oneApp, append(tt.on, tt.environ)...))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "heim") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSampleRate(t *testing.T) {
	for text, want := range map[string]float64{"0.25": 0.25, "1": 1, "1.0": 1, "0": -1, "2": -1, "nan": -1, `"1"`: -1} {
		c, err := config.Load(source(t, oneApp+"\n[pulse]\nsample_rate = "+text+"\n"))
		if (err != nil) != (want < 0) || err == nil && c.Pulse.SampleRate != want {
			t.Errorf("%s: %v, %v", text, c, err)
		}
	}
}
