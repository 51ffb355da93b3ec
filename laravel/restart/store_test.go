package restart_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reverb/config"
	"reverb/internal/redistest"
	"reverb/internal/sqltest"
	"reverb/laravel/database"
	"reverb/laravel/restart"
)

// load is the configuration of a site with this .env.
func load(t *testing.T, env string) config.Cache {
	t.Helper()
	file := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(file, []byte("REVERB_APP_ID=1\nREVERB_APP_KEY=k\nREVERB_APP_SECRET=s\n"+env), 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(none, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Source{File: none, EnvFile: file})
	if err != nil {
		t.Fatal(err)
	}
	if c.Laravel.Cache.Trouble != "" {
		t.Fatal(c.Laravel.Cache.Trouble)
	}
	return c.Laravel.Cache
}

// expectReads wants each change to be seen: set is called with what Laravel writes, and with "" to delete it.
func expectReads(t *testing.T, c config.Cache, set func(value string)) {
	t.Helper()
	s, err := restart.OpenForTest(c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	seen := map[string]bool{}
	for _, value := range []string{"", "1763700000", "1763700060"} {
		set(value)
		got, err := s.Read(t.Context())
		if err != nil {
			t.Fatalf("read %q: %v", value, err)
		}
		if seen[got] || value == "" && got != "" || !strings.Contains(got, value) {
			t.Errorf("read %q after %q", got, value)
		}
		seen[got] = true
	}
	set("")
	if got, err := s.Read(t.Context()); got != "" || err != nil {
		t.Errorf("read %q, %v after it was deleted", got, err)
	}
}

func TestFileStore(t *testing.T) {
	c := load(t, "CACHE_STORE=file\n")
	// The name is that of Laravel for this key.
	name := filepath.Join(c.Path, "4f/e4/4fe44729b03e0a0a2586ebe0d445f50c083d0ff3")
	if !strings.HasSuffix(c.Path, "/storage/framework/cache/data") {
		t.Errorf("path %s", c.Path)
	}
	expectReads(t, c, func(value string) {
		if value == "" {
			_ = os.RemoveAll(filepath.Join(c.Path, "4f"))
			return
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("9999999999i:"+value+";"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFileStoreThatCannotBeRead(t *testing.T) {
	c := load(t, "CACHE_STORE=file\n")
	if err := os.MkdirAll(filepath.Join(c.Path, "4f/e4/4fe44729b03e0a0a2586ebe0d445f50c083d0ff3"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := restart.OpenForTest(c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Read(t.Context()); err == nil {
		t.Errorf("read %q of a directory", got)
	}
}

func TestRedisStore(t *testing.T) {
	r := redistest.Start(t, "--requirepass", "pass")
	for name, tc := range map[string]struct{ env, db, key string }{
		"Laravel 12":    {"APP_NAME=\"My Shop\"\n", "1", "my-shop-database-my-shop-cache-laravel:reverb:restart"},
		"Laravel 11":    {"APP_NAME=\"My Shop\"\n", "1", "my_shop_database_my_shop_cache_laravel:reverb:restart"},
		"no name":       {"", "1", "laravel-database-laravel-cache-laravel:reverb:restart"},
		"as configured": {"REDIS_PREFIX=a:\nCACHE_PREFIX=b:\nREDIS_CACHE_DB=3\n", "3", "a:b:laravel:reverb:restart"},
		"no prefixes":   {"REDIS_PREFIX=\nCACHE_PREFIX=\n", "1", "laravel:reverb:restart"},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, "CACHE_STORE=redis\nREDIS_PASSWORD=pass\nREDIS_HOST=127.0.0.1\nREDIS_PORT="+r.Port()+"\n"+tc.env)
			expectReads(t, c, func(value string) {
				script := "redis.call('SELECT', ARGV[1]) "
				if value == "" {
					script += "return redis.call('DEL', ARGV[2])"
				} else {
					script += "return redis.call('SET', ARGV[2], ARGV[3])"
				}
				if err, failed := r.Do("EVAL", script, "0", tc.db, tc.key, value).(error); failed {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestRedisStoreThatComesLate(t *testing.T) {
	r := redistest.Start(t)
	c := load(t, "CACHE_STORE=redis\nREDIS_HOST=127.0.0.1\nREDIS_PORT="+r.Port()+"\n")
	r.Stop()
	s, err := restart.OpenForTest(c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Read(t.Context()); err == nil {
		t.Errorf("read %q of no Redis", got)
	}
	r.Restart()
	if got, err := s.Read(t.Context()); got != "" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

// expectTable wants changes of the table to be seen.
func expectTable(t *testing.T, c config.Cache, schema, insert, remove, key string) {
	t.Helper()
	db, err := database.Open(c.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	s, err := restart.OpenForTest(c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(t.Context()); err == nil {
		t.Errorf("read %q of no table", got)
	}
	s.Close()
	execute(t, db, schema)
	expectReads(t, c, func(value string) {
		execute(t, db, remove, key)
		if value != "" {
			execute(t, db, insert, key, "i:"+value+";")
		}
	})
}

func execute(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

const tableEnv = "CACHE_STORE=database\nAPP_NAME=Shop\nDB_HOST=127.0.0.1\nDB_DATABASE=" + sqltest.Name + "\nDB_USERNAME=" + sqltest.User + "\n"

// serverCache is the configuration of a cache in the database of a server.
func serverCache(t *testing.T, s *sqltest.Server, driver, env string) config.Cache {
	t.Helper()
	c := load(t, tableEnv+"DB_CONNECTION="+driver+"\n"+env)
	c.Database.Host, c.Database.Port, c.Database.Password = s.Host, s.Port, sqltest.Password
	return c
}

func TestTableOfMariaDB(t *testing.T) {
	c := serverCache(t, sqltest.MariaDB(t), "mariadb", "DB_PREFIX=x_\n")
	expectTable(t, c, "create table x_cache (`key` varchar(255) primary key, value mediumtext not null, expiration int not null)",
		"insert into x_cache values (?, ?, 2079060000)", "delete from x_cache where `key` = ?", "shop-cache-laravel:reverb:restart")
}

func TestTableOfPostgres(t *testing.T) {
	c := serverCache(t, sqltest.Postgres(t), "pgsql", "DB_CACHE_TABLE=public.stored\n")
	expectTable(t, c, `create table stored ("key" varchar(255) primary key, value text not null, expiration integer not null)`,
		"insert into stored values ($1, $2, 2079060000)", `delete from stored where "key" = $1`, "shop_cache_laravel:reverb:restart")
}

func TestTableOfSQLite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "database.sqlite")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, "CACHE_STORE=database\nCACHE_PREFIX=\nDB_CONNECTION=sqlite\nDB_DATABASE="+file+"\n")
	expectTable(t, c, `create table cache ("key" varchar primary key, value text not null, expiration integer not null)`,
		"insert into cache values (?, ?, 2079060000)", `delete from cache where "key" = ?`, "laravel:reverb:restart")
}
