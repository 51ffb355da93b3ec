package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"reverb/bench/measure"
)

// CSV writes one line for each figure: run, scenario, server, target, started, parameters, figure, unit, value, low, high, bound,
// believed. Latencies are figures in ns, checks are figures without a unit. bound is "≥" or "≤" when the client was the limit and the
// value only bounds the server's; believed is false when anything is wrong with the run.
func CSV(w io.Writer, results []Result) error {
	out := csv.NewWriter(w)
	head := []string{"run", "scenario", "server", "target", "started", "parameters", "figure", "unit", "value", "low", "high", "bound", "believed"}
	if err := out.Write(head); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	for _, r := range results {
		for _, f := range flat(finite(r)) {
			low, high := "", ""
			if r.Runs > 1 {
				low, high = plainNumber(f.Low), plainNumber(f.High)
			}
			line := []string{
				r.Name, r.Scenario, r.Server, r.Target, r.Started.UTC().Format(time.RFC3339), plainParams(r.Params),
				f.Name, f.Unit, plainNumber(f.Value), low, high, r.Bound(f), strconv.FormatBool(r.OK()),
			}
			if err := out.Write(line); err != nil {
				return fmt.Errorf("write CSV: %w", err)
			}
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// flat is all that a result counts as figures: its own, the latencies, the checks.
func flat(r Result) []Figure {
	figures := slices.Clone(r.Figures)
	for _, l := range r.Latency {
		figures = append(figures, latencyFigures(l)...)
	}
	for _, check := range []struct {
		name string
		n    int64
	}{
		{"deliveries expected", r.Checks.Expected}, {"deliveries missing", r.Checks.Missing}, {"deliveries duplicated", r.Checks.Duplicated},
		{"deliveries reordered", r.Checks.Reordered}, {"deliveries unknown", r.Checks.Unknown},
	} {
		n := float64(check.n)
		figures = append(figures, Figure{Name: check.name, Value: n, Low: n, High: n})
	}
	return figures
}

// latencyFigures are a latency's numbers as figures.
func latencyFigures(l Latency) []Figure {
	if l.Count == 0 {
		return nil
	}
	low, high := l.Summary, l.Summary
	if l.Low != nil && l.High != nil {
		low, high = *l.Low, *l.High
	}
	figures := make([]Figure, 0, len(latencyColumns))
	for _, column := range latencyColumns {
		value := func(s measure.Summary) float64 { return float64(column.of(s)) }
		figures = append(figures, Figure{
			Name: l.Name + " " + column.name, Unit: Nanoseconds, Better: Lower,
			Value: value(l.Summary), Low: value(low), High: value(high),
		})
	}
	return figures
}

func plainNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func plainParams(pairs []Pair) string {
	text := ""
	for i, p := range pairs {
		if i > 0 {
			text += "; "
		}
		text += p.Name + "=" + p.Value + p.Unit
	}
	return text
}
