package dashboard

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"reverb/config"
	"reverb/metrics"
	"reverb/server"
)

// Options is what a Dashboard is made of. All must be set.
type Options struct {
	Config  *config.Config
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
	proxies []netip.Prefix // whose word about the client is taken
	maxBody int64
	log     *slog.Logger
	node    nodeInfo
	gate    *gate
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
		proxies: o.Config.Server.Proxies(),
		maxBody: o.Config.Server.MaxRequestSize + 4096,
		log:     o.Log,
		node:    nodeInfo{Name: o.Name, Version: o.Version, Started: time.Now().UnixMilli()},
		gate:    newGate(&o.Config.Dashboard),
		history: newHistory(o.Metrics),
		tails:   newTails(o.Server),
		walks:   make(chan struct{}, maxWalks),
		stop:    stop,
	}
	d.running.Go(func() { d.history.run(ctx) })
	return d
}

// Close ends the streams of the tail and the history, and waits for the latter.
func (d *Dashboard) Close() {
	d.tails.close()
	d.stop()
	d.running.Wait()
}

// Handler answers the page and what it asks for.
func (d *Dashboard) Handler() http.Handler {
	m := http.NewServeMux()
	m.Handle("GET /", assets())
	m.HandleFunc("GET /api/session", d.session)
	m.HandleFunc("POST /api/login", d.login)
	m.HandleFunc("POST /api/logout", d.logout)
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
		m.HandleFunc(pattern, d.loggedIn(h))
	}
	return secured(d.sameSite(m))
}

// ofApp finds the application that the path names.
func (d *Dashboard) ofApp(h func(http.ResponseWriter, *http.Request, *config.App)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conf := d.server.App(r.PathValue("app"))
		if conf == nil {
			fail(w, http.StatusNotFound, "There is no such application.")
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

// answer writes v as JSON.
func answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		fail(w, http.StatusInternalServerError, "The answer could not be written.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // the browser may have gone
}

// fail writes an error that the page shows.
func fail(w http.ResponseWriter, status int, text string) {
	body, _ := json.Marshal(map[string]string{"error": text}) // a string is always JSON
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// read takes the JSON body of a request; false: it was answered with an error.
func (d *Dashboard) read(w http.ResponseWriter, r *http.Request, v any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, d.maxBody))
	if err := decoder.Decode(v); err != nil {
		fail(w, http.StatusBadRequest, "The request cannot be read, or is too long.")
		return false
	}
	return true
}
