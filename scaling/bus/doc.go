// Package bus is Redis as the relays need it: publishing in order with a bounded wait, subscriptions that say when they hold, commands
// in the same order, and a connection whose health is known within seconds.
//
// It works with one Redis, with one behind Sentinel, and with a Redis Cluster. In a cluster the channels are sharded (SSUBSCRIBE and
// SPUBLISH, Redis 7), and every name and key must contain a hash tag, {…}.
//
//	Publish, Do ──▶ publisher ──▶ a pipeline for each master ──────┐
//	Subscribe ────▶ subscriptions ──▶ a subscriber for each ───────┤──▶ redis.Link, one to each master, kept by the keeper
//	                                                               │    scout: which masters there are
//
// Each of the three has locks of its own. Publish and Subscribe are called on event loops, so nothing that a loss or a return of Redis means
// is done under a lock that they take: a subscription is confirmed on one link and by that not on the next, and the way through all names,
// which are kept in shards, is the subscriber's, in slices; what waits moves to other pipelines by pointers, or some at a time.
// Locks nest in the orders keeper → publisher, keeper → changes of a subscriber, and shard of the names → changes.
package bus
