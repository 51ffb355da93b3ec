package report

import (
	"time"

	"reverb/bench/measure"
)

// Units that have a form of their own; any other is written behind the number.
const (
	Bytes       = "B"  // 1.2 MB
	Nanoseconds = "ns" // 1.2 ms
	Seconds     = "s"  // 1.2 s
	PerSecond   = "/s" // 12,345 /s
	Percent     = "%"  // 12.3 %, the value is 12.3
	Cores       = "cores"
	Count       = "" // 12,345
)

// Better says which of two values is the better one.
type Better string

// What a figure may be judged by.
const (
	Higher  Better = "higher"
	Lower   Better = "lower"
	Neither Better = ""
)

// Result is the outcome of one scenario against one server.
type Result struct {
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

// Measured is the latency as a report wants it.
func Measured(name string, l *measure.Latency) Latency {
	return Latency{Name: name, Summary: l.Summary(), Curve: l.Curve()}
}

// PerSecondSeries makes a series of counts per second.
func PerSecondSeries(name string, counts []int64) Series {
	s := Series{Name: name, Unit: PerSecond, XUnit: Seconds, Points: make([]Point, len(counts))}
	for i, n := range counts {
		s.Points[i] = Point{X: float64(i + 1), Y: float64(n)}
	}
	return s
}

// UsageSeries makes the series a watched server gives: memory and processor over time, and memory over connections if it grew with them.
func UsageSeries(samples []measure.Usage) []Series { return nil }
