package dashboard

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"reverb/metrics"
)

const (
	pointsKept  = 900              // a quarter of an hour while somebody looks
	sampleEvery = time.Second      // while somebody looks
	idleSamples = 5                // otherwise so many times rarer
	beginning   = 60               // samples after the start that are not rarer, for a page that is opened soon
	lookedAtFor = 30 * time.Second // after the last question
	passWindow  = 10               // samples that the times of a pass are told of
	pingWindow  = 60               // and those of a ping, which are rare: each client is pinged once in a ping interval, if at all
)

// The columns of a point.
const (
	colConnections = iota
	colReceived    // per second, as all below until the times
	colPublished
	colSent
	colDropped
	colBytesIn
	colBytesOut
	colPass50 // seconds
	colPass95
	colPass99
	colPing50
	colPing95
	colPing99
	colResident // bytes
	colHeap
	colCPU // cores
	colOutbox
	colChannels
	colSubscriptions
	colNodes
	columns
)

// columnNames are the columns as the page knows them.
var columnNames = [columns]string{
	"connections", "received", "published", "sent", "dropped", "bytes_in", "bytes_out", "pass50", "pass95", "pass99",
	"ping50", "ping95", "ping99", "resident", "heap", "cpu", "outbox", "channels", "subscriptions", "nodes",
}

// point is one moment. A number that is not known is NaN.
type point struct {
	at     int64 // Unix milliseconds
	values [columns]number
}

// appRates is what one application does at the moment.
type appRates struct {
	ID          string `json:"id"`
	Connections number `json:"connections"`
	Received    number `json:"received"`  // per second
	Published   number `json:"published"` // per second
	Sent        number `json:"sent"`      // per second
}

// history keeps what the metrics said of the last minutes.
type history struct {
	// Constant after newHistory.
	metrics *metrics.Metrics

	// Owned by run.
	before totals
	passes window
	pings  window
	lately refusals

	asked atomic.Int64 // Unix nanoseconds of the last question

	mu sync.Mutex
	// Guarded by mu.
	points []point // ascending; a ring once it is full
	next   int     // place of the oldest in a full ring
	now    moment
}

// moment is the lists of the last reading. They are replaced, not changed.
type moment struct {
	apps    []appRates   // the busiest first
	refused []refusalRow // the most recent first
}

func newHistory(m *metrics.Metrics) *history {
	return &history{metrics: m, passes: window{most: passWindow}, pings: window{most: pingWindow}}
}

// run samples until ctx ends.
func (h *history) run(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	h.sample(time.Now())
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if n <= beginning || n%idleSamples == 0 || now.UnixNano()-h.asked.Load() < int64(lookedAtFor) {
				h.sample(now)
			}
		}
	}
}

// sample adds a point. What the metrics do not tell is missing in it.
func (h *history) sample(now time.Time) {
	samples, err := h.metrics.Samples()
	if err != nil {
		return
	}
	t := sum(now, samples)
	p := t.since(&h.before)
	p.values[colPass50], p.values[colPass95], p.values[colPass99] = h.passes.add(t.passes)
	p.values[colPing50], p.values[colPing95], p.values[colPing99] = h.pings.add(t.pings)
	current := moment{t.rates(&h.before), h.lately.add(now, t.refused)}
	h.before = t

	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = current
	if len(h.points) < pointsKept {
		h.points = append(h.points, p)
		return
	}
	h.points[h.next] = p
	h.next = (h.next + 1) % pointsKept
}

// since returns the points after the time, in order, and the lists as they are now.
func (h *history) since(after int64) (points []point, now moment) {
	h.asked.Store(time.Now().UnixNano())
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.points {
		if p := &h.points[(h.next+i)%len(h.points)]; p.at > after {
			points = append(points, *p)
		}
	}
	return points, h.now
}
