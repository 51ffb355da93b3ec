package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"reverb/config"
	"reverb/internal/listener"
	"reverb/laravel/pulse"
	"reverb/laravel/restart"
	"reverb/management"
	"reverb/metrics"
	"reverb/node/certificate"
	"reverb/node/handover"
	"reverb/node/journal"
)

// CloseTimeout is what HTTP requests that are being answered, and the last bytes of closed connections, get after the
// drain; of its time only what is left.
const CloseTimeout = 5 * time.Second

// Options say what a Node is made of. All must be set but Debug.
type Options struct {
	Config  *config.Config
	Journal *journal.Journal
	Process *handover.Process
	Environ []string
	Version string // of the program
	Debug   bool   // the journal shows the stream of data
}

// Node is one running server with everything that belongs to it. Start makes it, Serve runs it to its end; all of its
// methods belong to the goroutine that does so.
type Node struct {
	// Constant after Start. Those that may be missing are nil then.
	cfg     *config.Config
	said    *journal.Journal
	log     *slog.Logger // that of said
	process *handover.Process
	version string
	secure  bool
	port    int                // bound; differs from the configuration when that says 0
	address string             // to show: as configured, with that port
	self    string             // where this process reaches itself
	waiting []*net.TCPListener // not yet the poller's
	engine  *engine
	reloads *reloader
	scrapes *side           // of metrics, on their own address; nil = off
	counts  *pulse.Recorder // nil: Laravel Pulse is not told
	surface *management.Surface
	page    *page              // the dashboard; nil = off
	orders  *management.Orders // of operators
	socket  *management.Socket // nil: it could not be made
	signal  *restart.Watcher   // of `php artisan reverb:restart`; nil = off

	// Goroutines that are not owned by one of the above.
	running sync.WaitGroup
	cancel  context.CancelFunc // ends those of them that do not end with a listener

	endWatchdog context.CancelFunc
	draining    atomic.Bool // from the moment when there is a reason to end
}

// Start starts everything, the listeners last: from then on clients are answered. What was started is stopped again on
// an error.
func Start(o Options) (_ *Node, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	n := &Node{
		cfg: o.Config, said: o.Journal, log: o.Journal.Log(), process: o.Process, version: o.Version,
		cancel: cancel, endWatchdog: func() {},
	}
	n.engine = &engine{cfg: n.cfg, log: n.log, metrics: metrics.New(n.version)}
	n.surface = management.NewSurface(n.cfg, n.log)
	defer func() {
		if err != nil {
			n.close(ctx)
		}
	}()
	pair, err := certificate.Of(n.cfg.Server)
	if err != nil {
		return nil, err
	}
	n.secure = pair != nil
	if err = n.bind(); err != nil {
		return nil, err
	}
	var stream *journal.Trace
	if o.Debug {
		stream = n.said.Trace()
	}
	if err = n.engine.start(n.version, stream); err != nil {
		return nil, err
	}
	n.reloads = newReloader(n.cfg, n.engine.apply, n.log)
	n.orders = management.NewOrders(n.address, n.engine.clientAddress, n.log)
	n.orders.Register(n.surface)
	if err = n.startBeside(pair); err != nil {
		return nil, err
	}
	n.running.Go(n.engine.serveHTTP)
	if err = n.openSocket(o.Environ); err != nil {
		return nil, err
	}
	if err = n.serveListeners(pair); err != nil {
		return nil, err
	}
	n.process.Sockets().Seal()
	n.watch(ctx, pair)
	if n.cfg.Server.Watch {
		n.running.Go(func() { n.reloads.watch(ctx) })
	}
	return n, n.process.Ready()
}

// startBeside starts what goes on beside the engine.
func (n *Node) startBeside(pair *certificate.Pair) error {
	if err := n.startMetrics(); err != nil {
		return err
	}
	if err := n.startPulse(); err != nil {
		return err
	}
	for _, slip := range n.cfg.Slips() {
		n.log.Warn("a variable is not read", "name", slip.Name, "at", slip.Place, "meant", slip.Meant)
	}
	if err := n.startSignal(); err != nil {
		return err
	}
	return n.startPage(pair)
}

// startPulse begins to count messages for Laravel Pulse, if that is wanted. Its database need not be there yet.
func (n *Node) startPulse() (err error) {
	if !n.cfg.Pulse.Enabled {
		return nil
	}
	if n.counts, err = newRecorder(n.cfg, n.engine.metrics, n.log); err != nil {
		return err
	}
	n.counts.Start()
	return nil
}

