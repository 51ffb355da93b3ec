package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Sources of a published event.
const (
	SourceAPI    = "api"    // the HTTP API
	SourceClient = "client" // a client event
)

// codes are the Pusher error codes that a client message may be answered with; any other code counts as "other".
var codes = [...]int{4001, 4003, 4004, 4006, 4007, 4008, 4009, 4100, 4200, 4201, 4301, 4302}

// App is the counters of one application, looked up once and kept: what is called for each message is one atomic operation
// afterwards; Disconnected looks its reason up. All methods may be called from any goroutine.
type App struct {
	// Constant after construction.
	id           string
	connections  prometheus.Gauge
	opened       prometheus.Counter
	closed       *prometheus.CounterVec // app, reason
	received     prometheus.Counter
	sent         prometheus.Counter
	invalid      [len(codes)]prometheus.Counter // as codes
	invalidOther prometheus.Counter
	api          prometheus.Counter
	client       prometheus.Counter
	uncached     *prometheus.CounterVec // app, source
	broadcast    prometheus.Observer
	pings        prometheus.Observer
}

func newApp(v *vectors, id string) *App {
	a := &App{
		id:           id,
		connections:  v.connections.WithLabelValues(id),
		opened:       v.opened.WithLabelValues(id),
		closed:       v.closed,
		received:     v.received.WithLabelValues(id),
		sent:         v.sent.WithLabelValues(id),
		invalidOther: v.invalid.WithLabelValues(id, "other"),
		api:          v.published.WithLabelValues(id, SourceAPI),
		client:       v.published.WithLabelValues(id, SourceClient),
		uncached:     v.uncached,
		broadcast:    v.broadcast.WithLabelValues(id),
		pings:        v.pings.WithLabelValues(id),
	}
	for i, code := range codes {
		a.invalid[i] = v.invalid.WithLabelValues(id, strconv.Itoa(code))
	}
	return a
}

// Connected counts a connection that was accepted.
func (a *App) Connected() {
	a.connections.Inc()
	a.opened.Inc()
}

// Disconnected counts the end of a connection that Connected has counted. reason is a constant of the caller.
func (a *App) Disconnected(reason string) {
	a.connections.Dec()
	a.closed.WithLabelValues(a.id, reason).Inc()
}

// Received counts one message from a client.
func (a *App) Received() { a.received.Inc() }

// Invalid counts a message that was answered with the error of this code.
func (a *App) Invalid(code int) {
	for i := range codes {
		if codes[i] == code {
			a.invalid[i].Inc()
			return
		}
	}
	a.invalidOther.Inc()
}

// Sent counts n deliveries.
func (a *App) Sent(n int) {
	if n > 0 {
		a.sent.Add(float64(n))
	}
}

// Published counts one event for one channel; source is one of the constants.
func (a *App) Published(source string) {
	if source == SourceClient {
		a.client.Inc()
	} else {
		a.api.Inc()
	}
}

// BroadcastSeconds records one pass over the subscribers of a channel.
func (a *App) BroadcastSeconds(s float64) { a.broadcast.Observe(s) }

// PingSeconds records the time between a ping and its answer.
func (a *App) PingSeconds(s float64) { a.pings.Observe(s) }

// Uncached counts a last event of a cache channel that was not kept, or had to go; source is one of the Source constants.
func (a *App) Uncached(source string) { a.uncached.WithLabelValues(a.id, source).Inc() }
