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

// What a person who looks at the node asks of it. None of it is on the way of a message; what looks at every session or channel says so.

// Connection is what is known of one session.
type Connection struct {
	ID      protocol.SocketID
	App     string
	Address netip.AddrPort
	Age     time.Duration // whole seconds
	Idle    time.Duration // since the last sign of life
	Pinged  bool          // an answer to a ping is waited for
	Waiting int64         // bytes that wait for the socket
}

// Apps returns the applications of the node, by id.
func (s *Server) Apps() []*config.App {
	served := s.apps.Load().byID
	apps := make([]*config.App, 0, len(served))
	for _, set := range served {
		apps = append(apps, set.App)
	}
	slices.SortFunc(apps, func(a, b *config.App) int { return cmp.Compare(a.ID, b.ID) })
	return apps
}

// RelayStatus tells how the connection to the other nodes is; scaled: there are, or may be, others.
func (s *Server) RelayStatus() (status scaling.Status, scaled bool) {
	return s.relay.Status(), s.scaled
}

// OtherNodes lists the other nodes that live, as far as the relay can tell them apart.
func (s *Server) OtherNodes() []scaling.Node {
	if l, ok := s.relay.(scaling.Lister); ok {
		return l.Nodes()
	}
	return nil
}

// Sessions yields every session of the node, in no order; those that come or go meanwhile may or may not be among them.
func (s *Server) Sessions() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		var buf []*Session
		for i := range s.sessions.shards {
			sh := &s.sessions.shards[i]
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
func (s *Server) Session(id protocol.SocketID) *Session {
	if id.IsZero() {
		return nil
	}
	return s.sessions.find(id)
}

// LocalChannels yields the app's channels that have a subscriber on this node, in no order. It looks at all of them.
func (s *Server) LocalChannels(conf *config.App) iter.Seq[channels.Info] { return s.hub.All(conf.ID) }

// Places returns some of the sockets of a channel on this node, after the first skip, and how many there are.
func (s *Server) Places(conf *config.App, channel string, skip, most int) ([]channels.Place, int) {
	return s.hub.Places(conf.ID, channel, skip, most)
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
