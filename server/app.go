package server

import (
	"sync/atomic"

	"reverb/config"
	"reverb/metrics"
)

// app is one application on this node: its configuration, its counters and what is derived from both.
type app struct {
	// Constant after construction.
	server     *Server
	conf       *config.App
	metrics    *metrics.App
	maxMessage int64 // bytes of one client message; the server's ceiling when the app sets none

	// Atomic.
	open       atomic.Int64 // connections that were admitted and are not closed
	subscribed atomic.Int64 // of these, with at least one subscription
}

func newApp(s *Server, conf *config.App) *app {
	a := &app{
		server:     s,
		conf:       conf,
		metrics:    s.metrics.App(conf.ID),
		maxMessage: conf.MaxMessageSize,
	}
	if a.maxMessage == 0 {
		a.maxMessage = s.limits.MaxMessageSize
	}
	return a
}

// full reports whether the app has all the connections it may have.
func (a *app) full() bool {
	limit := a.conf.MaxConnections
	return limit > 0 && a.open.Load() >= int64(limit)
}

// enter takes a place for one connection; false: there is none. A compare-and-swap, because counting first and taking back would
// for a moment turn away others that fit.
func (a *app) enter() bool {
	for {
		n := a.open.Load()
		if limit := a.conf.MaxConnections; limit > 0 && n >= int64(limit) {
			return false
		}
		if a.open.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (a *app) leave() { a.open.Add(-1) }
