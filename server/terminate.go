package server

import (
	"context"

	"reverb/config"
	"reverb/outbound"
	"reverb/protocol"
)

// TerminateUser closes every connection of a user, on all nodes.
func (s *Server) TerminateUser(_ context.Context, conf *config.App, userID string) {
	s.events.relay.Terminate(conf.ID, userID)
}

// Terminate closes this node's connections of a user: those with a presence subscription under that id, compared as
// text. Part of scaling.Handler.
func (n *LocalNode) Terminate(appID, userID string) {
	if n.apps.get(appID) == nil || userID == "" {
		return
	}
	for _, sub := range n.hub.UserSockets(appID, userID) {
		if ss, ok := sub.(*Session); ok {
			ss.terminate()
		}
	}
}

// terminate cuts a user off. Under Pusher's profile the client is told to stay away. Reverb only closes TCP, so that
// pusher-js returns after a second and has to be authorised again; but pusher-js 7 gives up for ever when that happens
// twice within two minutes, and comes back as often as it must after a close frame.
func (ss *Session) terminate() {
	if conf := ss.app.conf(); conf.Profile == config.ProfilePusher {
		ss.end(endTerminated, protocol.ErrorMessage(errTerminated, conf.Rules.ErrorObject), uint16(errTerminated.Code), errTerminated.Message)
		return
	}
	ss.end(endTerminated, outbound.Message{}, closeComeBack, errTerminated.Message)
}

var errTerminated = &protocol.Error{Code: 4009, Message: "Connection terminated by the application"}

// closeComeBack is the code after which every Pusher client comes back, a second later.
const closeComeBack = 4100
