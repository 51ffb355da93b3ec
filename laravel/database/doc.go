// Package database opens the database of the Laravel site: MySQL, MariaDB, PostgreSQL or SQLite; and it knows how to reach the site's
// Redis. It is the only one that knows the drivers; who uses a database writes its statements.
package database
