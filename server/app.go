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
	most, limited := a.most()
	return limited && a.open.Load() >= most
}

// enter takes a place for one connection; false: there is none. A compare-and-swap, because counting first and taking back would
// for a moment turn away others that fit.
func (a *app) enter() bool {
	most, limited := a.most()
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

// most is how many connections this node may have: what the others leave of the app's limit. How many they have is known as of about
// a second ago, so that a rush to all nodes at once can go over the limit by what comes in that second.
func (a *app) most() (n int64, limited bool) {
	if a.conf.MaxConnections <= 0 {
		return 0, false
	}
	n = int64(a.conf.MaxConnections)
	if a.server.scaled {
		n -= int64(a.server.relay.OtherConnections(a.conf.ID))
	}
	return n, true
}

func (a *app) leave() { a.open.Add(-1) }
