package dashboard

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"reverb/metrics"
)

// number is a float64 that is null in JSON when it is none.
type number float64

var unknown = number(math.NaN())

// MarshalJSON is part of json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', 7, 64), nil
}

// totals is one reading of the metrics, of all applications together and of each.
type totals struct {
	at            time.Time // zero: nothing was read yet
	byName        map[string]float64
	byApp         map[string]*appTotals
	refused       map[refusalKey]float64 // not changed after sum
	passes, pings []metrics.Bucket
}

type appTotals struct{ connections, received, published, sent float64 }

// sum adds up what is split by application, reason or source.
func sum(now time.Time, samples []metrics.Sample) totals {
	t := totals{at: now, byName: make(map[string]float64), byApp: make(map[string]*appTotals), refused: make(map[refusalKey]float64)}
	for i := range samples {
		s := &samples[i]
		switch s.Name {
		case "reverb_broadcast_seconds":
			t.passes = merge(t.passes, s.Buckets)
		case "reverb_ping_round_trip_seconds":
			t.pings = merge(t.pings, s.Buckets)
		default:
			t.byName[s.Name] += s.Value
			t.addRefused(s)
			if s.App != "" {
				t.app(s.App).add(s)
			}
		}
	}
	return t
}

func (t *totals) app(id string) *appTotals {
	a := t.byApp[id]
	if a == nil {
		a = new(appTotals)
		t.byApp[id] = a
	}
	return a
}

func (a *appTotals) add(s *metrics.Sample) {
	switch s.Name {
	case "reverb_connections":
		a.connections += s.Value
	case "reverb_messages_received_total":
		a.received += s.Value
	case "reverb_messages_published_total":
		a.published += s.Value
	case "reverb_messages_sent_total":
		a.sent += s.Value
	}
}

// since is the point between two readings; the times of passes and pings are left out.
func (t *totals) since(before *totals) point {
	p := point{at: t.at.UnixMilli()}
	for i := range p.values {
		p.values[i] = unknown
	}
	for column, name := range map[int]string{
		colConnections: "reverb_connections", colResident: "process_resident_memory_bytes", colHeap: "go_memstats_heap_inuse_bytes",
		colOutbox: "reverb_outbox_bytes", colChannels: "reverb_channels", colSubscriptions: "reverb_subscriptions",
		colNodes: "reverb_relay_nodes",
	} {
		if v, ok := t.byName[name]; ok {
			p.values[column] = number(v)
		} else if column == colConnections {
			p.values[column] = 0
		}
	}
	if before.at.IsZero() {
		return p
	}
	for column, name := range map[int]string{
		colReceived: "reverb_messages_received_total", colPublished: "reverb_messages_published_total", colSent: "reverb_messages_sent_total",
		colDropped: "reverb_messages_dropped_total", colBytesIn: "reverb_received_bytes_total", colBytesOut: "reverb_sent_bytes_total",
		colCPU: "process_cpu_seconds_total",
	} {
		p.values[column] = t.rate(before, t.byName[name], before.byName[name])
	}
	return p
}

// rate is the change per second of a counter.
func (t *totals) rate(before *totals, now, then float64) number {
	elapsed := t.at.Sub(before.at).Seconds()
	if elapsed <= 0 {
		return unknown
	}
	return number(max(0, now-then) / elapsed)
}

// rates is what each application did between two readings, the busiest first.
func (t *totals) rates(before *totals) []appRates {
	rates := make([]appRates, 0, len(t.byApp))
	for id, a := range t.byApp {
		then := before.byApp[id]
		if then == nil {
			then = a // its first reading says nothing about its pace
		}
		rates = append(rates, appRates{
			ID:          id,
			Connections: number(a.connections),
			Received:    t.rate(before, a.received, then.received),
			Published:   t.rate(before, a.published, then.published),
			Sent:        t.rate(before, a.sent, then.sent),
		})
	}
	slices.SortFunc(rates, func(a, b appRates) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(a.ID, b.ID))
	})
	return rates
}
