package scaling

import (
	"context"
	"errors"
	"time"

	"reverb/outbound"
	"reverb/protocol"
)

var (
	// ErrMembers is what Join's done is called with when the presence channel has Join.MaxMembers users already.
	ErrMembers = errors.New("scaling: the presence channel is full")

	// ErrDropped says that this node's subscribers have the message and the others will not: too much waits for Redis.
	ErrDropped = errors.New("scaling: too many messages wait for the other nodes")
)

// Message is one event on its way to every node's subscribers of a channel.
type Message struct {
	App, Channel string
	Payload      outbound.Message  // the event, as clients will see it
	Except       protocol.SocketID // the socket that does not get it; zero: nobody
	Cache        bool              // keep it in a cache channel
	Client       bool              // a client's event: it is kept only while somebody is in the channel
	Elsewhere    bool              // for the other nodes only: this one has it already

	// Order, if not nil, is a relay's: its Pass is called in the moment in which the message gets its place among those
	// of its channel on this node, so that it goes to the other nodes at the same place. It is not called when there is
	// no such place; the relay then does it itself.
	Order interface{ Pass() }
}

// Join is one more subscription of this node.
type Join struct {
	App, Channel string
	Kind         protocol.Kind
	Member       *protocol.MemberData // of a presence channel; nil, or without user id, for an anonymous one; must not change any more
	MaxMembers   int                  // distinct users that the presence channel may have in the cluster; 0: any number
}

// Leave is the end of a subscription: the fields are those of its Join.
type Leave struct {
	App, Channel string
	Kind         protocol.Kind
	Member       *protocol.MemberData
	Grace        bool // the node drains: the member may come back on another node before the others are told that it left
}

// Status is how a relay is doing.
type Status struct {
	Up           bool      // connected to the other nodes; true of a single node
	Since        time.Time // of the last change of Up; zero: never changed
	Err          string    // why it is not up
	Refused      string    // Redis is reached and refuses what the nodes need, with this code, as OOM; empty: that is not the reason
	Nodes        int       // that live, this one included
	WaitingBytes int64     // of messages that wait for the connection
}

// Node is one node of a cluster as another one knows it, by its signs of life.
type Node struct {
	ID          string    // of the running process, or of its life in the cluster: another one after each restart
	Name        string    // the host's; empty: not told
	Version     string    // of the program; empty: not told
	Started     time.Time // by its own clock; zero: not told
	Heard       time.Time // when its last sign of life was seen first
	Connections int       // that are open
}

// Handler is the node: what a relay hands its messages to. It may be called from many goroutines; the calls for one
// channel that change it come one after the other.
type Handler interface {
	// Deliver brings the message to the subscribers of this node, and keeps it in a cache channel that is held. It does
	// not wait for sockets. It calls m.Order, with locks held, and forgets it.
	Deliver(m Message) error

	// Terminate closes the connections of the app's user on this node.
	Terminate(app, userID string)

	// Hold makes the channel known before it has a subscriber, and keeps it with its members and its cached event after
	// the last one has left, until Release.
	Hold(app, channel string)
	Release(app, channel string)

	// MemberAdded brings a user into the roster of a held presence channel and announces it to this node's subscribers.
	// A user who is in it gets the new data silently.
	MemberAdded(app, channel string, m *protocol.MemberData)

	// MemberRemoved takes a user out of the roster and announces it, if it was there.
	MemberRemoved(app, channel, userID string)

	// Cached is the event that the cluster has cached for a channel that is held; the zero message: none. client says
	// that it is a client's.
	Cached(app, channel string, event outbound.Message, client bool)

	// Roster is the users of a held presence channel as this node knows them, in the order they came. Nothing of it may
	// be changed.
	Roster(app, channel string) []*protocol.MemberData

	// Answer answers q for this node alone.
	Answer(q Query) Answer

	// Connections counts the open connections of this node by app id.
	Connections() map[string]int
}

// Relay joins a node to others, if there are any. Start comes before everything else and Close after it; the rest may
// be called from any goroutine that holds no lock of the hub or of a session. Local is the Relay of a node that is
// alone; every other one is a Cluster.
type Relay interface {
	// Start tells the relay who the node is.
	Start(h Handler) error

	Publisher
	Monitor

	// Close leaves the cluster, hands out what waits as far as that is possible in a bounded time, and waits for the
	// relay's goroutines.
	Close()
}

// Cluster is a Relay that knows what is of several nodes together.
type Cluster interface {
	Relay
	Joiner
	Querier
}

// Publisher reaches the subscribers and the users of every node.
type Publisher interface {
	// Publish brings the message to every node, this one included. The error is that of this node's own delivery, or
	// ErrDropped when the message could not be passed on.
	Publish(m Message) error

	// Terminate closes the connections of the app's user on every node.
	Terminate(app, userID string)
}

// Joiner has a node follow the channels that its subscribers are in, and the cluster know its members.
type Joiner interface {
	// Join makes ready for one more subscription of this node and calls done once, on any goroutine, with no lock held,
	// maybe before Join returns. After done(nil) the node gets whatever is published to the channel, the channel is
	// held with the cluster's cached event and roster, and the member is in that roster and was announced. While the
	// other nodes cannot be reached this is true as far as this node knows. Done is called with ErrMembers when there
	// are too many, or another error when it cannot be done.
	Join(j Join, done func(error))

	// Leave gives back what one done(nil) has given. It comes after the subscriber is out of the hub.
	Leave(l Leave)
}

// Querier tells what all nodes know together.
type Querier interface {
	// Query asks all nodes. It takes a bounded time; Answer says whether a node did not answer.
	Query(ctx context.Context, q Query) Answer

	// OtherConnections counts the app's open connections on the other nodes, as they were a moment ago.
	OtherConnections(app string) int
}

// Monitor tells how the way to the other nodes is. Its methods may be called often.
type Monitor interface {
	Status() Status

	// Nodes are the other nodes that live, in the order of their names.
	Nodes() []Node
}
