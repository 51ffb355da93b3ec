// Package redistest starts real Redis servers for tests: one, a cluster, a trio of sentinels, and a proxy that can cut or swallow their
// connections. A test that uses it is skipped when redis-server is not installed.
package redistest
