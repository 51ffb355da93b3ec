// Package bus is Redis as the relays need it: publishing in order with a bounded wait, subscriptions that say when they hold, commands
// in the same order, and a connection whose health is known within seconds.
//
// It works with one Redis, with one behind Sentinel, and with a Redis Cluster. In a cluster the channels are sharded (SSUBSCRIBE and
// SPUBLISH, Redis 7), and every name and key must contain a hash tag, {…}.
//
// Publish is called on event loops, so nothing that a loss or a return of Redis means is done under its lock: a subscription is confirmed on
// one link and by that not on the next, and the way through all names, which are kept in parts, is the subscriber's, in slices. Locks nest
// in the orders part of the names → changes of a shard, and Bus.mu → changes of a shard.
//
// No other package knows the client library.
package bus
