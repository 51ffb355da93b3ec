package server

import (
	"log/slog"
	"time"

	"reverb/config"
	"reverb/internal/logging"
	"reverb/metrics"
	"reverb/protocol"
	"reverb/transport"
)

// complaintEvery is how often at most connections of one app that are refused for one reason are logged.
const complaintEvery = time.Minute

// complain logs that a connection was refused, with the value that was wrong and the likely reason: the browser's
// console says a code at best, and few look there.
func (s *Server) complain(r *transport.Request, conf *config.App, why *refusal) {
	app := metrics.Unknown
	if conf != nil {
		app = conf.ID
	}
	attrs := []slog.Attr{slog.String("app", app), logging.From(r.RemoteAddr), slog.String("reason", why.err.Message)}
	switch why.reason {
	case "unknown_app":
		key, _ := EndpointKey(s.prefix, r.Path)
		attrs = append(attrs, slog.String("key", logging.Brief(key)),
			slog.String("hint", "is VITE_REVERB_APP_KEY, which the pages were built with, the REVERB_APP_KEY of this server? `npm run build`"))
	case "origin":
		attrs = append(attrs, slog.String("origin", logging.Brief(r.Origin)), slog.Any("allowed_origins", conf.AllowedOrigins),
			slog.String("hint", "allowed_origins of the app has hosts, without scheme and port"))
	case "quota":
		attrs = append(attrs, slog.Int("max_connections", conf.MaxConnections),
			slog.String("hint", "the app has as many connections as max_connections (REVERB_APP_MAX_CONNECTIONS) allows"))
	case "version":
		query := protocol.ParseQuery(r.Query)
		version, _ := query.Get("protocol")
		attrs = append(attrs, slog.String("protocol", logging.Brief(version)), slog.String("hint", "the profile of the app wants a client of protocol 5 to 7"))
	case "disabled":
		attrs = append(attrs, slog.String("hint", "enabled = false stands in [[apps]]"))
	default:
		return // the node drains, and says so
	}
	s.trouble.Log(slog.LevelWarn, app+" "+why.reason, "connection refused", attrs...)
}
