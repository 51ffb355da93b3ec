// Package channels knows the subscribers of every channel on this node, and sends events to them.
//
//	Subscribe ─┐                                   ┌─ inline: the publisher walks a few subscribers
//	Broadcast ─┼─▶ shard ─▶ Channel: one order ────┤
//	Unsubscribe┘                                   └─ queue ─▶ pool ─▶ pass: workers walk slices of many
//
// # Order
//
// Everything that happens to a channel happens under its lock, in one order: joins, leaves, events, announcements.
// Every subscriber sees its part of that order, each frame once, from its own subscribe to its own unsubscribe:
//
//   - A new presence member is announced to the others; then the joiner gets subscription_succeeded, then the cached
//     event or cache_miss. The others of a small, idle channel have the announcement before the joiner has its reply; in
//     a large or busy one it waits in the order, in front of everything that the joiner can cause.
//   - The joiner gets no event that was published before, though it may still wait for a pass, and all that are published
//     after. Frames that wait are numbered, and a Subscription knows the first number that is meant for it.
//   - A second reply to a socket that is in the channel already takes its place in the order behind the frames that wait
//     for it.
//   - After Unsubscribe has returned, nothing of the channel is sent.
//
// # Among other nodes
//
// With Options.Replicated the roster of a presence channel is a copy of the cluster's: AddMember and RemoveMember
// change it and announce in the channel's order, Subscribe only sends it. The anonymous are counted and announced here.
// Hold keeps a channel with its roster and its cached event without subscribers; counts, occupation and Options.Facts
// mean subscribers of this node all the same.
//
// # Walking
//
// One system call per delivery costs 5 µs and more, and nearly all subscribers get the same bytes. So frames that are
// published while a pass runs wait, and the next pass joins them into one buffer for each encoding in use: at low rates
// nothing waits, at high rates the batch grows by itself. Excepted sockets (the sender of a client event) get a mix of
// their own, so that one whisper does not keep the others from being joined.
//
// The walk does not hold the channel's lock: 10,000 sends are 50 to 100 ms, and a Subscribe or Unsubscribe runs on an
// event loop. A pass borrows the subscriber list instead. Joins append behind the borrowed part; the first leave during
// a pass copies the list (10,000 pointers: some 10 µs), later ones do not. Each delivery holds the Subscription's own
// lock, which costs 10 ns and is all that Unsubscribe has to wait for: one Send. Holding the channel's lock for slices
// of the list was the other way; it lets workers of one channel exclude each other, and a leave would still wait for a
// whole slice.
//
// One pass of a channel runs at a time. A large one is cut into slices of 128 subscribers; several workers may have one
// each. A channel goes to the end of the line after each slice, so a giant does not starve the others.
//
// # Bounds
//
// The frames that wait for one channel are bounded by Options.PendingBytes; over it publishers, and joins that must be
// announced, get ErrBacklog. Half of it is for publishers that ask before (Room) and may wait for their turn
// (WaitForRoom). Announcements of leaving are always let in: there are at most as many as there were joins. So are
// announcements that a cluster tells of, for it has decided already. A pass takes at most 64 KiB. A socket bounds the
// frames that wait for it itself; so that this bound cuts only those that are slower than others, a channel whose
// subscribers are all behind is held (brake): its frames wait here until one in eight has caught up. So is one of which
// a subscriber that reads well has come near its bound (Pressed): in a burst some are always ahead. Subscribers that do
// not read are not waited for.
//
// # Locks
//
// Channel.mu, then Subscription.mu or the socket's outbox; shard.mu and the rest are leaves. See
// docs/internal/locks.md.
//
// # Memory
//
// A channel with one subscriber and nothing else costs about 230 bytes: 80 Channel, 64 Subscription, 32 a name of usual
// length, the rest its slot in the map. Lists, rosters, queues and cached events are allocated when there are some. A
// test holds it below 250.
package channels
