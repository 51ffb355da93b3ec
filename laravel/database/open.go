package database

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // registers "sqlite"

	"reverb/config"
)

const (
	connectTimeout = 5 * time.Second
	ioTimeout      = 10 * time.Second // of MySQL; PostgreSQL and SQLite go by the caller's context
	idleTime       = time.Minute      // an unused connection is closed after it: we are guests
	lifeTime       = 10 * time.Minute // so that a failover by DNS is noticed
)

// Open prepares connections to the database that c describes, which must be resolved. It does not connect: an error
// means that c cannot work, whatever the database does.
func Open(c config.Database) (*sql.DB, error) {
	db, err := open(c)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifeTime)
	return db, nil
}

func open(c config.Database) (*sql.DB, error) {
	switch c.Driver {
	case config.DriverMySQL, config.DriverMariaDB:
		return openMySQL(c)
	case config.DriverPostgres:
		return openPostgres(c)
	case config.DriverSQLite:
		return openSQLite(c)
	}
	return nil, fmt.Errorf("there is no database driver %q", c.Driver)
}

func openMySQL(c config.Database) (*sql.DB, error) {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = c.Username, c.Password, c.Name
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	if c.Socket != "" {
		cfg.Net, cfg.Addr = "unix", c.Socket
	}
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = connectTimeout, ioTimeout, ioTimeout
	cfg.InterpolateParams = true // a statement is one round trip, and works behind ProxySQL and MaxScale
	cfg.Logger = &mysql.NopLogger{}
	if c.CA != "" {
		roots, err := authorities(c.CA)
		if err != nil {
			return nil, err
		}
		cfg.TLS = &tls.Config{RootCAs: roots, ServerName: c.Host, MinVersion: tls.VersionTLS12}
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return sql.OpenDB(connector), nil
}

// authorities reads a PEM file.
func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read database.ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read database.ca: %s holds no certificate", file)
	}
	return roots, nil
}

func openPostgres(c config.Database) (*sql.DB, error) {
	var text strings.Builder
	for _, part := range [][2]string{
		{"host", c.Host}, {"port", strconv.Itoa(c.Port)}, {"dbname", c.Name}, {"user", c.Username},
		{"password", c.Password}, {"sslmode", c.SSLMode}, {"sslrootcert", c.CA}, {"application_name", "reverb"},
	} {
		if part[1] != "" {
			text.WriteString(part[0] + "='" + quoted.Replace(part[1]) + "' ")
		}
	}
	cfg, err := pgx.ParseConfig(text.String())
	if err != nil {
		return nil, errors.New("database: the library does not take the settings: look at database.sslmode and database.ca")
	}
	cfg.ConnectTimeout = connectTimeout
	// No statement is prepared on the connection: behind PgBouncer the next one may be another.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	return stdlib.OpenDB(*cfg), nil
}

// quoted escapes a value of a connection string of libpq.
var quoted = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// openSQLite does not make the file when there is none: it would be one without tables. A writer waits for others, and
// says at the beginning of its transaction that it is one: a reader that becomes a writer would fail at once.
func openSQLite(c config.Database) (*sql.DB, error) {
	path := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(c.Name)
	db, err := sql.Open("sqlite", "file:"+path+"?mode=rw&_txlock=immediate&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return db, nil
}
