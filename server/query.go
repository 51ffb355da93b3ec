package server

import (
	"context"
	"slices"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/scaling"
)

// Reach says how many nodes were asked for an answer and how many have answered; both are zero when no node had to be
// asked.
type Reach struct{ Asked, Answered int }

// Partial reports whether the answer lacks that of a node.
func (r Reach) Partial() bool { return r.Answered < r.Asked }

// ConnectionCount counts the app's connections with at least one subscription (Reverb: ConnectionsController; Pulse
// draws graphs of it).
func (s *Server) ConnectionCount(ctx context.Context, conf *config.App) (int, Reach) {
	a := s.apps.get(conf.ID)
	switch {
	case a == nil:
		return 0, Reach{}
	case s.others == nil:
		return int(a.subscribed.Load()), Reach{}
	}
	answer, reach := s.ask(ctx, scaling.Query{Of: scaling.QueryConnections, App: conf.ID})
	return answer.Connections, reach
}

// Channels lists the app's occupied channels whose name begins with prefix, by name.
func (s *Server) Channels(ctx context.Context, conf *config.App, prefix string) ([]channels.Info, Reach) {
	a := s.apps.get(conf.ID)
	if a == nil || s.others == nil {
		return s.hub.Channels(conf.ID, prefix), Reach{}
	}
	answer, reach := s.ask(ctx, scaling.Query{Of: scaling.QueryChannels, App: conf.ID, Prefix: prefix})
	return a.fromScaling(answer.Channels), reach
}

// NamedChannels describes those of the channels that have a subscriber, by name. Several are asked for together,
// because each question goes to all nodes.
func (s *Server) NamedChannels(ctx context.Context, conf *config.App, names []string) ([]channels.Info, Reach) {
	a := s.apps.get(conf.ID)
	if a == nil || s.others == nil {
		return s.node.infos(conf.ID, names), Reach{}
	}
	if names == nil {
		names = []string{} // nil means all
	}
	answer, reach := s.ask(ctx, scaling.Query{Of: scaling.QueryChannels, App: conf.ID, Names: names})
	return a.fromScaling(answer.Channels), reach
}

// Users lists the distinct users of a presence channel in the order they joined, with the number of nodes that
// answered; false: the channel has no subscriber.
func (s *Server) Users(ctx context.Context, conf *config.App, name string) ([]protocol.RosterMember, bool, Reach) {
	if s.apps.get(conf.ID) == nil || s.others == nil {
		users, ok := s.hub.Members(conf.ID, name)
		return users, ok, Reach{}
	}
	answer, reach := s.ask(ctx, scaling.Query{Of: scaling.QueryUsers, App: conf.ID, Channel: name})
	occupied := slices.ContainsFunc(answer.Channels, func(c scaling.ChannelInfo) bool { return c.Name == name })
	return answer.Users, occupied || len(answer.Users) > 0, reach
}

// ask puts a question to all nodes.
func (s *Server) ask(ctx context.Context, q scaling.Query) (scaling.Answer, Reach) {
	answer := s.others.Query(ctx, q)
	s.relayMetrics.Queried(answer.Partial())
	return answer, Reach{Asked: answer.Nodes, Answered: answer.Answered}
}
