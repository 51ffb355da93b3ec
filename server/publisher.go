package server

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"

	"reverb/channels"
	"reverb/config"
	"reverb/internal/logging"
	"reverb/metrics"
	"reverb/protocol"
	"reverb/scaling"
)

// publisher brings events to the subscribers of every node, those of clients and those of the HTTP API.
type publisher struct {
	// Constant after construction.
	scaled  bool // other nodes may have subscribers
	relay   scaling.Publisher
	hub     *channels.Hub
	metrics *metrics.Metrics
	trouble *logging.Throttle
	trace   Trace

	listener atomic.Pointer[EventListener] // nil while there is none
}

// publishTo publishes to one channel.
func (p *publisher) publishTo(a *app, conf *config.App, e *Publication, channel string) error {
	channel, reached := p.reached(conf.ID, channel)
	if !reached {
		return nil
	}
	err := p.send(scaling.Message{
		App:     conf.ID,
		Channel: channel,
		Payload: protocol.EventMessage(e.Event, channel, e.Data, e.Batch),
		Except:  e.Except,
		// Pusher keeps its own events out of the cache; Reverb caches every event.
		Cache: !conf.Rules.StrictNames || !strings.HasPrefix(e.Event, "pusher"),
	})
	if err != nil {
		p.dropped(a, channel, err)
	}
	return err
}

// send publishes m. While Redis is away the other nodes do not get it, and the relay counts and logs that. It is no
// error: the caller would publish again to this node's subscribers, which have it.
func (p *publisher) send(m scaling.Message) error {
	err := p.relay.Publish(m)
	if errors.Is(err, scaling.ErrDropped) {
		return nil
	}
	return err
}

// reached reports whether an event for this channel can have a receiver, and returns the channel's name as a text that
// may be kept. On a single node most of Laravel's broadcasts to a user's private channel have none; those are not even
// encoded.
func (p *publisher) reached(app, channel string) (name string, reached bool) {
	if name, ok := p.hub.Name(app, channel); ok {
		return name, true
	}
	if p.scaled || p.trace != nil || p.listener.Load() != nil {
		return strings.Clone(channel), true
	}
	return "", false
}

// dropped notes an event that a channel could not take.
func (p *publisher) dropped(a *app, channel string, err error) {
	if errors.Is(err, channels.ErrBacklog) {
		p.metrics.Dropped("backlog", 1)
		return
	}
	p.metrics.Dropped("relay", 1)
	p.trouble.Log(slog.LevelWarn, a.id+" relay", "an event was not published",
		slog.String("app", a.id), slog.String("channel", channel), slog.Any("err", err))
}
