// Package cluster is the native relay: it makes many nodes look like one to their clients, by way of Redis.
//
//	server ── Publish ──▶ this node's subscribers, at once
//	              └─────▶ sequencer (sequence, envelope) ──▶ bus ──▶ Redis, and out of it
//
//	Redis ──▶ bus ──▶ lanes ──▶ gapFinder (duplicates, gaps) ──▶ Handler.Deliver ──▶ this node's subscribers
//
// Interest. A node is subscribed only to the Redis channels of which it has subscribers, and so has no work with the others. Join asks
// Redis, waits for the confirmation, puts the channel into the hub (Hold), fetches what the cluster knows of it, its last event and its
// roster, and only then says that it is done: nothing that is published after the client is told of its subscription is missed. After the
// last Leave the channel lingers, because a page that is loaded again comes back within a second.
//
// Order. Everything of one channel happens on one lane, in the order in which Redis sent it: events, changes of the roster, Hold and Release.
// A publisher numbers what it sends to a channel; a receiver drops what it has had and counts what it misses. A node's own events come
// back to it and are skipped.
//
// Members. A script in Redis decides who joins and who leaves, for the whole cluster; package roster has the scripts and a pure core that follows
// them. A channelView carries out what the core of one channel asks for. presence has all of them, and the lease by which the nodes know which
// of them are dead.
//
// Without Redis a node works alone: its own clients notice nothing, what is for others waits in the bus, joins are answered with what is
// known, and questions say that their answers are partial. When Redis is back, the subscriptions come first, then what waited, while
// rosters and last events are fetched again.
//
// In Redis Cluster and behind Sentinel the same is true; that is the bus' business.
//
// Locks: the mutex of a shard of interests, of a shard of the sequencer, and that of a lastEvent may be held when the bus or a lane is asked for
// something; both only note it. A lastEvent's is also held while one event is handed to the Handler. No two of them are held at once, but
// for lastEvent → sequencer.
package cluster
