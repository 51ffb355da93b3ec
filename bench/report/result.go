package report

import (
	"strconv"
	"strings"
	"time"

	"reverb/bench/measure"
	"reverb/bench/unit"
)

// Units that have a form of their own; any other is written behind the number.
const (
	Bytes       = unit.Bytes
	Nanoseconds = unit.Nanoseconds
	Processor   = unit.Processor // ns of processor time: a cost and no speed, so a client at its limit does not make a bound of it
	Seconds     = unit.Seconds
	PerSecond   = unit.PerSecond
	Percent     = unit.Percent // the value is 12.3 for 12.3 %
	Times       = unit.Times
	Cores       = "cores"
	Connections = "connections"
	Count       = unit.Count
)

// Better says which of two values is the better one.
type Better string

// The ways to judge a figure.
const (
	Higher  Better = "higher"
	Lower   Better = "lower"
	Neither Better = ""
)

// Result is the outcome of one scenario against one server.
type Result struct {
	Name     string    `json:"name,omitempty"` // of the run, where a profile gives one
	Scenario string    `json:"scenario"`
	Target   string    `json:"target"` // address
	Server   string    `json:"server"` // name for people: the process's command or a guess at the product
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"`
	Runs     int       `json:"runs,omitempty"` // how many runs the figures are the medians of; 0 and 1: a single one

	Params  []Pair             `json:"params,omitempty"`
	Figures []Figure           `json:"figures,omitempty"`
	Latency []Latency          `json:"latency,omitempty"`
	Series  []Series           `json:"series,omitempty"`
	Checks  measure.Checks     `json:"checks"`
	Client  measure.SelfReport `json:"client"`
	Errors  []string           `json:"errors,omitempty"` // each kind once, with its count in the text
}

// Pair is one parameter of a run.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Unit  string `json:"unit,omitempty"`
}

// Figure is one number measured.
type Figure struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit,omitempty"`
	Value  float64 `json:"value"`
	Better Better  `json:"better,omitempty"`
	Low    float64 `json:"low,omitempty"`  // least of several runs
	High   float64 `json:"high,omitempty"` // greatest of several runs
}

// Latency is one distribution.
type Latency struct {
	Name string `json:"name"` // "delivery", "connected", "subscribed", "round trip", "publish"
	measure.Summary
	Curve []measure.Quantile `json:"curve,omitempty"`
	Low   *measure.Summary   `json:"low,omitempty"`  // least of several runs, each number for itself
	High  *measure.Summary   `json:"high,omitempty"` // greatest of several runs, each number for itself
}

// Series is a line of a chart: Y over X.
type Series struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit,omitempty"`
	XUnit  string  `json:"x_unit"` // Seconds, or what else X counts: "connections"
	Points []Point `json:"points"`
}

// Point is one point of a series.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Title is how the run is called.
func (r Result) Title() string {
	if r.Name != "" && r.Name != r.Scenario {
		return r.Name + " (" + r.Scenario + ")"
	}
	return r.Scenario
}

// OK reports whether the run can be believed: all that was expected came, and the client was not the limit.
func (r Result) OK() bool { return r.Checks.OK() && !r.Client.Limit }

// Speed reports whether the figure tells how fast the server is. When the client was the limit, the server is at least that fast.
func (f Figure) Speed() bool {
	switch f.Unit {
	case PerSecond:
		return f.Better != Lower
	case Nanoseconds, Seconds:
		return f.Better != Neither
	}
	return false
}

// Bound is the sign to write before a figure: "≥" or "≤" when it tells the client's speed and only bounds the server's, else "".
func (r Result) Bound(f Figure) string {
	switch {
	case !r.Client.Limit || !f.Speed():
		return ""
	case f.Better == Lower:
		return AtMost
	}
	return AtLeast
}

// Signs of a bound.
const (
	AtLeast = "≥"
	AtMost  = "≤"
)

// value writes a parameter for people; a number gets commas.
func (p Pair) value() string {
	if v, err := strconv.ParseFloat(p.Value, 64); err == nil && !strings.ContainsAny(p.Value, "eExX_") {
		return unit.Human(v, p.Unit)
	}
	return strings.TrimSpace(p.Value + " " + p.Unit)
}
