package server

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/internal/logging"
	"reverb/metrics"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/transport"
)

// Options are the parts of a Server. All but Trace must be set.
type Options struct {
	Config  *config.Config
	Hub     *channels.Hub
	Relay   scaling.Relay // a scaling.Cluster if there are, or may be, other nodes
	Metrics *metrics.Metrics
	Log     *slog.Logger
	Trace   Trace // the stream of data of `start --debug`; nil = off
}

// Server is the Pusher server of one node: the transport's Handler, and the answers of the HTTP API. LocalNode answers
// its relay, Inspector a person. All methods may be called from any goroutine.
type Server struct {
	// Constant after construction.
	prefix  string // of the paths: "" or "/a/b"
	limits  config.Limits
	drain   time.Duration // over which the connections of an app that is gone are closed
	hub     *channels.Hub
	relay   scaling.Monitor
	metrics *metrics.Metrics
	trouble *logging.Throttle
	trace   Trace
	clock   clock

	// Constant after construction; nil on a node that is alone.
	joiner       scaling.Joiner
	others       scaling.Querier
	relayMetrics *metrics.Relay

	apps      *apps
	sessions  registry
	events    publisher
	node      LocalNode
	inspector Inspector

	leaving   atomic.Bool // not ready, and serving
	draining  atomic.Bool
	dismissed atomic.Bool // draining, and the port closes
	reload    sync.Mutex  // held by Reload; taken before all others

	stop     chan struct{} // closed by Close
	stopOnce sync.Once
	running  sync.WaitGroup // the sweep, and the closes that Reload leaves to be done
}

// New makes a server that is ready for Open; Start begins the sweep. The hub and the relay stay the caller's to close.
func New(o Options) *Server {
	cluster, scaled := o.Relay.(scaling.Cluster)
	s := &Server{
		prefix:  o.Config.Server.Prefix(),
		limits:  o.Config.Server.Limits,
		drain:   o.Config.Server.DrainTimeout,
		hub:     o.Hub,
		relay:   o.Relay,
		metrics: o.Metrics,
		trouble: logging.NewThrottle(o.Log, complaintEvery),
		trace:   o.Trace,
		clock:   startClock(),
		apps:    newApps(),
		stop:    make(chan struct{}),
	}
	s.events = publisher{scaled: scaled, relay: o.Relay, hub: o.Hub, metrics: o.Metrics, trouble: s.trouble, trace: o.Trace}
	s.node = LocalNode{apps: s.apps, hub: o.Hub, events: &s.events}
	s.inspector = Inspector{apps: s.apps, sessions: &s.sessions, hub: o.Hub, relay: o.Relay, events: &s.events}
	if scaled {
		s.joiner, s.others, s.relayMetrics = cluster, cluster, o.Metrics.Relay()
	}
	s.Reload(o.Config.Apps)
	return s
}

// Node is the handler for the relay's Start.
func (s *Server) Node() *LocalNode { return &s.node }

// Inspector is for a person who looks at the node.
func (s *Server) Inspector() *Inspector { return &s.inspector }

// Start begins the sweep: ping and prune, once a second, until Close.
func (s *Server) Start() {
	s.running.Go(s.sweepUntilStopped)
}

// Close stops the sweep and waits for it. Sessions are left to Drain and to the transport.
func (s *Server) Close() {
	s.stopOnce.Do(func() {
		s.reload.Lock() // nothing new is begun afterwards
		defer s.reload.Unlock()
		close(s.stop)
	})
	s.running.Wait()
}

// App returns the application with this id as it is configured now, nil if there is none. A request asks once, and is
// handled by that configuration.
func (s *Server) App(id string) *config.App { return s.apps.configured(id) }

// Ready reports whether new connections are welcome: false from the first moment of leaving.
func (s *Server) Ready() bool { return !s.leaving.Load() && !s.draining.Load() }

// Degraded reports whether the other nodes cannot be reached: clients of this node are served, and hear nothing of the
// others. It is no reason to send clients elsewhere, for a Redis that is gone is gone for all nodes.
func (s *Server) Degraded() bool { return !s.relay.Status().Up }

// Refused is the code with which Redis, though it is reached, refuses the commands that the nodes need; empty when it
// does not.
func (s *Server) Refused() string { return s.relay.Status().Refused }

// Open takes a new WebSocket: it becomes a session of its app, or is refused. Part of transport.Handler.
func (s *Server) Open(c transport.Conn, r *transport.Request) transport.Receiver {
	id := protocol.NewSocketID()
	a, conf, refusal := s.admit(r)
	if refusal != nil {
		s.complain(r, conf, refusal)
		return s.refuse(c, conf, id, refusal)
	}
	ss := &Session{app: a, conn: c, id: id}
	ss.subs.session = ss
	ss.signs.begin(s.clock.now())
	s.sessions.add(ss)
	ss.bound() // after add: a reload bounds those that it finds
	a.metrics.Connected()
	ss.reply(protocol.ConnectionEstablishedMessage(id, conf.ActivityTimeout))
	if s.trace != nil {
		s.trace.Established(id.String())
	}
	if s.draining.Load() {
		ss.drain() // begun since admit looked; the drain may have missed this session in its list
	}
	ss.leaveApp() // likewise for a reload that took the app away
	return ss
}

var _ transport.Handler = (*Server)(nil)
