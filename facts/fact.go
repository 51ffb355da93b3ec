// Package facts names the changes of an application that somebody outside its clients wants to know: webhooks, counts, watchlists.
//
// A change is decided in one place and recorded there, once, also in a cluster. A server that is alone decides under the lock of the channel
// (package channels). In a cluster the Redis script that decides writes the fact into a stream beside the channel's other keys (package
// scaling/cluster); each node records only its own: client events and cache misses.
//
// Nothing is recorded, and nothing is paid for it, where there is no Recorder.
package facts

import "time"

// Kind is what happened. The names are those of Pusher's webhooks.
type Kind string

// The changes of a channel. Each is of the whole application, not of one node.
const (
	ChannelOccupied Kind = "channel_occupied" // the first subscriber came
	ChannelVacated  Kind = "channel_vacated"  // the last one left
	MemberAdded     Kind = "member_added"     // the first socket of a user came to a presence channel
	MemberRemoved   Kind = "member_removed"   // the last one left
	ClientEvent     Kind = "client_event"     // a client sent an event to the others
	CacheMiss       Kind = "cache_miss"       // somebody came to a cache channel without an event, for the first time since it had one
)

// Fact is one change.
type Fact struct {
	Kind         Kind
	App, Channel string
	At           time.Time // by the clock of the one that decided

	UserID   string // of MemberAdded and MemberRemoved
	SocketID string // of ClientEvent: the sender
	Event    []byte // of ClientEvent: its JSON, as the others get it; not to be changed
}

// Recorder keeps facts. Record is called with the facts of one channel one at a time and in their order, with no lock held; it must not wait.
type Recorder interface {
	Record(f Fact)
}
