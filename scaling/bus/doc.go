// Package bus is Redis as the relays need it: publishing in order with a bounded wait, subscriptions that say when they hold, commands
// in the same order, and a connection whose health is known within seconds.
//
// It works with one Redis, with one behind Sentinel, and with a Redis Cluster. In a cluster the channels are sharded (SSUBSCRIBE and
// SPUBLISH, Redis 7), and every name and key must contain a hash tag, {…}.
//
//	Publish, Do ──▶ publish.Publisher ──▶ a Pipeline for each master ───────────┐
//	Subscribe ────▶ subscribe.Subscriptions ──▶ a Subscriber for each master ───┴──▶ redis.Link, one to each master
//	keeper: which masters there are, a link to each, and how they stand; scout: finds them
//
// Each of the three is a package or a type with locks of its own. Publish and Subscribe are called on event loops, so nothing that a loss or a return of Redis means
// is done under a lock that they take: a subscription is confirmed on one link and by that not on the next, and the way through all names,
// which are kept in shards, is the subscriber's, in slices; what waits moves to other pipelines by pointers, or some at a time.
// Locks nest in the orders keeper → Publisher, keeper → changes of a Subscriber, and shard of the names → changes.
package bus
