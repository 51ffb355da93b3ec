package cluster

import (
	"context"

	"reverb/protocol"
)

// membership is what the relay asks of the cluster's presence: who is in which channel, and which nodes live. Only presence implements it.
// Methods that name a channel may be called from any goroutine, with no lock held.
type membership interface {
	// run keeps the lease of this node, reaps dead nodes and ends graces until ctx ends. It returns when its goroutines have ended.
	run(ctx context.Context)

	// up and down follow the connection to Redis. They are called in turns by one goroutine and do not wait.
	up()
	down()

	// quit takes this node out of the cluster: its members get their grace. It waits until Redis has it, or ctx ends.
	quit(ctx context.Context)

	// open begins to follow the roster of a channel that was just held, and calls c.ready() once when the replica is in the hub, or at
	// once when Redis is down. It is called on the channel's lane.
	open(c *interest)

	// close ends it. It is called on the channel's lane, before the channel is released.
	close(app, channel string)

	// delta is a change of the roster that the scripts have published; body is what follows the kind. A nil body says that messages
	// of the channel were lost: the roster must be fetched again. It is called on the channel's lane.
	delta(app, channel string, body []byte)

	// join and leave count a socket of this node. The member has a user id.
	join(app, channel string, m *protocol.MemberData, maxMembers int, done func(error))
	leave(app, channel string, m *protocol.MemberData, grace bool)

	// peers are the other nodes that live, as this node's last beat has heard. The slice is not to be changed.
	peers() []peer

	// connections is how many open connections the peers have for an app.
	connections(app string) int
}

// peer is another node that lives.
type peer struct {
	id   nodeID
	beat int64 // when it beat last, in ms of Redis' clock
}
