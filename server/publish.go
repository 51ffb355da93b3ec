package server

import (
	"cmp"
	"context"
	"slices"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/protocol"
)

// Publication is one event of the HTTP API for several channels. Its texts need not outlive the call that it is given to.
type Publication struct {
	Event, Data string
	Channels    []string
	Except      protocol.SocketID // zero: none is left out
	Batch       bool              // from batch_events: field order event, channel, data
	AtOnce      bool              // the caller cannot wait for room and has asked Room
}

// roomTimeout is how long a publisher waits for room in a channel whose subscribers cannot keep up with it.
const roomTimeout = 2 * time.Second

// Room reports whether Publish would not have to wait for any of the channels.
func (s *Server) Room(conf *config.App, channels []string) bool {
	return !slices.ContainsFunc(channels, func(channel string) bool { return !s.hub.Room(conf.ID, channel) })
}

// Publish sends an event to the subscribers of each of its channels, on all nodes. An error is that of the first
// channel that could not take it (channels.ErrBacklog: its subscribers do not keep up); the other channels have the
// event all the same, so that one overrun channel does not starve the rest. A publisher that outruns all subscribers of
// a channel waits for room there, at most roomTimeout and until ctx ends, after the other channels were served.
func (s *Server) Publish(ctx context.Context, conf *config.App, p Publication) error {
	a := s.apps.get(conf.ID)
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
		first = cmp.Or(first, s.events.publishTo(a, conf, &p, channel))
	}
	if crowded == nil {
		return first
	}
	ctx, cancel := context.WithTimeout(ctx, roomTimeout)
	defer cancel()
	for _, channel := range crowded {
		err := channels.ErrBacklog
		if s.hub.WaitForRoom(ctx, conf.ID, channel, len(p.Data)) {
			err = s.events.publishTo(a, conf, &p, channel)
		} else {
			s.events.dropped(a, channel, err)
		}
		first = cmp.Or(first, err)
	}
	return first
}
