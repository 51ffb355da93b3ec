package report

import "slices"

// Comparison sets two servers side by side, scenario by scenario.
type Comparison struct {
	A         string   `json:"a"` // name of the first server
	B         string   `json:"b"`
	Scenarios []Versus `json:"scenarios"`
}

// Versus is one scenario run against both.
type Versus struct {
	Name     string  `json:"name,omitempty"`
	Scenario string  `json:"scenario"`
	Params   []Pair  `json:"params,omitempty"`
	Rows     []Ratio `json:"rows"`
	A, B     Result  `json:"-"`
}

// Ratio compares one figure.
type Ratio struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit,omitempty"`
	A      float64 `json:"a"`
	B      float64 `json:"b"`
	Better Better  `json:"better,omitempty"`
	Factor float64 `json:"factor"`            // how many times better the winner is, 1 or more; without a winner A/B; 0: one of them is 0
	Winner string  `json:"winner,omitempty"`  // "a", "b", or none: equal or not to be judged
	BoundA string  `json:"bound_a,omitempty"` // "≥" or "≤": the client was the limit and A only bounds the server's value
	BoundB string  `json:"bound_b,omitempty"` // the same of B
	Within bool    `json:"within,omitempty"`  // within the spread: the runs of A and those of B overlap
}

// Sides of a comparison.
const (
	sideA = "a"
	sideB = "b"
)

// Compare pairs the results of two servers by name, scenario and parameters; a result that only one of them has is left out.
func Compare(a, b []Result) Comparison {
	c := Comparison{A: "A", B: "B"}
	if len(a) > 0 {
		c.A = serverName(a[0])
	}
	if len(b) > 0 {
		c.B = serverName(b[0])
	}
	if c.A == c.B && len(a) > 0 && len(b) > 0 { // two of a kind: the address tells them apart
		c.A, c.B = c.A+" at "+a[0].Target, c.B+" at "+b[0].Target
	}
	rest := slices.Clone(b)
	for _, left := range a {
		at := slices.IndexFunc(rest, func(right Result) bool { return sameRun(left, right) })
		if at < 0 {
			continue
		}
		c.Scenarios = append(c.Scenarios, versus(left, rest[at]))
		rest = slices.Delete(rest, at, at+1)
	}
	return c
}

func serverName(r Result) string {
	if r.Server != "" {
		return r.Server
	}
	return r.Target
}

func sameRun(a, b Result) bool {
	return a.Name == b.Name && a.Scenario == b.Scenario && slices.Equal(a.Params, b.Params)
}

// versus compares the figures and latencies that both runs have.
func versus(a, b Result) Versus {
	a, b = finite(a), finite(b)
	v := Versus{Name: a.Name, Scenario: a.Scenario, Params: a.Params, A: a, B: b}
	for _, left := range judged(a) {
		for _, right := range judged(b) {
			if left.Name == right.Name && left.Unit == right.Unit {
				row := ratio(left, right, a.Bound(left), b.Bound(right))
				row.Within = a.Runs > 1 && b.Runs > 1 && left.Low <= right.High && right.Low <= left.High
				v.Rows = append(v.Rows, row)
				break
			}
		}
	}
	return v
}

// judged are a result's figures and of its latencies the ones that people compare.
func judged(r Result) []Figure {
	figures := slices.Clone(r.Figures)
	for _, l := range r.Latency {
		for _, f := range latencyFigures(l) {
			if f.Name == l.Name+" p50" || f.Name == l.Name+" p99" || f.Name == l.Name+" p99.9" {
				figures = append(figures, f)
			}
		}
	}
	return figures
}

// ratio compares two values, each with the sign of its bound. A side is a bound when its server is at least this good; so the worse side
// may not be one, or the winner is not known.
func ratio(a, b Figure, boundA, boundB string) Ratio {
	r := Ratio{Name: a.Name, Unit: a.Unit, A: a.Value, B: b.Value, Better: a.Better, BoundA: boundA, BoundB: boundB}
	if a.Value != 0 && b.Value != 0 {
		r.Factor = a.Value / b.Value
	}
	if r.Better == Neither || a.Value == b.Value {
		return r
	}
	winner, loserBound := sideA, boundB
	if (a.Value > b.Value) != (r.Better == Higher) {
		winner, loserBound = sideB, boundA
	}
	if loserBound != "" {
		return r
	}
	r.Winner = winner
	if r.Factor != 0 && r.Factor < 1 {
		r.Factor = 1 / r.Factor
	}
	return r
}

// Doubtful reports whether both servers may be the better one because a client was the limit.
func (r Ratio) Doubtful() bool {
	return r.Winner == "" && r.Better != Neither && (r.BoundA != "" || r.BoundB != "")
}

// atLeast is the sign of a factor that may be greater because the winner's value is a bound.
func (r Ratio) atLeast() string {
	if r.Winner == sideA && r.BoundA != "" || r.Winner == sideB && r.BoundB != "" {
		return AtLeast + " "
	}
	return ""
}
