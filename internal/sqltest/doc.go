// Package sqltest starts the databases that a Laravel site may have, empty, on free ports of loopback, for one test. Nothing of a server
// that the machine itself has is touched.
package sqltest
