package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Database is the table [database]: the one of the Laravel site, by the names
// that it has for it. Nothing connects to it that is not turned on elsewhere.
type Database struct {
	URL      string // scheme://user:password@host:port/name; wins over the parts; ""
	Driver   string // one of the constants below; "sqlite"
	Host     string // "127.0.0.1"
	Port     int    // 0 = that of the driver
	Socket   string // Unix socket of MySQL or MariaDB; wins over Host; ""
	Name     string // of the database, or the file of SQLite; "" = Laravel's default
	Username string // "root"
	Password string // ""
	Prefix   string // in front of all names of tables; ""
	SSLMode  string // of PostgreSQL; "prefer"
	CA       string // PEM file of the authorities to trust, turns on TLS for MySQL and MariaDB; ""
}

// The values of Database.Driver.
const (
	DriverMySQL    = "mysql"
	DriverMariaDB  = "mariadb"
	DriverPostgres = "pgsql"
	DriverSQLite   = "sqlite"
)

var (
	drivers = []string{DriverMySQL, DriverMariaDB, DriverPostgres, DriverSQLite}

	// schemes are the schemes of URL that are not the name of a driver.
	schemes = map[string]string{"mysql2": DriverMySQL, "postgres": DriverPostgres, "postgresql": DriverPostgres, "sqlite3": DriverSQLite}
)

// resolve lets the URL override the parts, as Laravel does, and fills in what
// depends on the driver. It reports whether the URL was usable; the cause is
// not told because it would quote the password.
func (d *Database) resolve() bool {
	if d.URL != "" && !d.applyURL() {
		return false
	}
	if d.Port == 0 {
		switch d.Driver {
		case DriverMySQL, DriverMariaDB:
			d.Port = 3306
		case DriverPostgres:
			d.Port = 5432
		}
	}
	if d.Name == "" {
		d.Name = "laravel"
		if d.Driver == DriverSQLite {
			d.Name = "database/database.sqlite"
		}
	}
	return true
}

func (d *Database) applyURL() bool {
	u, err := url.Parse(d.URL)
	if err != nil {
		return false
	}
	driver := u.Scheme
	if name, ok := schemes[driver]; ok {
		driver = name
	}
	if !slices.Contains(drivers, driver) {
		return false
	}
	d.Driver = driver
	if driver == DriverSQLite { // sqlite:///absolute and sqlite:relative
		d.Name = u.Path + u.Opaque
		return d.Name != ""
	}
	if u.Hostname() != "" {
		d.Host = u.Hostname()
	}
	if u.Port() != "" {
		if d.Port, err = strconv.Atoi(u.Port()); err != nil || d.Port < 1 || d.Port > maxPort {
			return false
		}
	}
	if name := strings.Trim(u.Path, "/"); name != "" {
		d.Name = name
	}
	if u.User != nil {
		d.Username = u.User.Username()
		d.Password, _ = u.User.Password()
	}
	query := u.Query()
	for key, part := range map[string]*string{"sslmode": &d.SSLMode, "prefix": &d.Prefix, "unix_socket": &d.Socket} {
		if query.Has(key) {
			*part = query.Get(key)
		}
	}
	return isPrintable(d.Host + d.Name + d.Username + d.Password + d.SSLMode + d.Prefix + d.Socket)
}
