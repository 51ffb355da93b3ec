package api

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/rs/cors"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/server"
)

// Server is what the API asks of the node; *server.Server is one.
type Server interface {
	App(id string) *config.App // nil: not configured
	Publish(ctx context.Context, app *config.App, p server.Publication) error
	Room(app *config.App, channels []string) bool
	ConnectionCount(ctx context.Context, app *config.App) (int, server.Reach)
	Channels(ctx context.Context, app *config.App, prefix string) ([]channels.Info, server.Reach)
	NamedChannels(ctx context.Context, app *config.App, names []string) ([]channels.Info, server.Reach)
	Users(ctx context.Context, app *config.App, name string) ([]protocol.RosterMember, bool, server.Reach)
	TerminateUser(ctx context.Context, app *config.App, userID string)
	Ready() bool
	Degraded() bool
	Refused() string
}

// api is the state of the handler; constant after New.
type api struct {
	cfg    *config.Server
	prefix string // "" or "/a/b"
	server Server
	log    *slog.Logger
}

// New is the handler of every request that is not a well-formed WebSocket upgrade. It may be called from any goroutine.
func New(cfg *config.Config, s Server, log *slog.Logger) http.Handler {
	a := &api{cfg: &cfg.Server, prefix: cfg.Server.Prefix(), server: s, log: log}
	h := a.routed(a.routes())
	if origins := cfg.Server.CORSOrigins; len(origins) > 0 {
		h = cors.New(cors.Options{
			AllowedOrigins: origins,
			AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost},
			AllowedHeaders: []string{"*"},
			MaxAge:         600, // seconds
		}).Handler(h)
	}
	return recoverPanics(h, log)
}

// routes are the routes of Reverb and /ready, without the prefix. The method is checked by the handlers of get and post, because
// then an unknown method is a 405 only where the path exists.
func (a *api) routes() *chi.Mux {
	m := chi.NewMux()
	m.NotFound(notFound)
	m.Handle("/app/{appKey}", get(a.upgradeLate))
	m.Handle("/apps/{appId}/events", post(a.signed(a.events)))
	m.Handle("/apps/{appId}/batch_events", post(a.signed(a.batchEvents)))
	m.Handle("/apps/{appId}/connections", get(a.signed(a.connections)))
	m.Handle("/apps/{appId}/channels", get(a.signed(a.channels)))
	m.Handle("/apps/{appId}/channels/{channel}", get(a.signed(a.channel)))
	m.Handle("/apps/{appId}/channels/{channel}/users", get(a.signed(a.channelUsers)))
	m.Handle("/apps/{appId}/users/{userId}/terminate_connections", post(a.signed(a.terminateUser)))
	m.Handle("/up", get(a.up))
	m.Handle("/ready", get(a.ready))
	return m
}
