package pulse_test

import (
	"crypto/md5"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reverb/config"
	"reverb/internal/sqltest"
	"reverb/laravel/database"
	"reverb/laravel/pulse"
	"reverb/metrics"
)

// site is a database with Pulse's table, as its migration makes it.
type site struct {
	config *config.Config
	db     *sql.DB
	schema string // %s is the table
	plain  string // the same with a key_hash that the database does not make; "" = it never does
	hash   string // an expression: key_hash as hex
	server *sqltest.Server
}

const (
	mysqlSchema = "create table %s (id bigint unsigned auto_increment primary key, bucket int unsigned not null, period mediumint unsigned not null, " +
		"type varchar(255) not null, `key` mediumtext not null, key_hash char(16) character set binary as (unhex(md5(`key`))), " +
		"aggregate varchar(255) not null, value decimal(20, 2) not null, count int unsigned null, " +
		"unique (bucket, period, type, aggregate, key_hash), index (period, bucket), index (type), index (period, type, aggregate, bucket)) " +
		"character set utf8mb4 collate utf8mb4_unicode_ci"
	postgresSchema = `create table %s (id bigserial primary key, bucket integer not null, period integer not null, type varchar(255) not null, ` +
		`"key" text not null, key_hash uuid not null generated always as (md5("key")::uuid) stored, aggregate varchar(255) not null, ` +
		`value numeric(20, 2) not null, count integer null, unique (bucket, period, type, aggregate, key_hash))`
	sqliteSchema = `create table %s (id integer primary key autoincrement, bucket integer not null, period integer not null, type varchar not null, ` +
		`"key" text not null, key_hash varchar not null, aggregate varchar not null, value numeric not null, count integer, ` +
		`unique (bucket, period, type, aggregate, key_hash))`
)

// now is a Friday; minute is the bucket that it is in.
var now = time.Unix(1_763_695_030, 0)

const minute = 1_763_695_020

const sent, received = "reverb_message:sent", "reverb_message:received"

func configOf(d config.Database) *config.Config {
	c := config.Default()
	c.Pulse.Enabled, c.Pulse.Database = true, d
	return c
}

func mariadb(t *testing.T) *site {
	s := sqltest.MariaDB(t)
	return &site{server: s, schema: mysqlSchema, plain: strings.Replace(mysqlSchema, " as (unhex(md5(`key`)))", " not null", 1), hash: "lower(hex(key_hash))",
		config: configOf(config.Database{Driver: "mariadb", Host: s.Host, Port: s.Port, Name: sqltest.Name, Username: sqltest.User, Password: sqltest.Password})}
}

func postgres(t *testing.T) *site {
	s := sqltest.Postgres(t)
	return &site{server: s, schema: postgresSchema, plain: strings.Replace(postgresSchema, ` generated always as (md5("key")::uuid) stored`, "", 1),
		hash:   "replace(key_hash::text, '-', '')",
		config: configOf(config.Database{Driver: "pgsql", Host: s.Host, Port: s.Port, Name: sqltest.Name, Username: sqltest.User, Password: sqltest.Password, SSLMode: "prefer"})}
}

func sqlite(t *testing.T) *site {
	file := filepath.Join(t.TempDir(), "a?b#c%20d.sqlite")
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("vacuum"); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	return &site{schema: sqliteSchema, hash: "key_hash", config: configOf(config.Database{Driver: "sqlite", Name: file})}
}

func TestStorage(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *site{"mariadb": mariadb, "postgres": postgres, "sqlite": sqlite} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			db, err := database.Open(s.config.Pulse.Database)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			s.db = db
			s.testNoTable(t)
			s.exec(t, fmt.Sprintf(s.schema, "pulse_aggregates"))
			s.testRows(t, "pulse_aggregates")
			s.testNodes(t)
			s.testOutage(t)
			s.testPrefix(t)
		})
	}
}

func (s *site) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := s.db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func (s *site) write(t *testing.T, counts ...pulse.Count) {
	t.Helper()
	if left, unsure, err := pulse.Write(t.Context(), s.config, now, counts...); err != nil || unsure != 0 || len(left) != 0 {
		t.Fatalf("left %v, unsure %d: %v", left, unsure, err)
	}
}

func (s *site) testNoTable(t *testing.T) {
	counts := []pulse.Count{{minute, sent, "1", 5}}
	left, unsure, err := pulse.Write(t.Context(), s.config, now, counts...)
	if err == nil || !strings.Contains(err.Error(), "php artisan migrate") || !slices.Equal(left, counts) || unsure != 0 {
		t.Errorf("without a table: left %v, unsure %d: %v", left, unsure, err)
	}
}

