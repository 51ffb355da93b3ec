package dashboard

import (
	"cmp"
	"slices"
	"time"

	"reverb/metrics"
)

const (
	refusedEvery  = 10 * time.Second // between two readings that are kept
	refusedWindow = 60 * time.Second // "recent"
	maxRefusals   = 20               // rows of the first page, the most recent first
)

// refusedKinds are the counters of connections, messages and deliveries that did not come about, and what the page
// calls each.
var refusedKinds = map[string]string{
	"reverb_connections_refused_total": "connection",
	"reverb_sockets_refused_total":     "socket",
	"reverb_messages_invalid_total":    "message",
	"reverb_messages_dropped_total":    "delivery",
}

// refusalKey is one of those counters for one application and reason.
type refusalKey struct{ kind, app, reason string }

// refusalRow is what the first page tells of it.
type refusalRow struct {
	Kind   string `json:"kind"`
	App    string `json:"app,omitempty"`
	Reason string `json:"reason"`
	Total  number `json:"total"`  // since the start
	Recent number `json:"recent"` // within the last minute
}

// refusals remembers the counts of a minute ago. The zero value is ready; it is owned by the history's goroutine.
type refusals struct {
	kept []refusedReading // ascending in time; the first is the newest that is a minute old
}

type refusedReading struct {
	at     time.Time
	counts map[refusalKey]float64
}

// addRefused notes a sample if it counts something that was refused.
func (t *totals) addRefused(s *metrics.Sample) {
	if kind := refusedKinds[s.Name]; kind != "" && s.Value > 0 {
		t.refused[refusalKey{kind, s.App, s.Reason}] += s.Value
	}
}

// add takes a reading and returns the rows.
func (r *refusals) add(now time.Time, counts map[refusalKey]float64) []refusalRow {
	if len(r.kept) == 0 || now.Sub(r.kept[len(r.kept)-1].at) >= refusedEvery {
		r.kept = append(r.kept, refusedReading{now, counts})
	}
	for len(r.kept) > 1 && now.Sub(r.kept[1].at) >= refusedWindow {
		r.kept = slices.Delete(r.kept, 0, 1)
	}
	before := r.kept[0].counts
	rows := make([]refusalRow, 0, len(counts))
	for key, n := range counts {
		rows = append(rows, refusalRow{key.kind, key.app, key.reason, number(n), number(max(0, n-before[key]))})
	}
	slices.SortFunc(rows, func(a, b refusalRow) int {
		return cmp.Or(cmp.Compare(b.Recent, a.Recent), cmp.Compare(b.Total, a.Total), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.App, b.App))
	})
	return rows
}
