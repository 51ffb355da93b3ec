package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Counts is what one application has sent and received since the start, as Laravel Pulse counts it.
type Counts struct {
	App      string
	Sent     uint64 // text messages to a client, one for each that gets it
	Received uint64 // messages of clients that were not answered with an error
}

// AppCounts returns the counts of every application that App was called with, in no order. Received may go back by the messages that
// were being handled while it was read.
func (m *Metrics) AppCounts() []Counts {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := make([]Counts, 0, len(m.apps))
	for id, a := range m.apps {
		invalid := whole(a.invalidOther)
		for _, c := range a.invalid {
			invalid += whole(c)
		}
		// Do not move before invalid: a message is first received and then found invalid, so this way round received is the larger.
		received := whole(a.received)
		all = append(all, Counts{App: id, Sent: whole(a.sent), Received: received - invalid})
	}
	return all
}

// whole is the value of a counter to which only whole numbers are added.
func whole(c prometheus.Counter) uint64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return 0
	}
	return uint64(m.GetCounter().GetValue())
}

// Pulse is the counters of what is told Laravel Pulse. All methods may be called from any goroutine.
type Pulse struct {
	// Constant after construction.
	written, lost prometheus.Counter
	waiting, up   prometheus.Gauge
}

// Pulse returns the counters of what is told Laravel Pulse, the same ones each time. From the first call on a scrape tells them.
func (m *Metrics) Pulse() *Pulse {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pulse != nil {
		return m.pulse
	}
	p := &Pulse{
		written: prometheus.NewCounter(namePulseWritten.counter()),
		lost:    prometheus.NewCounter(namePulseLost.counter()),
		waiting: prometheus.NewGauge(namePulseWaiting.gauge()),
		up:      prometheus.NewGauge(namePulseUp.gauge()),
	}
	p.up.Set(1)
	m.registry.MustRegister(p.written, p.lost, p.waiting, p.up)
	m.pulse = p
	return p
}

// Wrote counts n messages whose counts have been stored.
func (p *Pulse) Wrote(n uint64) { p.written.Add(float64(n)) }

// Lost counts n messages that Pulse will not know of.
func (p *Pulse) Lost(n uint64) { p.lost.Add(float64(n)) }

// Waiting says how many messages are counted and not stored yet.
func (p *Pulse) Waiting(n uint64) { p.waiting.Set(float64(n)) }

// Up says whether the last write has succeeded.
func (p *Pulse) Up(up bool) {
	v := 0.0
	if up {
		v = 1
	}
	p.up.Set(v)
}
