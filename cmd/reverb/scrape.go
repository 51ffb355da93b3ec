package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"reverb/internal/listener"
	"reverb/metrics"
	"reverb/node/handover"
)

// scrapeTimeout bounds each phase of a request for the metrics.
const scrapeTimeout = 10 * time.Second

// startMetrics connects the gauges and opens the listener of the metrics, if one is configured. The numbers never appear on the public
// port, where a proxy would show them to everybody.
func (n *node) startMetrics() error {
	n.metrics.SetGauges(n.gauges())
	if n.cfg.Metrics.Listen == "" {
		return nil
	}
	all, err := n.lineage.listen(handover.Metrics, n.cfg.Metrics.Listen, func() (net.Listener, error) {
		return new(net.ListenConfig).Listen(context.Background(), "tcp", n.cfg.Metrics.Listen)
	})
	if err != nil {
		return fmt.Errorf("listen on metrics.listen = %q: %s", n.cfg.Metrics.Listen, listener.Reason(err))
	}
	mux := http.NewServeMux()
	mux.Handle(n.cfg.Metrics.Path, n.metrics.Handler())
	if n.cfg.Metrics.Profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index) // heap, goroutine and the like
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	n.scrapes = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: scrapeTimeout,
		ReadTimeout:       scrapeTimeout,
		WriteTimeout:      scrapeTimeout,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	for _, ln := range all {
		n.running.Go(func() {
			if err := n.scrapes.Serve(listener.Patient(ln, n.log, n.acceptFailed(handover.Metrics))); !errors.Is(err, http.ErrServerClosed) {
				n.log.Error("the metrics listener has ended", "err", err)
			}
		})
		n.log.Info("metrics are served", "address", ln.Addr().String(), "path", n.cfg.Metrics.Path)
	}
	return nil
}

// gauges are read at each scrape from those who keep the numbers anyway.
func (n *node) gauges() metrics.Gauges {
	g := metrics.Gauges{
		Channels:      func() float64 { return float64(n.hub.Stats().Channels) },
		Subscriptions: func() float64 { return float64(n.hub.Stats().Subscriptions) },
		Sockets:       func() float64 { return float64(n.poller.Stats().Sockets) },
		OutboxBytes:   func() float64 { return float64(n.poller.Stats().OutboxBytes) },
		Draining:      func() float64 { return n.drainGauge(1) },
		DrainLeft:     func() float64 { return n.drainGauge(n.server.Remaining()) },
		ConfigLoaded:  func() float64 { return float64(n.reloads.loaded.Load()) },
		ConfigRefused: func() float64 { return float64(n.reloads.refused.Load()) },
		BytesIn:       func() float64 { return float64(n.poller.Stats().BytesIn) },
		BytesOut:      func() float64 { return float64(n.poller.Stats().BytesOut) },
		LogDropped:    func() float64 { return float64(n.said.Dropped()) },
		FramesIn:      func() float64 { return float64(n.poller.Stats().FramesIn) },
		PollerRefused: func() map[string]uint64 { return n.poller.Stats().Refused },
		PollerClosed:  func() map[string]uint64 { return n.poller.Stats().Closed },
	}
	if n.cfg.Scaling.Enabled {
		g.RelayUp = func() float64 {
			if n.relay.Status().Up {
				return 1
			}
			return 0
		}
		g.RelayNodes = func() float64 { return float64(n.relay.Status().Nodes) }
		g.RelayWaitingBytes = func() float64 { return float64(n.relay.Status().WaitingBytes) }
	}
	return g
}

// drainGauge is value while the node drains, else 0.
func (n *node) drainGauge(value int) float64 {
	if !n.draining.Load() {
		return 0
	}
	return float64(value)
}
