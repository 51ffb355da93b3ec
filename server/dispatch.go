package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/transport"
)

// Publication is one event of the HTTP API for several channels.
type Publication struct {
	Event, Data string
	Channels    []string
	Except      protocol.SocketID // zero: nobody is left out
	Batch       bool              // from batch_events: field order event, channel, data
	AtOnce      bool              // the caller cannot wait for room and has asked Room
}

// roomTimeout is how long a publisher waits for room in a channel whose subscribers cannot keep up with it.
const roomTimeout = 2 * time.Second

// Room reports whether Publish would not have to wait for any of the channels.
func (s *Server) Room(conf *config.App, channels []string) bool {
	return !slices.ContainsFunc(channels, func(channel string) bool { return !s.hub.Room(conf.ID, channel) })
}

// Publish sends an event to the subscribers of each of its channels, on all nodes. An error is that of the first channel that could
// not take it (channels.ErrBacklog: its subscribers do not keep up); the other channels have the event none the less, so that one
// overrun channel does not starve the rest. A publisher that outruns everybody in a channel waits for room there, at most roomTimeout and
// until ctx ends, after the other channels were served.
func (s *Server) Publish(ctx context.Context, conf *config.App, p Publication) error {
	a := s.app(conf.ID)
	if a == nil {
		return protocol.ErrUnknownApp
	}
	var first error
	var crowded []string
	for _, channel := range p.Channels {
		a.metrics.Published(metrics.SourceAPI)
		if !p.AtOnce && !s.hub.Room(conf.ID, channel) {
			crowded = append(crowded, channel)
			continue
		}
		first = cmp.Or(first, s.publishTo(a, conf, &p, channel))
	}
	if crowded == nil {
		return first
	}
	ctx, cancel := context.WithTimeout(ctx, roomTimeout)
	defer cancel()
	for _, channel := range crowded {
		err := channels.ErrBacklog
		if s.hub.WaitForRoom(ctx, conf.ID, channel, len(p.Data)) {
			err = s.publishTo(a, conf, &p, channel)
		} else {
			s.dropped(a, channel, err)
		}
		first = cmp.Or(first, err)
	}
	return first
}

// publishTo publishes to one channel.
func (s *Server) publishTo(a *app, conf *config.App, p *Publication, channel string) error {
	if !s.reached(conf.ID, channel) {
		return nil
	}
	err := s.send(scaling.Message{
		App:     conf.ID,
		Channel: channel,
		Payload: protocol.EventMessage(p.Event, channel, p.Data, p.Batch),
		Except:  p.Except,
		// Pusher keeps its own events out of the cache; Reverb caches whatever was published.
		Cache: !conf.Rules.StrictNames || !strings.HasPrefix(p.Event, "pusher"),
	})
	if err != nil {
		s.dropped(a, channel, err)
	}
	return err
}

// send publishes m. That the other nodes do not get it while Redis is away is no reason to have the caller publish again what this
// node's subscribers have: the relay counts and logs it.
func (s *Server) send(m scaling.Message) error {
	err := s.relay.Publish(m)
	if errors.Is(err, scaling.ErrDropped) {
		return nil
	}
	return err
}

// reached reports whether an event for this channel can arrive at anybody. On a single node most of Laravel's broadcasts to a
// user's private channel find nobody at home; those are not even encoded.
func (s *Server) reached(app, channel string) bool {
	return s.scaled || s.trace != nil || s.watch.Load() != nil || s.hub.Occupied(app, channel)
}

// dropped notes an event that a channel could not take.
func (s *Server) dropped(a *app, channel string, err error) {
	if errors.Is(err, channels.ErrBacklog) {
		s.metrics.Dropped("backlog", 1)
		return
	}
	s.metrics.Dropped("relay", 1)
	s.trouble.Log(slog.LevelWarn, a.id+" relay", "an event was not published",
		slog.String("app", a.id), slog.String("channel", channel), slog.Any("err", err))
}

// TerminateUser closes every connection of a user, on all nodes.
func (s *Server) TerminateUser(_ context.Context, conf *config.App, userID string) {
	s.relay.Terminate(conf.ID, userID)
}

// Terminate closes this node's connections of a user: those with a presence subscription under that id, compared as text. Part of
// scaling.Handler.
func (s *Server) Terminate(appID, userID string) {
	a := s.app(appID)
	if a == nil || userID == "" {
		return
	}
	for _, sub := range s.hub.UserSockets(appID, userID) {
		if ss, ok := sub.(*Session); ok {
			ss.terminate()
		}
	}
}

// terminate cuts a user off. Under Pusher's profile the client is told to stay away. Reverb only closes TCP, so that pusher-js returns
// after a second and has to be authorised again; but pusher-js 7 gives up for ever when that happens twice within two minutes, and comes back
// as often as it must after a close frame.
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

var _ transport.Handler = (*Server)(nil)
