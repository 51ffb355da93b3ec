package metrics

import "github.com/prometheus/client_golang/prometheus"

// Relay is the counters of what goes between nodes; a node that is alone has none. What is called for each message is one atomic
// operation. All methods may be called from any goroutine.
type Relay struct {
	// Constant after construction.
	published, received, duplicates, lost, disconnects prometheus.Counter
	dropped, ignored, queries                          *prometheus.CounterVec // by reason, the last by result
}

// Relay returns the counters of the relay, the same ones each time. From the first call on a scrape tells them.
func (m *Metrics) Relay() *Relay {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.relay != nil {
		return m.relay
	}
	r := &Relay{
		published:   prometheus.NewCounter(nameRelayPublished.counter()),
		received:    prometheus.NewCounter(nameRelayReceived.counter()),
		duplicates:  prometheus.NewCounter(nameRelayDuplicates.counter()),
		lost:        prometheus.NewCounter(nameRelayLost.counter()),
		disconnects: prometheus.NewCounter(nameRelayDisconnects.counter()),
		dropped:     prometheus.NewCounterVec(nameRelayDropped.counter(), []string{"reason"}),
		ignored:     prometheus.NewCounterVec(nameRelayIgnored.counter(), []string{"reason"}),
		queries:     prometheus.NewCounterVec(nameRelayQueries.counter(), []string{"result"}),
	}
	m.registry.MustRegister(r.published, r.received, r.duplicates, r.lost, r.disconnects, r.dropped, r.ignored, r.queries)
	m.relay = r
	return r
}

// Published counts n messages for other nodes that were sent to Redis, or wait for it.
func (r *Relay) Published(n int) { add(r.published, n) }

// Received counts n messages of other nodes.
func (r *Relay) Received(n int) { add(r.received, n) }

// Duplicates counts n messages that came again and were not delivered again.
func (r *Relay) Duplicates(n int) { add(r.duplicates, n) }

// Lost counts n messages of other nodes that never came, as the gaps in their numbers tell.
func (r *Relay) Lost(n int) { add(r.lost, n) }

// Disconnected counts a lost connection to Redis.
func (r *Relay) Disconnected() { r.disconnects.Inc() }

// Dropped counts n messages that did not go to, or come from, the others. reason is a constant of the caller.
func (r *Relay) Dropped(reason string, n int) { add(r.dropped.WithLabelValues(reason), n) }

// Ignored counts a message that is none of ours or cannot be read. reason is a constant of the caller.
func (r *Relay) Ignored(reason string) { r.ignored.WithLabelValues(reason).Inc() }

// Queried counts a question to the cluster; partial: somebody did not answer.
func (r *Relay) Queried(partial bool) {
	result := "whole"
	if partial {
		result = "partial"
	}
	r.queries.WithLabelValues(result).Inc()
}

func add(c prometheus.Counter, n int) {
	if n > 0 {
		c.Add(float64(n))
	}
}
