package metrics

import (
	"net/http"
	"runtime"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is the counters of one node. All methods may be called from any goroutine.
type Metrics struct {
	// Constant after construction.
	registry *prometheus.Registry
	gauges   *gaugeCollector
	vec      vectors
	refused  *prometheus.CounterVec // app, reason
	dropped  *prometheus.CounterVec // reason
	accepts  *prometheus.CounterVec // listener

	mu sync.RWMutex
	// Guarded by mu.
	apps     map[string]*App
	requests map[string]*requests // by the label of the app
	relay    *Relay               // nil: this node is alone
	pulse    *Pulse               // nil: Laravel Pulse is not told
}

// vectors are the families that are split by app.
type vectors struct {
	connections      *prometheus.GaugeVec
	opened, closed   *prometheus.CounterVec // closed: reason too
	received, sent   *prometheus.CounterVec
	invalid          *prometheus.CounterVec // code too
	published        *prometheus.CounterVec // source too
	requests         *prometheus.CounterVec // route and status too
	uncached         *prometheus.CounterVec // source too
	broadcast, pings *prometheus.HistogramVec
}

// New makes the metrics of a node; version is told in reverb_build_info.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		gauges:   newGaugeCollector(),
		refused:  prometheus.NewCounterVec(nameRefused.counter(), []string{"app", "reason"}),
		dropped:  prometheus.NewCounterVec(nameDropped.counter(), []string{"reason"}),
		accepts:  prometheus.NewCounterVec(nameAcceptFailed.counter(), []string{"listener"}),
		vec: vectors{
			connections: prometheus.NewGaugeVec(nameConnections.gauge(), []string{"app"}),
			opened:      prometheus.NewCounterVec(nameConnectionsOpened.counter(), []string{"app"}),
			closed:      prometheus.NewCounterVec(nameConnectionsClosed.counter(), []string{"app", "reason"}),
			received:    prometheus.NewCounterVec(nameReceived.counter(), []string{"app"}),
			sent:        prometheus.NewCounterVec(nameSent.counter(), []string{"app"}),
			invalid:     prometheus.NewCounterVec(nameInvalid.counter(), []string{"app", "code"}),
			published:   prometheus.NewCounterVec(namePublished.counter(), []string{"app", "source"}),
			requests:    prometheus.NewCounterVec(nameRequests.counter(), []string{"app", "route", "status"}),
			uncached:    prometheus.NewCounterVec(nameUncached.counter(), []string{"app", "source"}),
			broadcast:   prometheus.NewHistogramVec(nameBroadcastSeconds.histogram(broadcastBuckets), []string{"app"}),
			pings:       prometheus.NewHistogramVec(namePingSeconds.histogram(pingBuckets), []string{"app"}),
		},
		apps:     make(map[string]*App),
		requests: make(map[string]*requests),
	}
	v := &m.vec
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(version),
		v.connections, v.opened, v.closed, v.received, v.sent, v.invalid, v.published, v.requests, v.uncached, v.broadcast, v.pings,
		m.refused, m.dropped, m.accepts, m.gauges,
	)
	return m
}

func buildInfo(version string) prometheus.Collector {
	g := prometheus.NewGaugeVec(nameBuildInfo.gauge(), []string{"version", "goversion"})
	g.WithLabelValues(version, runtime.Version()).Set(1)
	return g
}

// Handler answers a scrape, in the text format or OpenMetrics, whichever the scraper asks for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: 8,
		ErrorHandling:       promhttp.ContinueOnError,
	})
}

// App returns the counters of the application with this id, the same ones each time. The id must be one of the configuration: it
// becomes a label value.
func (m *Metrics) App(id string) *App {
	m.mu.RLock()
	a := m.apps[id]
	m.mu.RUnlock()
	if a != nil {
		return a
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.apps[id]; a != nil {
		return a
	}
	a = newApp(&m.vec, id)
	m.apps[id] = a
	return a
}

// Refused counts a connection that was answered with a Pusher error instead of being accepted. An id that was never given to App
// counts as "unknown". reason is a constant of the caller.
func (m *Metrics) Refused(app, reason string) {
	m.mu.RLock()
	_, known := m.apps[app]
	m.mu.RUnlock()
	if !known {
		app = unknown
	}
	m.refused.WithLabelValues(app, reason).Inc()
}

// Dropped counts n messages that were given up. reason is a constant of the caller.
func (m *Metrics) Dropped(reason string, n int) {
	if n > 0 {
		m.dropped.WithLabelValues(reason).Add(float64(n))
	}
}

// AcceptFailed counts a connection that could not be accepted for want of descriptors or memory. listener is a constant of the caller; the
// public port is counted in the gauges.
func (m *Metrics) AcceptFailed(listener string) { m.accepts.WithLabelValues(listener).Inc() }
