package report

import "strings"

// versusPage is the comparison as the page's template wants it.
type versusPage struct {
	A, B      string
	Scenarios []versusSection
}

// versusSection is one scenario of both.
type versusSection struct {
	Title  string
	Params []shown
	Rows   []versusRow
	Warned bool // see the page's warnings
	Charts []chart
}

// versusRow is one figure of both, with bars beside each other: WidthA and WidthB are percent of the greater.
type versusRow struct {
	Name           string
	A, B           string
	WidthA, WidthB float64
	Winner         string // "a", "b" or empty
	Outcome        string
	Doubtful       bool
	Note           string // "less is better"
}

func newVersusPage(c Comparison) *versusPage {
	p := &versusPage{A: c.A, B: c.B}
	for _, v := range c.Scenarios {
		s := versusSection{Title: v.Title()}
		for _, pair := range v.Params {
			s.Params = append(s.Params, shown{Name: pair.Name, Value: pair.value()})
		}
		for _, r := range v.Rows {
			s.Rows = append(s.Rows, newVersusRow(c, r))
		}
		s.Warned = !v.A.OK() || !v.B.OK()
		s.Charts = versusCharts(c, finite(v.A), finite(v.B))
		p.Scenarios = append(p.Scenarios, s)
	}
	return p
}

func newVersusRow(c Comparison, r Ratio) versusRow {
	row := versusRow{
		Name: r.Name, A: bounded(r.BoundA, r.A, r.Unit), B: bounded(r.BoundB, r.B, r.Unit),
		Winner: r.Winner, Outcome: c.outcome(r), Doubtful: r.Doubtful(),
	}
	if top := max(r.A, r.B); top > 0 {
		row.WidthA, row.WidthB = percentOf(clamp(r.A/top)), percentOf(clamp(r.B/top))
	}
	if r.Better == Lower {
		row.Note = "less is better"
	}
	return row
}

// versusCharts lay what both runs have over each other.
func versusCharts(c Comparison, a, b Result) []chart {
	var charts []chart
	limit := a.Client.Limit || b.Client.Limit
	var limits []string
	if a.Client.Limit {
		limits = append(limits, c.A)
	}
	if b.Client.Limit {
		limits = append(limits, c.B)
	}
	servers := "for " + strings.Join(limits, " and ")
	for _, left := range a.Latency {
		for _, right := range b.Latency {
			if left.Name != right.Name {
				continue
			}
			both := []curve{{name: c.A, points: curveOf(left.Curve)}, {name: c.B, color: 1, points: curveOf(right.Curve)}}
			if chart, ok := latencyChart(left.Name+" latency", both); ok {
				charts = append(charts, limited(chart, limit, AtMost, servers))
			}
		}
	}
	for _, left := range a.Series {
		for _, right := range b.Series {
			if left.Name != right.Name || left.Unit != right.Unit || left.XUnit != right.XUnit {
				continue
			}
			both := []curve{{name: c.A, points: left.Points}, {name: c.B, color: 1, points: right.Points}}
			if chart, ok := seriesChart(left.Name, left.Unit, left.XUnit, both); ok {
				charts = append(charts, limited(chart, limit && left.Unit == PerSecond, AtLeast, servers))
			}
		}
	}
	return charts
}
