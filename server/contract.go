package server

// STUB of the exported contract; the owner of this package replaces this file with the files of the house.

import (
	"context"
	"log/slog"

	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/poller"
	"reverb/protocol"
	"reverb/scaling"
)

type Options struct {
	Config  *config.Config
	Hub     *channels.Hub
	Relay   scaling.Relay
	Metrics *metrics.Metrics
	Log     *slog.Logger
	Trace   Trace // --debug; nil = off
}

// Trace is the stream of data of `start --debug` (reverb.md 8); implemented by cmd/reverb's console.
type Trace interface {
	Established(socketID string)
	MessageReceived(socketID string, payload []byte)
	MessageHandled(socketID string)
	ControlFrame(socketID string)
	BroadcastingTo(channel string, payload []byte)
	PruningStale()
	PingingInactive()
	Pinged(socketID string)
	Pruned(socketID string)
	Closed(socketID string)
	Error(socketID string, err error)
}

type Server struct{}

func New(o Options) *Server                                             { panic("stub") }
func (s *Server) Open(c poller.Conn, r *poller.Request) poller.Receiver { panic("stub") }
func (s *Server) Start()                                                { panic("stub") } // the sweep (ping, prune), once a second
func (s *Server) App(id string) *config.App                             { panic("stub") }

// Publication is one event of the HTTP API for several channels.
type Publication struct {
	Event, Data string
	Channels    []string
	Except      protocol.SocketID
	Batch       bool // from batch_events: field order event, channel, data
}

func (s *Server) Publish(ctx context.Context, app *config.App, p Publication) error { panic("stub") } // channels.ErrBacklog → 503
func (s *Server) Connections(ctx context.Context, app *config.App) int              { panic("stub") } // with ≥ 1 subscription
func (s *Server) Channels(ctx context.Context, app *config.App, prefix string) []channels.Info {
	panic("stub")
}
func (s *Server) Channel(ctx context.Context, app *config.App, name string) (channels.Info, bool) {
	panic("stub")
}
func (s *Server) Users(ctx context.Context, app *config.App, name string) ([]protocol.RosterMember, bool) {
	panic("stub")
}
func (s *Server) TerminateUser(ctx context.Context, app *config.App, userID string) { panic("stub") }
func (s *Server) Ready() bool                                                       { panic("stub") } // false from the first moment of draining
func (s *Server) BeginDrain()                                                       { panic("stub") } // Ready turns false
func (s *Server) Drain(ctx context.Context)                                         { panic("stub") } // closes sessions with 4200 spread over the time ctx leaves; returns when none is left or ctx ends
func (s *Server) Close()                                                            { panic("stub") } // stops the sweep
