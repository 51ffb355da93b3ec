package server

import (
	"reverb/protocol"
	"reverb/scaling"
)

// Hold keeps a channel in the hub until Release, with or without subscribers. Part of scaling.Handler.
func (s *Server) Hold(app, channel string) {}

// Release ends Hold. Part of scaling.Handler.
func (s *Server) Release(app, channel string) {}

// MemberAdded is told of a user who came into a presence channel of the cluster. Part of scaling.Handler.
func (s *Server) MemberAdded(app, channel string, m *protocol.MemberData) {}

// MemberRemoved is told of a user who left a presence channel of the cluster. Part of scaling.Handler.
func (s *Server) MemberRemoved(app, channel, userID string) {}

// Cached is told the cached event of a channel that was just held. Part of scaling.Handler.
func (s *Server) Cached(app, channel string, payload []byte) {}

// Roster is the users of a held presence channel. Part of scaling.Handler.
func (s *Server) Roster(app, channel string) []*protocol.MemberData { return nil }

// Answer answers a query for this node alone. Part of scaling.Handler.
func (s *Server) Answer(q scaling.Query) scaling.Answer {
	return scaling.Answer{Nodes: 1, Answered: 1}
}

// Connections counts this node's open connections by app id. Part of scaling.Handler.
func (s *Server) Connections() map[string]int { return nil }
