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

// largestEvent is the size of what a publisher or a client may send, bytes.
func largestEvent(cfg *config.Config) int64 {
	largest := cfg.Server.MaxRequestSize
	for _, app := range cfg.Apps {
		largest = max(largest, app.MessageLimit(cfg.Server.Limits.MaxMessageSize))
	}
	return largest
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
		OutboxBytes:      max(limits.OutboxBytes, outboxEvents*largestEvent(cfg)),
		OutboxTimeout:    limits.OutboxTimeout,
		TotalOutboxBytes: limits.TotalOutboxBytes,
		MaxConnections:   limits.MaxConnections,
		MaxPerAddress:    limits.MaxConnectionsPerAddress,
		Proxies:          cfg.Server.Proxies(),
		ProxyProtocol:    cfg.Server.ProxyProtocol,
		Log:              log,
	}
}
