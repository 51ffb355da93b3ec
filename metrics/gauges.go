package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Gauges are functions read at each scrape, for what other packages count anyway. A nil one is left out of the answer. They are
// called from the scrape's goroutine, so they must be safe for that and must not wait.
type Gauges struct {
	Channels, Subscriptions, Sockets, OutboxBytes func() float64
	Draining, DrainLeft                           func() float64
	ConfigLoaded, ConfigRefused                   func() float64           // seconds since 1970; 0 or 1
	RelayUp, RelayNodes, RelayWaitingBytes        func() float64           // nil when the node is alone
	BytesIn, BytesOut, FramesIn, LogDropped       func() float64           // only grow
	PollerRefused, PollerClosed                   func() map[string]uint64 // by reason; only grow
}

// SetGauges says where the gauges come from; a later call replaces an earlier one.
func (m *Metrics) SetGauges(g Gauges) { m.gauges.current.Store(&g) }

// gaugeCollector turns Gauges into metrics, one call of each function for each scrape.
type gaugeCollector struct {
	// Constant after construction.
	values  []valueFamily
	reasons []reasonFamily

	current atomic.Pointer[Gauges]
}

// valueFamily is a metric that is one number.
type valueFamily struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(*Gauges) func() float64
}

// reasonFamily is a counter split by reason.
type reasonFamily struct {
	desc *prometheus.Desc
	of   func(*Gauges) func() map[string]uint64
}

func newGaugeCollector() *gaugeCollector {
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	c := &gaugeCollector{
		values: []valueFamily{
			{nameChannels.desc(), gauge, func(g *Gauges) func() float64 { return g.Channels }},
			{nameSubscriptions.desc(), gauge, func(g *Gauges) func() float64 { return g.Subscriptions }},
			{nameSockets.desc(), gauge, func(g *Gauges) func() float64 { return g.Sockets }},
			{nameOutboxBytes.desc(), gauge, func(g *Gauges) func() float64 { return g.OutboxBytes }},
			{nameDraining.desc(), gauge, func(g *Gauges) func() float64 { return g.Draining }},
			{nameDrainLeft.desc(), gauge, func(g *Gauges) func() float64 { return g.DrainLeft }},
			{nameConfigLoaded.desc(), gauge, func(g *Gauges) func() float64 { return g.ConfigLoaded }},
			{nameConfigRefused.desc(), gauge, func(g *Gauges) func() float64 { return g.ConfigRefused }},
			{nameRelayUp.desc(), gauge, func(g *Gauges) func() float64 { return g.RelayUp }},
			{nameRelayNodes.desc(), gauge, func(g *Gauges) func() float64 { return g.RelayNodes }},
			{nameRelayWaiting.desc(), gauge, func(g *Gauges) func() float64 { return g.RelayWaitingBytes }},
			{nameBytesIn.desc(), counter, func(g *Gauges) func() float64 { return g.BytesIn }},
			{nameBytesOut.desc(), counter, func(g *Gauges) func() float64 { return g.BytesOut }},
			{nameFramesIn.desc(), counter, func(g *Gauges) func() float64 { return g.FramesIn }},
			{nameLogDropped.desc(), counter, func(g *Gauges) func() float64 { return g.LogDropped }},
		},
		reasons: []reasonFamily{
			{nameSocketRefused.desc("reason"), func(g *Gauges) func() map[string]uint64 { return g.PollerRefused }},
			{nameSocketClosed.desc("reason"), func(g *Gauges) func() map[string]uint64 { return g.PollerClosed }},
		},
	}
	c.current.Store(&Gauges{})
	return c
}

// Describe is part of prometheus.Collector.
func (c *gaugeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, f := range c.values {
		out <- f.desc
	}
	for _, f := range c.reasons {
		out <- f.desc
	}
}

// Collect is part of prometheus.Collector.
func (c *gaugeCollector) Collect(out chan<- prometheus.Metric) {
	g := c.current.Load()
	for _, f := range c.values {
		if read := f.of(g); read != nil {
			out <- prometheus.MustNewConstMetric(f.desc, f.kind, read())
		}
	}
	for _, f := range c.reasons {
		read := f.of(g)
		if read == nil {
			continue
		}
		for reason, n := range read() {
			out <- prometheus.MustNewConstMetric(f.desc, prometheus.CounterValue, float64(n), reason)
		}
	}
}
