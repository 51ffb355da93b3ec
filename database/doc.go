// Package database opens the database of the Laravel site: MySQL, MariaDB, PostgreSQL or SQLite. It is the only one that knows the
// drivers; who uses the database writes its statements.
package database
