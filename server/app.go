package server

import (
	"sync/atomic"

	"reverb/config"
	"reverb/metrics"
	"reverb/protocol"
)

// app is one application on this node: its configuration, its counters and the values that follow from both. It
// outlives a reload that changes it, and its connections with it.
type app struct {
	// Constant after construction.
	server  *Server
	id      string
	metrics *metrics.App

	// Atomic.
	settings   atomic.Pointer[settings] // those of the last reload
	open       atomic.Int64             // connections that were admitted and are not closed
	subscribed atomic.Int64             // of these, with at least one subscription
}

// settings are one configuration of an app. They never change: the handler of a message or a request takes them once,
// at its beginning, so that it is judged by one configuration.
type settings struct {
	*config.App
	app        *app
	maxMessage int64           // bytes of one client message; the server's ceiling when the app sets none
	closed     *protocol.Error // why the app has no connections; nil: it may have some
}

func newApp(s *Server, conf *config.App) *app {
	return &app{server: s, id: conf.ID, metrics: s.metrics.App(conf.ID)}
}

// configured makes settings of conf. They do not hold before they are stored.
func (a *app) configured(conf *config.App) *settings {
	// A reloaded file may have another ceiling, which needs a restart.
	set := &settings{App: conf, app: a, maxMessage: conf.MessageLimit(a.server.limits.MaxMessageSize)}
	if !conf.Enabled {
		set.closed = protocol.ErrAppDisabled
	}
	return set
}

// retire is for an app that the configuration does not have any more: its last settings, without connections.
func (a *app) retire() {
	set := *a.settings.Load()
	set.closed = protocol.ErrUnknownApp
	a.settings.Store(&set)
}

// CacheLimit is how many bytes the cached events of an app may have, those of clients or those of the HTTP API; 0: any
// number.
func (s *Server) CacheLimit(appID string, client bool) int64 {
	conf := s.apps.configured(appID)
	switch {
	case conf == nil:
		return 1 // it is gone: nothing is kept any more
	case client:
		return conf.ClientCacheBytes
	}
	return conf.CacheBytes
}

// Uncached counts an event that was not kept for want of room.
func (s *Server) Uncached(appID string, client bool) {
	a := s.apps.get(appID)
	switch {
	case a == nil:
	case client:
		a.metrics.Uncached(metrics.SourceClient)
	default:
		a.metrics.Uncached(metrics.SourceAPI)
	}
}

// conf is the app as it is configured at this moment.
func (a *app) conf() *config.App { return a.settings.Load().App }

// full reports whether the app has all the connections it may have.
func (a *app) full(conf *config.App) bool {
	most, limited := a.most(conf)
	return limited && a.open.Load() >= most
}

// enter takes a place for one connection; false: there is none. A compare-and-swap, because counting first and taking
// back would for a moment turn away others that fit.
func (a *app) enter(conf *config.App) bool {
	most, limited := a.most(conf)
	for {
		n := a.open.Load()
		if limited && n >= most {
			return false
		}
		if a.open.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// most is how many connections this node may have: the rest that the others leave of the app's limit. Their number is
// known as of about a second ago, so that a rush to all nodes at once can go over the limit by the connections of that
// second.
func (a *app) most(conf *config.App) (n int64, limited bool) {
	if conf.MaxConnections <= 0 {
		return 0, false
	}
	n = int64(conf.MaxConnections)
	if a.server.others != nil {
		n -= int64(a.server.others.OtherConnections(a.id))
	}
	return n, true
}

func (a *app) leave() { a.open.Add(-1) }
