package report_test

import (
	"math"
	"testing"
	"time"

	"reverb/bench/measure"
	"reverb/bench/report"
)

// one is a result with one figure.
func one(server string, f report.Figure, limit bool) report.Result {
	f.Name = "figure"
	return report.Result{Scenario: "x", Server: server, Figures: []report.Figure{f}, Client: measure.SelfReport{Limit: limit}}
}

func TestRatio(t *testing.T) {
	rate := func(v float64) report.Figure {
		return report.Figure{Unit: report.PerSecond, Value: v, Better: report.Higher}
	}
	wait := func(v float64) report.Figure {
		return report.Figure{Unit: report.Nanoseconds, Value: v, Better: report.Lower}
	}
	given := func(v float64) report.Figure { return report.Figure{Value: v} }
	for name, c := range map[string]struct {
		a, b           report.Figure
		limitA, limitB bool
		factor         float64
		winner         string
		doubtful       bool
	}{
		"more is better":                {a: rate(300), b: rate(100), factor: 3, winner: "a"},
		"more is better, other side":    {a: rate(100), b: rate(300), factor: 3, winner: "b"},
		"less is better":                {a: wait(100), b: wait(300), factor: 3, winner: "a"},
		"less is better, other side":    {a: wait(300), b: wait(100), factor: 3, winner: "b"},
		"equal":                         {a: rate(5), b: rate(5), factor: 1},
		"not judged":                    {a: given(1), b: given(4), factor: 0.25},
		"one is zero":                   {a: rate(5), b: rate(0), winner: "a"},
		"zero is best":                  {a: wait(5), b: wait(0), winner: "b"},
		"both zero":                     {a: rate(0), b: rate(0)},
		"winner bounded by the client":  {a: rate(300), b: rate(100), limitA: true, factor: 3, winner: "a"},
		"loser bounded by the client":   {a: rate(300), b: rate(100), limitB: true, factor: 3, doubtful: true},
		"both bounded by the client":    {a: wait(300), b: wait(100), limitA: true, limitB: true, factor: 3, doubtful: true},
		"bounded waits, the worse one":  {a: wait(300), b: wait(100), limitA: true, factor: 3, doubtful: true},
		"bounded waits, the better one": {a: wait(300), b: wait(100), limitB: true, factor: 3, winner: "b"},
	} {
		t.Run(name, func(t *testing.T) {
			got := report.Compare([]report.Result{one("A", c.a, c.limitA)}, []report.Result{one("B", c.b, c.limitB)}).Scenarios[0].Rows[0]
			if math.Abs(got.Factor-c.factor) > 1e-9 || got.Winner != c.winner || got.Doubtful() != c.doubtful {
				t.Errorf("got %+v, doubtful %v; want %v, %q, %v", got, got.Doubtful(), c.factor, c.winner, c.doubtful)
			}
		})
	}
}

func TestCompareKnowsSpread(t *testing.T) {
	run := func(low, value, high float64) []report.Result {
		r := one("s", report.Figure{Unit: report.PerSecond, Value: value, Better: report.Higher, Low: low, High: high}, false)
		r.Runs = 3
		return []report.Result{r}
	}
	if row := report.Compare(run(90, 100, 120), run(110, 130, 140)).Scenarios[0].Rows[0]; !row.Within || row.Winner != "b" {
		t.Errorf("overlapping: %+v", row)
	}
	if row := report.Compare(run(90, 100, 105), run(110, 130, 140)).Scenarios[0].Rows[0]; row.Within {
		t.Errorf("apart: %+v", row)
	}
}

func TestComparePairs(t *testing.T) {
	run := func(name, scenario, size string) report.Result {
		return report.Result{Name: name, Scenario: scenario, Server: "s", Target: "t-" + size, Params: []report.Pair{{Name: "size", Value: size}}}
	}
	a := []report.Result{run("", "idle", "1"), run("", "idle", "2"), run("n", "idle", "1"), run("", "churn", "1"), run("", "idle", "1")}
	b := []report.Result{run("", "idle", "2"), run("", "idle", "1"), run("", "idle", "1"), run("n", "idle", "3")}
	c := report.Compare(a, b)
	var got []string
	for _, v := range c.Scenarios {
		got = append(got, v.Title()+v.Params[0].Value)
	}
	if want := []string{"idle1", "idle2", "idle1"}; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %q, want %q", got, want)
	}
	if c.A != "s at t-1" || c.B != "s at t-2" {
		t.Errorf("two of a kind are called %q and %q", c.A, c.B)
	}
	if c := report.Compare(nil, nil); len(c.Scenarios) != 0 || c.A == "" {
		t.Errorf("nothing: %+v", c)
	}
}

