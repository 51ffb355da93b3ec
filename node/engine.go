package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"

	"reverb/api"
	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/node/journal"
	"reverb/poller"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/server"
)

// engine is what answers clients and the callers of the HTTP API: sockets, sessions, channels, and what joins them to
// other nodes. Its methods belong to the goroutine that runs the node, but for serveHTTP.
type engine struct {
	// Constant after start. After a start that failed, those that it did not come to are nil.
	cfg      *config.Config
	log      *slog.Logger
	metrics  *metrics.Metrics
	relay    scaling.Relay
	hub      *channels.Hub
	server   *server.Server
	poller   *poller.Poller
	requests *api.API
	http     *http.Server
}

// start makes relay, hub, server, poller and the HTTP API, in the order in which each needs the one before. No listener
// is served yet.
func (e *engine) start(version string, stream *journal.Trace) (err error) {
	cache := cacheBounds{ // neither is called before there is a server
		limit:   func(app string, client bool) int64 { return e.server.CacheLimit(app, client) },
		dropped: func(app string, client bool) { e.server.Uncached(app, client) },
	}
	if e.relay, err = newRelay(e.cfg.Scaling, version, e.metrics, cache, e.log); err != nil {
		return err
	}
	e.hub = channels.NewHub(e.hubOptions(stream, cache))
	options := server.Options{Config: e.cfg, Hub: e.hub, Relay: e.relay, Metrics: e.metrics, Log: e.log}
	if stream != nil {
		options.Trace = stream
	}
	e.server = server.New(options)
	if err = e.relay.Start(e.server.Node()); err != nil {
		return fmt.Errorf("start relay: %w", err)
	}
	sockets := pollerConfig(e.cfg, e.log)
	e.requests = api.New(api.Options{
		Config: e.cfg, Server: e.server, Log: e.log, Metrics: e.metrics,
		Client: func(r *http.Request) netip.AddrPort { return e.poller.Client(r) },
	})
	sockets.Upgrade, sockets.Direct = e.server.Endpoint, e.requests.Direct
	if e.poller, err = poller.New(sockets, e.server); err != nil {
		return fmt.Errorf("start event loops: %w", err)
	}
	e.http = api.NewHTTPServer(e.cfg, e.requests.Handler(), e.log)
	e.server.Start()
	return nil
}

// apply takes over the apps of a configuration that was read again.
func (e *engine) apply(apps config.Apps) {
	e.poller.SetOutboxBytes(outboxBytes(&e.cfg.Server, apps)) // first: clients may send larger events from then on
	e.server.Reload(apps)
}

// serveHTTP answers whatever the poller found to be no WebSocket.
func (e *engine) serveHTTP() {
	if err := e.http.Serve(e.requests.PlainErrors(e.poller.HTTPListener())); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		e.log.Error("the HTTP API has ended", "err", err)
	}
}

// close ends everything in the reverse order of the start and waits for it, as long as ctx allows.
func (e *engine) close(ctx context.Context) {
	if e.http != nil {
		endHTTP(ctx, e.http)
	}
	if e.poller != nil {
		if err := e.poller.Shutdown(ctx); err != nil && ctx.Err() == nil {
			e.log.Error("the event loops did not end well", "err", err)
		}
	}
	if e.server != nil {
		e.server.Close()
	}
	if e.relay != nil {
		e.relay.Close()
	}
	if e.hub != nil {
		e.hub.Close()
	}
}

// endHTTP lets requests that are being answered end, as long as ctx allows.
func endHTTP(ctx context.Context, s *http.Server) {
	if err := s.Shutdown(ctx); err != nil {
		_ = s.Close()
	}
}

// clientAddress is the address of a session as limits and logs see it.
func (e *engine) clientAddress(socketID string) (netip.AddrPort, bool) {
	id, ok := protocol.ParseSocketID(socketID)
	if !ok {
		return netip.AddrPort{}, false
	}
	session := e.server.Inspector().Session(id)
	if session == nil {
		return netip.AddrPort{}, false
	}
	return session.Describe().Address, true
}