// testRows writes twice into the same buckets, as Reverb's recorder and Pulse's storage would.
func (s *site) testRows(t *testing.T, table string) {
	t.Helper()
	const app = `o'1 "é`
	s.write(t, pulse.Count{minute, sent, app, 40}, pulse.Count{minute, received, app, 3})
	s.write(t, pulse.Count{minute - 60, sent, app, 2}, pulse.Count{minute, sent, app, 1 << 33})
	var want []string
	add := func(period, at int64, kind string, value int64) {
		want = append(want, fmt.Sprint(period, at/period*period, kind, value))
	}
	add(60, minute-60, sent, 2)
	add(60, minute, sent, 40+1<<33)
	add(60, minute, received, 3)
	for _, period := range []int64{360, 1440, 10080} {
		add(period, minute, sent, 42+1<<33)
		add(period, minute, received, 3)
	}
	slices.Sort(want)
	if got := s.rows(t, table, app); !slices.Equal(got, want) {
		t.Errorf("%s has\n%s\nwant\n%s", table, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// rows are the rows of an app, and checks what is the same in all of them.
func (s *site) rows(t *testing.T, table, app string) (all []string) {
	t.Helper()
	query := "select bucket, period, type, aggregate, value, count, " + s.hash + " from " + table + " where " + s.keyIs(app)
	rows, err := s.db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var bucket, period int64
		var kind, aggregate, hash string
		var value float64
		var count sql.NullInt64
		if err := rows.Scan(&bucket, &period, &kind, &aggregate, &value, &count, &hash); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%x", md5.Sum([]byte(app))); aggregate != "count" || count.Valid || hash != want {
			t.Errorf("aggregate %q, count %v, key_hash %q, want %q", aggregate, count, hash, want)
		}
		all = append(all, fmt.Sprint(period, bucket, kind, int64(value)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func (s *site) keyIs(app string) string {
	column := `"key"`
	if s.config.Pulse.Database.Driver == config.DriverMariaDB {
		column = "`key`"
	}
	return column + " = '" + strings.ReplaceAll(app, "'", "''") + "'"
}

// sum is what a period has of an app, in all of its buckets.
func (s *site) sum(t *testing.T, app string, period int) (n float64) {
	t.Helper()
	query := fmt.Sprintf("select coalesce(sum(value), 0) from pulse_aggregates where %s and period = %d", s.keyIs(app), period)
	if err := s.db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// testNodes lets several nodes write the same rows at once: a failure is all or nothing, and what is tried again is not
// counted twice.
func (s *site) testNodes(t *testing.T) {
	t.Helper()
	const nodes, times = 3, 4
	var running sync.WaitGroup
	for range nodes {
		running.Go(func() {
			for range times {
				counts := make([]pulse.Count, 0, 270) // 1,080 rows: more than one statement
				for i := range cap(counts) {
					counts = append(counts, pulse.Count{At: minute, Kind: sent, App: fmt.Sprint("app", i), N: 1})
				}
				for try := 0; len(counts) > 0; try++ {
					left, unsure, err := pulse.Write(t.Context(), s.config, now, counts...)
					if unsure > 0 || try > 20 {
						t.Errorf("unsure %d after %d tries: %v", unsure, try, err)
						return
					}
					counts = left
				}
			}
		})
	}
	running.Wait()
	for _, period := range []int{60, 10080} {
		if n := s.sum(t, "app7", period); n != nodes*times {
			t.Errorf("period %d: %v, want %d", period, n, nodes*times)
		}
	}
}

// testOutage takes the database away from a recorder and gives it back.
func (s *site) testOutage(t *testing.T) {
	if s.server == nil {
		return
	}
	var log strings.Builder
	var n uint64
	r, err := pulse.New(pulse.Options{
		Config:  s.config,
		Counts:  func() []metrics.Counts { n += 10; return []metrics.Counts{{App: "outage", Sent: n}} },
		Metrics: metrics.New("test").Pulse(),
		Log:     slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.CloseForTest()
	r.Flush()
	s.server.Stop()
	r.Flush()
	r.Flush()
	if waiting, _ := r.Waiting(); waiting != 20 {
		t.Errorf("%d messages wait, want 20", waiting)
	}
	s.server.Start()
	r.Flush()
	_ = s.db.Ping() // the test's own connection broke as well
	if got := s.sum(t, "outage", 10080); got != float64(n) {
		t.Errorf("the database has %v, want %d", got, n)
	}
	if text := log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "level=WARN") || !strings.Contains(text, "written again") ||
		strings.Contains(text, "p@ss") {
		t.Errorf("the log says\n%s", text)
	}
}

// testPrefix writes to a table with a prefix, and with a key_hash that the database does not make.
func (s *site) testPrefix(t *testing.T) {
	s.config.Pulse.Database.Prefix = "x_"
	schema := s.plain
	if schema == "" {
		schema = s.schema
	}
	s.exec(t, fmt.Sprintf(schema, "x_pulse_aggregates"))
	s.testRows(t, "x_pulse_aggregates")
}
