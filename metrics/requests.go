package metrics

import (
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Route is what an HTTP request asked for: a closed list, so that it can be a label.
type Route uint8

// The values of Route.
const (
	RouteOther Route = iota // no path of this server
	RouteConnect
	RouteEvents
	RouteBatchEvents
	RouteConnections
	RouteChannels
	RouteChannel
	RouteChannelUsers
	RouteTerminate
	RouteUp
	RouteReady

	routeCount = int(RouteReady) + 1
)

// routeLabels are the patterns of the paths, without the prefix of the server.
var routeLabels = [routeCount]string{
	RouteOther:        "other",
	RouteConnect:      "/app/{key}",
	RouteEvents:       "/apps/{id}/events",
	RouteBatchEvents:  "/apps/{id}/batch_events",
	RouteConnections:  "/apps/{id}/connections",
	RouteChannels:     "/apps/{id}/channels",
	RouteChannel:      "/apps/{id}/channels/{channel}",
	RouteChannelUsers: "/apps/{id}/channels/{channel}/users",
	RouteTerminate:    "/apps/{id}/users/{user}/terminate_connections",
	RouteUp:           "/up",
	RouteReady:        "/ready",
}

func (r Route) String() string { return routeLabels[r] }

// answered are the statuses that a request is answered with; any other is "other".
var answered = [...]int{200, 204, 400, 401, 403, 404, 405, 408, 413, 422, 426, 429, 431, 500, 503, 505}

// Unknown is the label of an app that is not configured.
const Unknown = unknown

// requests counts the HTTP requests of one app. A publish is counted on an event loop, so each counter is looked up once.
type requests struct {
	// Constant after construction.
	app string
	vec *prometheus.CounterVec // app, route, status

	// Atomic.
	counters [routeCount][len(answered) + 1]atomic.Pointer[prometheus.Counter]
}

// Request counts an HTTP request that was answered. app is the id of a configured app, Unknown, or "" when the route is about none.
func (m *Metrics) Request(app string, route Route, status int) {
	m.mu.RLock()
	r := m.requests[app]
	m.mu.RUnlock()
	if r == nil {
		r = m.requestsOf(app)
	}
	r.count(route, status)
}

func (m *Metrics) requestsOf(app string) *requests {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.requests[app]
	if r == nil {
		r = &requests{app: app, vec: m.vec.requests}
		m.requests[app] = r
	}
	return r
}

func (r *requests) count(route Route, status int) {
	at, label := len(answered), "other"
	for i, s := range answered {
		if s == status {
			at = i
			break
		}
	}
	counter := r.counters[route][at].Load()
	if counter == nil {
		if at < len(answered) {
			label = strconv.Itoa(status)
		}
		c := r.vec.WithLabelValues(r.app, route.String(), label)
		counter = &c
		r.counters[route][at].Store(counter)
	}
	(*counter).Inc()
}
