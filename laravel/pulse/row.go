package pulse

import (
	"cmp"
	"slices"
	"time"
)

// row is one row of pulse_aggregates: an application, a direction and a bucket.
type row struct {
	bucket, period int64
	kind, app      string
	value          int64
}

// aggregate spreads the counts over the buckets that Pulse still shows, one row for each, in a fixed order.
func aggregate(counts []count, now time.Time) []row {
	type bucket struct {
		slot
		period int64
	}
	sums := make(map[bucket]uint64, len(counts)*len(periods))
	for _, c := range counts {
		for _, period := range periods {
			if shows(period, c.at, now) {
				sums[bucket{slot{c.at - c.at%period, c.kind, c.app}, period}] += c.n
			}
		}
	}
	rows := make([]row, 0, len(sums))
	for b, n := range sums {
		rows = append(rows, row{bucket: b.at, period: b.period, kind: b.kind, app: b.app, value: int64(n)})
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.period, b.period), cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.kind, b.kind), cmp.Compare(a.app, b.app))
	})
	return rows
}
