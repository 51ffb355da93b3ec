// Package database opens the database of the Laravel site: MySQL, MariaDB, PostgreSQL or SQLite; and it knows how to
// reach the site's Redis. It is the only one that knows the drivers; the users of a database write its statements.
package database
