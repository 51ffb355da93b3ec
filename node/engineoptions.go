package node

import (
	"log/slog"

	"reverb/channels"
	"reverb/config"
	"reverb/node/journal"
	"reverb/outbound"
	"reverb/poller"
	"reverb/server"
)

// outboxEvents is how many of the largest events may wait for one client, also when outbox_bytes is less.
const outboxEvents = 4

// outboxBytes is how many bytes may wait for one client: a few of the largest events that a publisher or a client may send, at the least.
func outboxBytes(s *config.Server, apps config.Apps) int64 {
	largest := s.MaxRequestSize
	for _, app := range apps {
		size := app.MaxMessageSize
		if size == 0 {
			size = s.Limits.MaxMessageSize
		}
		largest = max(largest, size)
	}
	return max(s.Limits.OutboxBytes, outboxEvents*largest)
}

// hubOptions are where the hub's numbers go, and its bounds.
func (e *engine) hubOptions(stream *journal.Trace, cache cacheBounds) channels.Options {
	hub := channels.Options{
		NewTurn:    poller.NewTurn,
		Replicated: e.cfg.Scaling.Enabled,
		Pace:       server.PaceOf,
		OnPass: func(app string, _, deliveries int, seconds float64) {
			counters := e.metrics.App(app)
			counters.Sent(deliveries)
			counters.BroadcastSeconds(seconds)
		},
		OnReply:    func(app string, frames int) { e.metrics.App(app).Sent(frames) },
		CacheLimit: cache.limit,
		OnUncached: cache.dropped,
	}
	if stream != nil {
		hub.OnAnnounce = func(channel string, m outbound.Message) { stream.BroadcastingTo(channel, m.JSON()) }
	}
	return hub
}

func pollerConfig(cfg *config.Config, log *slog.Logger) poller.Config {
	limits := cfg.Server.Limits
	return poller.Config{
		// Existing health checks and monitors look for this header of Reverb's.
		ServedBy:         "Laravel Reverb",
		MaxHead:          limits.MaxHead,
		HandshakeTimeout: limits.HandshakeTimeout,
		TLSTimeout:       limits.TLSTimeout,
		IdleTimeout:      limits.IdleTimeout,
		OutboxBytes:      outboxBytes(&cfg.Server, cfg.Apps),
		OutboxTimeout:    limits.OutboxTimeout,
		TotalOutboxBytes: limits.TotalOutboxBytes,
		MaxConnections:   limits.MaxConnections,
		MaxPerAddress:    limits.MaxConnectionsPerAddress,
		Proxies:          cfg.Server.Proxies(),
		ProxyProtocol:    cfg.Server.ProxyProtocol,
		Log:              log,
	}
}
