package dashboard

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"reverb/config"
	"reverb/management"
	"reverb/metrics"
	"reverb/server"
)

// Options is what a Dashboard is made of. All must be set.
type Options struct {
	Config  *config.Config
	Surface *management.Surface // gets the page and what it asks for
	Server  *server.Server
	Metrics *metrics.Metrics
	Log     *slog.Logger
	Version string
	Name    string // of the node, for people: the host's
}

// Dashboard answers the requests of the live page. All methods may be called from any goroutine.
type Dashboard struct {
	// Constant after New.
	server  *server.Server
	inspect *server.Inspector
	maxBody int64
	log     *slog.Logger
	node    nodeInfo
	history *history
	tails   *tails
	walks   chan struct{} // a place for each list that is being made

	stop    context.CancelFunc
	running sync.WaitGroup
}

// nodeInfo tells which node the page is of.
type nodeInfo struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Started int64  `json:"started"` // Unix milliseconds
}

// maxWalks is how many lists are made at the same time.
const maxWalks = 2

// New makes a dashboard and starts to collect its history. Close ends it.
func New(o Options) *Dashboard {
	ctx, stop := context.WithCancel(context.Background())
	d := &Dashboard{
		server:  o.Server,
		inspect: o.Server.Inspector(),
		maxBody: o.Config.Server.MaxRequestSize + 4096,
		log:     o.Log,
		node:    nodeInfo{Name: o.Name, Version: o.Version, Started: time.Now().UnixMilli()},
		history: newHistory(o.Metrics),
		tails:   newTails(o.Server.Inspector()),
		walks:   make(chan struct{}, maxWalks),
		stop:    stop,
	}
	d.register(o.Surface)
	d.running.Go(func() { d.history.run(ctx) })
	return d
}

// Close ends the streams of the tail and the history, and waits for the latter.
func (d *Dashboard) Close() {
	d.tails.close()
	d.stop()
	d.running.Wait()
}

// register adds the page, and what it asks for, to a surface.
func (d *Dashboard) register(s *management.Surface) {
	s.Handle("GET /", management.Anybody, assets().ServeHTTP)
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /api/stats":                          d.stats,
		"GET /api/apps":                           d.apps,
		"GET /api/apps/{app}/channels":            d.ofApp(d.channels),
		"GET /api/apps/{app}/channel":             d.ofApp(d.channel),
		"GET /api/apps/{app}/tail":                d.ofApp(d.tail),
		"POST /api/apps/{app}/events":             d.ofApp(d.publish),
		"POST /api/apps/{app}/users/close":        d.ofApp(d.closeUser),
		"GET /api/connections":                    d.connections,
		"GET /api/connections/{socket_id}":        d.connection,
		"POST /api/connections/{socket_id}/close": d.closeConnection,
	} {
		s.Handle(pattern, management.Viewer, h)
	}
}

// ofApp finds the application that the path names.
func (d *Dashboard) ofApp(h func(http.ResponseWriter, *http.Request, *config.App)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conf := d.server.App(r.PathValue("app"))
		if conf == nil {
			management.Fail(w, http.StatusNotFound, "There is no such application.")
			return
		}
		h(w, r, conf)
	}
}

// walk waits for a place to make a list in; false: the browser has gone.
func (d *Dashboard) walk(r *http.Request) (done func(), ok bool) {
	select {
	case d.walks <- struct{}{}:
		return func() { <-d.walks }, true
	case <-r.Context().Done():
		return nil, false
	}
}
