package report

import "io"

// Table writes the results for a terminal.
func Table(w io.Writer, results []Result) error { return nil }

// JSON writes the results for programs; Read reads them again.
func JSON(w io.Writer, results []Result) error { return nil }

// Read reads what JSON wrote.
func Read(r io.Reader) ([]Result, error) { return nil, nil }

// CSV writes one line for each figure: scenario, server, target, started, figure, unit, value, low, high.
func CSV(w io.Writer, results []Result) error { return nil }

// HTML writes one page that needs nothing else: with charts, light and dark. comparison may be nil.
func HTML(w io.Writer, results []Result, comparison *Comparison) error { return nil }

// Median makes one result of several runs of the same scenario: figures and latencies are medians with the spread, checks are summed.
func Median(runs []Result) Result { return Result{} }