func newRecorder(cfg *config.Config, m *metrics.Metrics, log *slog.Logger) (*pulse.Recorder, error) {
	return pulse.New(pulse.Options{Config: cfg, Counts: m.AppCounts, Metrics: m.Pulse(), Log: log})
}

// startSignal begins to look for Laravel's own restart signal, when the cache that it comes through is known.
func (n *Node) startSignal() (err error) {
	conf := n.cfg.Laravel.Cache
	if conf.Signal && conf.Trouble != "" {
		n.log.Warn("`php artisan reverb:restart` does not reach this server; `reverb restart` does", "laravel.cache_store", conf.Store+conf.Other, "err", conf.Trouble)
		return nil
	}
	if !heedsSignal(conf) {
		return nil
	}
	n.signal, err = restart.New(conf, n.log)
	return err
}

func heedsSignal(c config.Cache) bool { return c.Signal && c.Store != "" }

// openSocket opens the control socket, through which the orders of operators come.
func (n *Node) openSocket(environ []string) (err error) {
	n.socket, err = management.Open(management.SocketOptions{
		Sockets: n.process.Sockets(), Path: n.cfg.Server.ControlSocket, Environ: environ, Port: n.port,
		Orders: n.orders, Surface: n.surface, Log: n.log, AcceptFailed: n.acceptFailed(handover.Control),
	})
	return err
}

// bind opens the port of the server, or takes over what the process before or the service manager has opened.
func (n *Node) bind() (err error) {
	conf := n.cfg.Server
	n.waiting, err = n.process.Listen(handover.Server, listener.Show(conf.Host, conf.Port), func() (net.Listener, error) {
		return listener.Open(conf.Host, conf.Port)
	})
	if err != nil && !n.process.First() {
		return fmt.Errorf("%w\nThe address has changed since the start. A handover keeps the old one open meanwhile: use a plain `reverb restart`", err)
	}
	if err != nil {
		return err
	}
	first := n.waiting[0]
	n.port, n.self = listener.Port(first), selfAddress(first)
	n.address = listener.Show(conf.Host, n.port)
	if n.process.Sockets().Activated(handover.Server) {
		n.address = first.Addr().String()
	}
	return nil
}

// serveListeners begins to accept.
func (n *Node) serveListeners(pair *certificate.Pair) error {
	for len(n.waiting) > 0 {
		ln := n.waiting[0]
		if err := n.engine.poller.Serve(ln, pair.TLSConfig()); err != nil {
			return fmt.Errorf("serve %s: %w", ln.Addr(), err)
		}
		n.waiting = n.waiting[1:] // the poller's now
	}
	return nil
}

// watch tells the service manager that all is well, and reloads the certificate when its files change.
func (n *Node) watch(ctx context.Context, pair *certificate.Pair) {
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

// Banner is Reverb's: host and port, then the prefix of the routes.
func (n *Node) Banner() string {
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
func (n *Node) acceptFailed(listener string) func() {
	return func() { n.engine.metrics.AcceptFailed(listener) }
}

// Serve returns when the server has stopped, and whether another process serves on: after a signal, `reverb restart` or
// what of Laravel is the same, or a handover. A second signal cuts the stop short.
func (n *Node) Serve(signals <-chan os.Signal) (handedOver bool) {
	end := n.waitForReason(signals)
	n.said.Info(end.text)
	ctx, cut := context.WithCancel(context.Background())
	defer cut()
	stopped := make(chan struct{})
	why := end // a copy: signals that come are counted below
	go func() {
		defer close(stopped)
		stop{n, why}.run(ctx)
	}()
	failed := n.process.NextEnded()
	for {
		select {
		case <-stopped:
			return end.handover
		case sig := <-signals:
			if handover.Stops(sig) {
				end.asked.direct++
				n.process.Pass(sig)
			}
		case sig := <-n.process.Signals():
			if handover.Stops(sig) {
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

// close ends everything in the reverse order of the start and waits for it. It also undoes a start that failed
// half-way.
func (n *Node) close(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, CloseTimeout)
	defer done()
	n.endListening()
	n.page.end(ctx)
	n.engine.close(ctx)
	if n.counts != nil {
		n.counts.Close()
	}
	n.scrapes.end(ctx)
	n.signal.Close()
	n.endWatchdog()
	n.cancel()
	n.running.Wait()
	n.socket.Finish()
}

// endListening undoes a start that failed half-way; what has ended stays so.
func (n *Node) endListening() {
	n.socket.EndListening(n.process.First()) // a next process that fails leaves the socket to the one that goes on
	for _, ln := range n.waiting {
		_ = ln.Close()
	}
}
