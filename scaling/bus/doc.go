// Package bus is Redis as the relays need it: publishing in order with a bounded wait, subscriptions that say when they hold, commands
// in the same order, and a connection whose health is known within seconds.
//
// It works with one Redis, with one behind Sentinel, and with a Redis Cluster. In a cluster the channels are sharded (SSUBSCRIBE and
// SPUBLISH, Redis 7), and every name and key must contain a hash tag, {…}.
//
// No other package knows the client library.
package bus
