package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"

	"github.com/go-chi/chi/v5"
	"github.com/rs/cors"

	"reverb/channels"
	"reverb/config"
	"reverb/internal/logging"
	"reverb/metrics"
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

// Options is what an API is made of. All but Client must be set.
type Options struct {
	Config  *config.Config
	Server  Server
	Log     *slog.Logger
	Metrics *metrics.Metrics
	Client  func(*http.Request) netip.AddrPort // whom a request came from, proxies apart; nil = the other end of the connection
}

// API answers every request that is not a well-formed WebSocket upgrade. Its methods may be called from any goroutine.
type API struct {
	// Constant after New.
	cfg        *config.Server
	prefix     string // "" or "/a/b"
	server     Server
	log        *slog.Logger
	metrics    *metrics.Metrics
	complaints *logging.Throttle
	client     func(*http.Request) netip.AddrPort

	// Atomic.
	emptyObject, emptyBatch atomic.Pointer[finished] // the answers that Direct gave last
}

// New makes an API.
func New(o Options) *API {
	a := &API{
		cfg: &o.Config.Server, prefix: o.Config.Server.Prefix(), server: o.Server, log: o.Log, metrics: o.Metrics,
		complaints: logging.NewThrottle(o.Log, complaintEvery), client: o.Client,
	}
	if a.client == nil {
		a.client = func(r *http.Request) netip.AddrPort {
			peer, _ := netip.ParseAddrPort(r.RemoteAddr)
			return peer
		}
	}
	return a
}

// Handler is the API as net/http calls it.
func (a *API) Handler() http.Handler {
	h := a.routed(a.routes())
	if origins := a.cfg.CORSOrigins; len(origins) > 0 {
		h = cors.New(cors.Options{
			AllowedOrigins: origins,
			AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost},
			AllowedHeaders: []string{"*"},
			MaxAge:         600, // seconds
		}).Handler(h)
	}
	return a.accounted(recoverPanics(h, a.log))
}

// routes are the routes of Reverb and /ready, without the prefix. The method is checked by the handlers of get and post, because
// then an unknown method is a 405 only where the path exists.
func (a *API) routes() *chi.Mux {
	m := chi.NewMux()
	m.NotFound(notFound)
	m.Handle("/app/{appKey}", a.on(metrics.RouteConnect, get(a.upgradeLate)))
	m.Handle("/apps/{appId}/events", a.on(metrics.RouteEvents, post(a.signed(a.events))))
	m.Handle("/apps/{appId}/batch_events", a.on(metrics.RouteBatchEvents, post(a.signed(a.batchEvents))))
	m.Handle("/apps/{appId}/connections", a.on(metrics.RouteConnections, get(a.signed(a.connections))))
	m.Handle("/apps/{appId}/channels", a.on(metrics.RouteChannels, get(a.signed(a.channels))))
	m.Handle("/apps/{appId}/channels/{channel}", a.on(metrics.RouteChannel, get(a.signed(a.channel))))
	m.Handle("/apps/{appId}/channels/{channel}/users", a.on(metrics.RouteChannelUsers, get(a.signed(a.channelUsers))))
	m.Handle("/apps/{appId}/users/{userId}/terminate_connections", a.on(metrics.RouteTerminate, post(a.signed(a.terminateUser))))
	m.Handle("/up", a.on(metrics.RouteUp, get(a.up)))
	m.Handle("/ready", a.on(metrics.RouteReady, get(a.ready)))
	return m
}
