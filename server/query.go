package server

import (
	"context"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
)

// ConnectionCount counts the app's connections with at least one subscription (Reverb: ConnectionsController; Pulse draws graphs of it).
func (s *Server) ConnectionCount(_ context.Context, conf *config.App) int {
	if a := s.byID[conf.ID]; a != nil {
		return int(a.subscribed.Load())
	}
	return 0
}

// Channels lists the app's occupied channels whose name begins with prefix, by name.
func (s *Server) Channels(_ context.Context, conf *config.App, prefix string) []channels.Info {
	return s.hub.Channels(conf.ID, prefix)
}

// Channel tells about one channel; false: nobody is subscribed.
func (s *Server) Channel(_ context.Context, conf *config.App, name string) (channels.Info, bool) {
	return s.hub.Info(conf.ID, name)
}

// Users lists the distinct users of a presence channel in the order they joined; false: nobody is subscribed.
func (s *Server) Users(_ context.Context, conf *config.App, name string) ([]protocol.RosterMember, bool) {
	return s.hub.Members(conf.ID, name)
}
