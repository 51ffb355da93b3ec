package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"reverb/api"
	"reverb/channels"
	"reverb/config"
	"reverb/internal/listener"
	"reverb/laravel/pulse"
	"reverb/laravel/restart"
	"reverb/metrics"
	"reverb/node/certificate"
	"reverb/node/handover"
	"reverb/node/journal"
	"reverb/outbound"
	"reverb/poller"
	"reverb/scaling"
	"reverb/server"
)

// closeTimeout is what HTTP requests that are being answered, and the last bytes of closed connections, get after the drain; of its
// time only what is left.
const closeTimeout = 5 * time.Second

// node is one running server with everything that belongs to it. startNode makes it, serve runs it to its end; all of its methods
// belong to the goroutine that does so.
type node struct {
	// Constant after startNode. Those that may be missing are nil then.
	cfg      *config.Config
	said     *journal.Journal
	log      *slog.Logger // that of said
	lineage  *lineage
	secure   bool
	port     int                // bound; differs from the configuration when that says 0
	address  string             // to show: as configured, with that port
	self     string             // where this process reaches itself
	waiting  []*net.TCPListener // not yet the poller's
	metrics  *metrics.Metrics
	relay    scaling.Relay
	hub      *channels.Hub
	server   *server.Server
	reloads  *reloader
	poller   *poller.Poller
	requests *api.API
	http     *http.Server
	scrapes  *http.Server     // of metrics, on their own address; nil = off
	counts   *pulse.Recorder  // nil: Laravel Pulse is not told
	page     *page            // the dashboard; nil = off
	control  *control         // nil: the socket could not be made
	signal   *restart.Watcher // of `php artisan reverb:restart`; nil = off

	// Goroutines that are not owned by one of the above.
	running sync.WaitGroup
	cancel  context.CancelFunc // ends those of them that do not end with a listener

	endWatchdog context.CancelFunc
	draining    atomic.Bool // from the moment when there is a reason to end
}

// startNode starts everything, the listeners last: from then on clients are answered. What was started is stopped again on an error.
func startNode(cfg *config.Config, said *journal.Journal, stream *journal.Trace, environ []string, line *lineage) (_ *node, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	n := &node{cfg: cfg, said: said, log: said.Log(), lineage: line, cancel: cancel, endWatchdog: func() {}}
	defer func() {
		if err != nil {
			n.close(ctx)
		}
	}()
	pair, err := certificate.Of(cfg.Server)
	if err != nil {
		return nil, err
	}
	n.secure = pair != nil
	if err = n.bind(); err != nil {
		return nil, err
	}
	if err = n.startServer(stream); err != nil {
		return nil, err
	}
	if err = n.startMetrics(); err != nil {
		return nil, err
	}
	if err = n.startPulse(); err != nil {
		return nil, err
	}
	if err = n.startSignal(); err != nil {
		return nil, err
	}
	if err = n.startPage(pair); err != nil {
		return nil, err
	}
	n.running.Go(n.serveHTTP)
	n.control, err = startControl(line.sockets, cfg.Server.ControlSocket, environ, n.port, n.address, n.log, n.acceptFailed(handover.Control))
	if err != nil {
		return nil, err
	}
	if n.control != nil {
		n.control.clients.use(n.clientAddress)
	}
	if err = n.serveListeners(pair); err != nil {
		return nil, err
	}
	line.sockets.Seal()
	n.watch(ctx, pair)
	if cfg.Server.Watch {
		n.running.Go(func() { n.reloads.watch(ctx) })
	}
	return n, line.ready()
}

// bind opens the port of the server, or takes over what the process before or the service manager has opened.
func (n *node) bind() (err error) {
	conf := n.cfg.Server
	n.waiting, err = n.lineage.listen(handover.Server, listener.Show(conf.Host, conf.Port), func() (net.Listener, error) {
		return listener.Open(conf.Host, conf.Port)
	})
	if err != nil && n.lineage.link != nil {
		return fmt.Errorf("%w\nThe address has changed since the start. A handover keeps the old one open meanwhile: use a plain `reverb restart`", err)
	}
	if err != nil {
		return err
	}
	first := n.waiting[0]
	n.port, n.self = listener.Port(first), selfAddress(first)
	n.address = listener.Show(conf.Host, n.port)
	if n.lineage.sockets.Activated(handover.Server) {
		n.address = first.Addr().String()
	}
	return nil
}

// serveListeners begins to accept.
func (n *node) serveListeners(pair *certificate.Pair) error {
	for len(n.waiting) > 0 {
		ln := n.waiting[0]
		if err := n.poller.Serve(ln, pair.TLSConfig()); err != nil {
			return fmt.Errorf("serve %s: %w", ln.Addr(), err)
		}
		n.waiting = n.waiting[1:] // the poller's now
	}
	return nil
}

// startServer makes metrics, relay, hub, server, poller and the HTTP API, in the order in which each needs the one before.
func (n *node) startServer(stream *journal.Trace) (err error) {
	n.metrics = metrics.New(version())
	cache := cacheBounds{ // neither is called before there is a server
		limit:   func(app string, client bool) int64 { return n.server.CacheLimit(app, client) },
		dropped: func(app string, client bool) { n.server.Uncached(app, client) },
	}
	if n.relay, err = newRelay(n.cfg.Scaling, n.metrics, cache, n.log); err != nil {
		return err
	}
	n.hub = channels.NewHub(n.hubOptions(stream, cache))
	options := server.Options{Config: n.cfg, Hub: n.hub, Relay: n.relay, Metrics: n.metrics, Log: n.log}
	if stream != nil {
		options.Trace = stream
	}
	n.server = server.New(options)
	n.reloads = newReloader(n.cfg, n.server.Reload, n.log)
	if err = n.relay.Start(n.server); err != nil {
		return fmt.Errorf("start relay: %w", err)
	}
	sockets := pollerConfig(n.cfg, n.log)
	n.requests = api.New(api.Options{
		Config: n.cfg, Server: n.server, Log: n.log, Metrics: n.metrics,
		Client: func(r *http.Request) netip.AddrPort { return n.poller.Client(r) },
	})
	sockets.Upgrade, sockets.Direct = n.server.Endpoint, n.requests.Direct
	if n.poller, err = poller.New(sockets, n.server); err != nil {
		return fmt.Errorf("start event loops: %w", err)
	}
	n.http = api.NewHTTPServer(n.cfg, n.requests.Handler(), n.log)
	n.server.Start()
	return nil
}

