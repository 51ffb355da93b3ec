package node

import (
	"net/http"
	"net/http/pprof"
	"time"

	"reverb/metrics"
	"reverb/node/handover"
)

// startMetrics connects the gauges and opens the listener of the metrics, if one is configured. The numbers never
// appear on the public port, where a proxy would show them to everybody.
func (n *Node) startMetrics() error {
	n.engine.metrics.SetGauges(n.gauges())
	conf := n.cfg.Metrics
	if conf.Listen == "" {
		return nil
	}
	all, err := n.listenBeside(handover.Metrics, "metrics.listen", conf.Listen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(conf.Path, n.engine.metrics.Handler())
	if conf.Profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index) // heap, goroutine and the like
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	n.scrapes = newSide(mux, n.log)
	n.scrapes.http.WriteTimeout, n.scrapes.http.IdleTimeout = sideTimeout, 2*time.Minute
	for _, ln := range all {
		n.running.Go(func() { n.scrapes.serve(n.patient(handover.Metrics, ln), "the metrics listener has ended") })
		n.log.Info("metrics are served", "address", ln.Addr().String(), "path", conf.Path)
	}
	return nil
}

// gauges are read at each scrape from the parts that keep the numbers anyway.
func (n *Node) gauges() metrics.Gauges {
	g := metrics.Gauges{
		Channels:      func() float64 { return float64(n.engine.hub.Stats().Channels) },
		Subscriptions: func() float64 { return float64(n.engine.hub.Stats().Subscriptions) },
		Sockets:       func() float64 { return float64(n.engine.poller.Stats().Sockets) },
		OutboxBytes:   func() float64 { return float64(n.engine.poller.Stats().OutboxBytes) },
		Draining:      func() float64 { return n.drainGauge(1) },
		DrainLeft:     func() float64 { return n.drainGauge(n.engine.server.Remaining()) },
		ConfigLoaded:  func() float64 { return float64(n.reloads.loaded.Load()) },
		ConfigRefused: func() float64 { return float64(n.reloads.refused.Load()) },
		BytesIn:       func() float64 { return float64(n.engine.poller.Stats().BytesIn) },
		BytesOut:      func() float64 { return float64(n.engine.poller.Stats().BytesOut) },
		LogDropped:    func() float64 { return float64(n.said.Dropped()) },
		FramesIn:      func() float64 { return float64(n.engine.poller.Stats().FramesIn) },
		PollerRefused: func() map[string]uint64 { return n.engine.poller.Stats().Refused },
		PollerClosed:  func() map[string]uint64 { return n.engine.poller.Stats().Closed },
	}
	if n.cfg.Scaling.Enabled {
		g.RelayUp = func() float64 {
			if n.engine.relay.Status().Up {
				return 1
			}
			return 0
		}
		g.RelayNodes = func() float64 { return float64(n.engine.relay.Status().Nodes) }
		g.RelayWaitingBytes = func() float64 { return float64(n.engine.relay.Status().WaitingBytes) }
	}
	return g
}

// drainGauge is value while the node drains, else 0.
func (n *Node) drainGauge(value int) float64 {
	if !n.draining.Load() {
		return 0
	}
	return float64(value)
}
