package server

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/scaling"
)

// Connection describes one session.
type Connection struct {
	ID      protocol.SocketID
	App     string
	Address netip.AddrPort
	Age     time.Duration // whole seconds
	Idle    time.Duration // since the last sign of life
	Pinged  bool          // an answer to a ping is waited for
	Waiting int64         // bytes that wait for the socket
}

// Inspector answers a person who looks at this node. Nothing of it is on the way of a message, and every method that
// looks at all sessions or channels says so. Its methods may be called from any goroutine.
type Inspector struct {
	// Constant after construction.
	apps     *apps
	sessions *registry
	hub      *channels.Hub
	relay    scaling.Monitor
	events   *publisher
}

// Apps returns the applications of the node, by id.
func (i *Inspector) Apps() []*config.App {
	served := i.apps.all()
	apps := make([]*config.App, 0, len(served))
	for _, set := range served {
		apps = append(apps, set.App)
	}
	slices.SortFunc(apps, func(a, b *config.App) int { return cmp.Compare(a.ID, b.ID) })
	return apps
}

// RelayStatus tells how the connection to the other nodes is; scaled: there are, or may be, others.
func (i *Inspector) RelayStatus() (status scaling.Status, scaled bool) {
	return i.relay.Status(), i.events.scaled
}

// OtherNodes lists the other nodes that live, as far as the relay can tell them apart.
func (i *Inspector) OtherNodes() []scaling.Node {
	return i.relay.Nodes()
}

// Sessions yields every session of the node, in no order; those that come or go meanwhile may or may not be among them.
func (i *Inspector) Sessions() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		var buf []*Session
		for shard := range i.sessions.shards {
			sh := &i.sessions.shards[shard]
			sh.mu.Lock()
			buf = append(buf[:0], sh.sessions...)
			sh.mu.Unlock()
			for _, ss := range buf {
				if !yield(ss) {
					return
				}
			}
		}
	}
}

// Session returns the session with this id, nil if this node has none.
func (i *Inspector) Session(id protocol.SocketID) *Session {
	if id.IsZero() {
		return nil
	}
	return i.sessions.find(id)
}

// LocalChannels yields the app's channels that have a subscriber on this node, in no order. It looks at all of them.
func (i *Inspector) LocalChannels(conf *config.App) iter.Seq[channels.Info] {
	return i.hub.All(conf.ID)
}

// Places returns some of the sockets of a channel on this node, after the first skip, and how many there are.
func (i *Inspector) Places(conf *config.App, channel string, skip, most int) ([]channels.Place, int) {
	return i.hub.Places(conf.ID, channel, skip, most)
}

// Describe may be called from any goroutine.
func (ss *Session) Describe() Connection {
	now := ss.app.server.clock.now()
	seen, pinged := time.Duration(ss.signs.seen.Load()), time.Duration(ss.signs.pinged.Load())
	return Connection{
		ID:      ss.id,
		App:     ss.app.id,
		Address: ss.conn.RemoteAddr(),
		Age:     max(0, now.Truncate(time.Second)-time.Duration(ss.signs.opened)*time.Second),
		Idle:    max(0, now-seen),
		Pinged:  pinged > seen,
		Waiting: ss.conn.Waiting(),
	}
}

// Subscribed returns the session's subscriptions in the order they began. It may be called from any goroutine.
func (ss *Session) Subscribed() []channels.Place { return ss.subs.places() }

// Disconnect closes the connection as a termination of its user would; false: it is closing already.
func (ss *Session) Disconnect() bool {
	if ss.ended() {
		return false
	}
	ss.terminate()
	return true
}