// outboxEvents is how many of the largest events may wait for one client, also when outbox_bytes is less.
const outboxEvents = 4

// largestEvent is the size of what a publisher or a client may send, bytes.
func largestEvent(cfg *config.Config) int64 {
	largest := cfg.Server.MaxRequestSize
	for _, app := range cfg.Apps {
		size := app.MaxMessageSize
		if size == 0 {
			size = cfg.Server.Limits.MaxMessageSize
		}
		largest = max(largest, size)
	}
	return largest
}

// hubOptions are where the hub's numbers go, and its bounds.
func (n *node) hubOptions(stream *journal.Trace, cache cacheBounds) channels.Options {
	hub := channels.Options{
		NewTurn:    poller.NewTurn,
		Replicated: n.cfg.Scaling.Enabled,
		Pace:       server.PaceOf,
		OnPass: func(app string, _, deliveries int, seconds float64) {
			counters := n.metrics.App(app)
			counters.Sent(deliveries)
			counters.BroadcastSeconds(seconds)
		},
		OnReply:    func(app string, frames int) { n.metrics.App(app).Sent(frames) },
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

// serveHTTP answers whatever the poller found to be no WebSocket.
func (n *node) serveHTTP() {
	if err := n.http.Serve(n.requests.PlainErrors(n.poller.HTTPListener())); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		n.log.Error("the HTTP API has ended", "err", err)
	}
}

// watch tells the service manager that all is well, and reloads the certificate when its files change.
func (n *node) watch(ctx context.Context, pair *certificate.Pair) {
	watching, end := context.WithCancel(ctx)
	n.endWatchdog = end
	n.running.Go(func() { n.watchdog(watching) })
	if pair == nil {
		return
	}
	n.running.Go(func() {
		if err := pair.Watch(ctx, n.log); err != nil && ctx.Err() == nil {
			n.log.Warn("changes of the certificate will not be noticed before a restart", "err", err)
		}
	})
}

// banner is Reverb's: host and port, then the prefix of the routes.
func (n *node) banner() string {
	server, kind := n.cfg.Server, "server"
	if n.secure {
		kind = "secure server"
	}
	text := "Starting " + kind + " on " + n.address + server.Prefix()
	if server.Hostname != "" && server.Hostname != server.Host {
		text += " (" + server.Hostname + ")"
	}
	return text + "."
}

// acceptFailed counts the failures of a listener.
func (n *node) acceptFailed(listener string) func() {
	return func() { n.metrics.AcceptFailed(listener) }
}

// serve returns when the server has stopped, and whether another process serves on: after a signal, `reverb restart` or what of Laravel
// is the same, or a handover. A second signal cuts the stop short.
func (n *node) serve(signals <-chan os.Signal) (handedOver bool) {
	end := n.waitForEnd(signals)
	n.said.Info(end.text)
	ctx, cut := context.WithCancel(context.Background())
	defer cut()
	stopped := make(chan struct{})
	why := end // a copy: signals that come are counted below
	go func() {
		defer close(stopped)
		n.stop(ctx, why)
	}()
	failed := n.lineage.failed()
	for {
		select {
		case <-stopped:
			return end.handover
		case sig := <-signals:
			if endsServer(sig) {
				end.asked.direct++
				n.lineage.pass(sig)
			}
		case sig := <-n.lineage.signals():
			if endsServer(sig) {
				end.asked.passed++
			}
		case <-failed:
			failed = nil
			n.log.Error("the server that took over has ended: connections are cut")
			cut()
		}
		if end.asked.again() {
			end.asked = asked{}
			n.log.Warn("second signal: connections are cut")
			cut()
		}
	}
}

// close ends everything in the reverse order of the start and waits for it. It also undoes a start that failed half-way.
func (n *node) close(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, closeTimeout)
	defer done()
	n.endListening()
	n.endPage(ctx)
	if n.http != nil {
		n.endHTTP(ctx, n.http)
	}
	if n.poller != nil {
		if err := n.poller.Shutdown(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("the event loops did not end well", "err", err)
		}
	}
	if n.server != nil {
		n.server.Close()
	}
	if n.relay != nil {
		n.relay.Close()
	}
	if n.hub != nil {
		n.hub.Close()
	}
	if n.counts != nil {
		n.counts.Close()
	}
	if n.scrapes != nil {
		n.endHTTP(ctx, n.scrapes)
	}
	n.signal.Close()
	n.endWatchdog()
	n.cancel()
	n.running.Wait()
	n.control.finish()
}

// endListening undoes a start that failed half-way; what has ended stays so.
func (n *node) endListening() {
	n.control.endListening(n.lineage.link == nil) // a next process that fails leaves the socket to the one that goes on
	for _, ln := range n.waiting {
		_ = ln.Close()
	}
}

// endHTTP lets requests that are being answered end, as long as ctx allows.
func (n *node) endHTTP(ctx context.Context, s *http.Server) {
	if err := s.Shutdown(ctx); err != nil {
		_ = s.Close()
	}
}