func TestMedian(t *testing.T) {
	run := func(rate float64, p99 time.Duration, missing int64, limit bool) report.Result {
		return report.Result{
			Scenario: "x", Started: noon.Add(time.Duration(rate) * time.Second), Seconds: rate,
			Figures: []report.Figure{{Name: "rate", Value: rate, Better: report.Higher}, {Name: "other", Value: -rate}},
			Latency: []report.Latency{{Name: "delivery", Summary: measure.Summary{Count: 10, P50: 5, P99: p99}}},
			Series:  []report.Series{{Name: "rate", Points: []report.Point{{Y: rate}}}},
			Checks:  measure.Checks{Expected: 10, Delivered: 10 - missing, Missing: missing},
			Client:  measure.SelfReport{Limit: limit, Busy: rate / 100},
			Errors:  []string{"same", "only " + p99.String()},
		}
	}
	r := report.Median([]report.Result{run(30, 7, 0, false), run(10, 9, 2, true), run(20, 8, 1, false)})
	if f := r.Figures[0]; f.Value != 20 || f.Low != 10 || f.High != 30 {
		t.Errorf("figure: %+v", f)
	}
	if f := r.Figures[1]; f.Value != -20 || f.Low != -30 || f.High != -10 {
		t.Errorf("other figure: %+v", f)
	}
	if l := r.Latency[0]; l.P99 != 8 || l.Low.P99 != 7 || l.High.P99 != 9 || l.Count != 10 || l.P50 != 5 {
		t.Errorf("latency: %+v %+v %+v", l.Summary, l.Low, l.High)
	}
	if want := (measure.Checks{Expected: 30, Delivered: 27, Missing: 3}); r.Checks != want {
		t.Errorf("checks: %+v", r.Checks)
	}
	if r.Runs != 3 || r.Seconds != 20 || r.Series[0].Points[0].Y != 20 || !r.Started.Equal(noon.Add(30*time.Second)) {
		t.Errorf("got %+v", r)
	}
	if !r.Client.Limit || r.OK() {
		t.Error("the client was the limit once, and nobody says so")
	}
	if len(r.Errors) != 4 {
		t.Errorf("errors: %q", r.Errors)
	}
	even := report.Median([]report.Result{run(10, 9, 0, false), run(30, 7, 0, false)})
	if f := even.Figures[0]; f.Value != 20 {
		t.Errorf("of two: %+v", f)
	}
	if single := report.Median([]report.Result{run(10, 9, 0, false)}); single.Figures[0].Value != 10 || single.Runs != 1 || single.Latency[0].Low != nil {
		t.Errorf("of one: %+v", single)
	}
	if none := report.Median(nil); none.Runs != 0 {
		t.Errorf("of none: %+v", none)
	}
}

func TestUsageSeries(t *testing.T) {
	series := report.UsageSeries(usage(1000, 10, 50, 5))
	if len(series) != 3 {
		t.Fatalf("got %d series", len(series))
	}
	for i, want := range []struct {
		name, unit, over string
		points           int
	}{{"memory", report.Bytes, report.Seconds, 10}, {"processor", report.Cores, report.Seconds, 9}, {"memory by connections", report.Bytes, report.Connections, 6}} {
		if s := series[i]; s.Name != want.name || s.Unit != want.unit || s.XUnit != want.over || len(s.Points) != want.points {
			t.Errorf("got %s in %s over %s with %d points, want %+v", s.Name, s.Unit, s.XUnit, len(s.Points), want)
		}
	}
	if got := series[2].Points[5]; got != (report.Point{X: 50, Y: 1500}) {
		t.Errorf("grown to %+v", got)
	}
	if got := report.UsageSeries(nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
	still := []measure.Usage{{At: noon, RSS: 1}, {At: noon.Add(time.Second), RSS: 2}}
	if got := report.UsageSeries(still); len(got) != 1 || got[0].Name != "memory" {
		t.Errorf("without processor and growth: %+v", got)
	}
}
