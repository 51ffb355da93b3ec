package cluster

import "strings"

// names makes the names of everything this package keeps in Redis. It is immutable.
//
// What belongs together has one hash tag {…}, so that in a Redis Cluster it lies in one slot and a script may touch all of it. Names of
// channels hold a slash in their tag and the others none, so that no app and no channel can be called like something of ours.
type names struct{ prefix string }

// tag escapes what would make app/channel ambiguous. A brace in a channel's name is harmless: the slot is then computed of a shorter
// tag, which is the same for all that belongs to the channel.
var tag = strings.NewReplacer("%", "%25", "/", "%2F")

// events is the Redis channel of a Pusher channel: events and member deltas. It is also the root of its keys.
func (n names) events(app, channel string) string {
	if strings.ContainsAny(app, "%/") {
		app = tag.Replace(app)
	}
	return n.prefix + ":{" + app + "/" + channel + "}"
}

// Keys of a Pusher channel, all from the name that events gives. Those of its roster are in package roster.

func lastEventKey(events string) string     { return events + ":e" }         // the last event of a cache channel
func occupantsKey(events string) string     { return events + ":o" }         // sorted set: nodes with somebody in a cache channel → until when
func (n names) nodes() string               { return n.prefix + ":{nodes}" } // sorted set: node → last beat
func (n names) counts() string              { return n.nodes() + ":counts" } // hash: node → connections by app; node/about → what it says of itself
func (n names) dead() string                { return n.nodes() + ":dead" }   // sorted set: node → when it was reaped
func (n names) all() string                 { return n.prefix + ":{all}" }   // Redis channel of all nodes
func (n names) node(id string) string       { return n.prefix + ":{node:" + id + "}" }
func (n names) channelsOf(id string) string { return n.node(id) + ":channels" } // set: channels where a node has members
