package server

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/poller"
	"reverb/protocol"
	"reverb/scaling"
)

// Options is what a Server is made of. All but Trace must be set.
type Options struct {
	Config  *config.Config
	Hub     *channels.Hub
	Relay   scaling.Relay
	Metrics *metrics.Metrics
	Log     *slog.Logger
	Trace   Trace // the stream of data of `start --debug`; nil = off
}

// Server is the Pusher server of one node: the poller's Handler, the relay's Handler, and what the HTTP API asks. All methods may be
// called from any goroutine.
type Server struct {
	// Constant after construction.
	prefix  string // of the paths: "" or "/a/b"
	limits  config.Limits
	scaled  bool // other nodes may have subscribers
	hub     *channels.Hub
	relay   scaling.Relay
	metrics *metrics.Metrics
	log     *slog.Logger
	trace   Trace
	clock   clock

	relayMetrics *metrics.Relay // nil on a single node

	apps map[string]*app // by key
	byID map[string]*app

	sessions registry
	draining atomic.Bool
	watch    atomic.Pointer[Watch] // nil while nobody looks

	stop     chan struct{} // closed by Close
	stopOnce sync.Once
	running  sync.WaitGroup // the sweep
}

// New makes a server that is ready for Open; Start begins the sweep. The hub and the relay stay the caller's to close.
func New(o Options) *Server {
	s := &Server{
		prefix:  o.Config.Server.Prefix(),
		limits:  o.Config.Server.Limits,
		scaled:  o.Config.Scaling.Enabled,
		hub:     o.Hub,
		relay:   o.Relay,
		metrics: o.Metrics,
		log:     o.Log,
		trace:   o.Trace,
		clock:   startClock(),
		apps:    make(map[string]*app, len(o.Config.Apps)),
		byID:    make(map[string]*app, len(o.Config.Apps)),
		stop:    make(chan struct{}),
	}
	if s.scaled {
		s.relayMetrics = o.Metrics.Relay()
	}
	for _, conf := range o.Config.Apps {
		if s.apps[conf.Key] != nil || s.byID[conf.ID] != nil {
			continue // the first in the list wins (Reverb: ConfigApplicationProvider)
		}
		a := newApp(s, conf)
		s.apps[conf.Key], s.byID[conf.ID] = a, a
	}
	return s
}

// Start begins the sweep: ping and prune, once a second, until Close.
func (s *Server) Start() {
	s.running.Go(s.sweepUntilStopped)
}

// Close stops the sweep and waits for it. Sessions are left to Drain and to the poller.
func (s *Server) Close() {
	s.stopOnce.Do(func() { close(s.stop) })
	s.running.Wait()
}

// extras is what a session of the app has besides.
func (s *Server) extras(conf *config.App) *more {
	m := new(more)
	if conf.RateLimit.Enabled {
		m.rate = new(rateWindow)
	}
	if s.scaled {
		m.joins = new(joins)
	}
	return m
}

// App returns the application with this id, nil if there is none.
func (s *Server) App(id string) *config.App {
	if a := s.byID[id]; a != nil {
		return a.conf
	}
	return nil
}

// Ready reports whether new connections are welcome: false from the first moment of draining.
func (s *Server) Ready() bool { return !s.draining.Load() }

// Degraded reports whether the other nodes cannot be reached: clients of this node are served, and hear nothing of the others. It is
// no reason to send clients elsewhere, for a Redis that is gone is gone for all nodes.
func (s *Server) Degraded() bool { return s.scaled && !s.relay.Status().Up }

// Open takes a new WebSocket: it becomes a session of its app, or is refused. Part of poller.Handler.
func (s *Server) Open(c poller.Conn, r *poller.Request) poller.Receiver {
	id := protocol.NewSocketID()
	a, refusal := s.admit(r)
	if refusal != nil {
		return s.refuse(c, a, id, refusal)
	}
	c.SetMaxMessage(a.maxMessage)
	now := s.clock.now()
	ss := &Session{app: a, conn: c, id: id, opened: uint32(now / time.Second)}
	ss.lastSeen.Store(int64(now))
	if a.conf.RateLimit.Enabled || s.scaled {
		ss.more = s.extras(a.conf)
	}
	s.sessions.add(ss)
	a.metrics.Connected()
	ss.reply(protocol.ConnectionEstablishedFrame(id, a.conf.ActivityTimeout))
	if s.trace != nil {
		s.trace.Established(id.String())
	}
	if s.draining.Load() {
		ss.drain() // begun since admit looked; the drain may have missed this session in its list
	}
	return ss
}
