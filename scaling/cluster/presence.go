package cluster

import (
	"context"
	"log/slog"

	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
)

// presence knows who is on the presence channels that this node holds, tells the cluster who is here, and keeps this node's lease.
//
// All methods may be called from any goroutine. What concerns one channel happens on that channel's lane, in the order it was asked for;
// the Handler is called there, with no lock held.
type presence struct {
	// Constant after construction.
	bus     *bus.Bus
	names   names
	handler scaling.Handler
	node    *identity
	o       Options
	lanes   *lanes
	log     *slog.Logger
}

func newPresence(b *bus.Bus, names names, h scaling.Handler, node *identity, lanes *lanes, o Options) *presence {
	return &presence{bus: b, names: names, handler: h, node: node, lanes: lanes, o: o, log: o.Log}
}

// open begins to follow the members of a channel that is held and whose Redis subscription is confirmed (or Redis is down). ready is
// called once, on the channel's lane, when its roster is in the hub; not at all when the channel is closed before.
func (p *presence) open(app, channel string, ready func()) {}

// join counts one more socket of a user in. done is called once, on the channel's lane: with nil when the user is in the roster and
// announced to the cluster, as far as Redis can be reached, with ErrMembers when the channel has max users (0: any number). The channel
// is open, and m has a user id.
func (p *presence) join(app, channel string, m *protocol.MemberData, max int, done func(error)) {}

// leave counts out what a join with done(nil) counted in. With grace the member may come back on another node before it is announced as
// removed.
func (p *presence) leave(app, channel string, m *protocol.MemberData, grace bool) {}

// delta takes a change of a roster that a script published: what follows deltaHeader. It is called on the channel's lane.
func (p *presence) delta(events string, body []byte) {}

// lost says that something published to the channel did not reach delta: the lane was full.
func (p *presence) lost(events string) {}

// close ends following the channel: it is released and has no joins. The handler is not called for it any more.
func (p *presence) close(app, channel string) {}

// up says that Redis is reached and everything subscribed.
func (p *presence) up() {}

// down says that Redis is lost: until up the rosters are what this node knows.
func (p *presence) down() {}

// run keeps the lease, heals, reaps the dead, until ctx ends. Then it hands this node's members over and leaves the cluster, which takes
// at most a second; the bus and the lanes must still be open.
func (p *presence) run(ctx context.Context) { <-ctx.Done() }

// peers are the ids of the other nodes that live.
func (p *presence) peers() []string { return nil }

// otherConnections counts the app's open connections on the other nodes at their last beat.
func (p *presence) otherConnections(app string) int { return 0 }
