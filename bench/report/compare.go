package report

import "io"

// Comparison sets two servers side by side, scenario by scenario.
type Comparison struct {
	A         string   `json:"a"` // name of the first server
	B         string   `json:"b"`
	Scenarios []Versus `json:"scenarios"`
}

// Versus is one scenario run against both.
type Versus struct {
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
	Factor float64 `json:"factor"`           // how many times better the winner is, 1 or more; without a winner A/B; 0: one of them is 0
	Winner string  `json:"winner,omitempty"` // "a", "b", or none: equal or not to be judged
}

// Compare pairs the results of two servers by scenario and parameters; what only one of them has is left out.
func Compare(a, b []Result) Comparison { return Comparison{} }

// Table writes the comparison for a terminal.
func (c Comparison) Table(w io.Writer) error { return nil }
