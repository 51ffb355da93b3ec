package report

import (
	"cmp"
	"slices"
	"time"

	"reverb/bench/measure"
)

// Median makes one result of several runs of the same scenario: figures and latencies are medians with the spread, checks are summed. The
// curves and series are those of the run in the middle. If the client was the limit in one run, it counts as the limit in all.
// A single run stays as it is.
func Median(runs []Result) Result {
	if len(runs) == 0 {
		return Result{}
	}
	if len(runs) == 1 {
		single := runs[0]
		single.Runs = 1
		return single
	}
	r := runs[middle(runs)]
	r.Started, r.Runs = runs[0].Started, len(runs)
	r.Figures = medianFigures(r.Figures, runs)
	r.Latency = medianLatencies(r.Latency, runs)
	r.Checks, r.Errors = measure.Checks{}, nil
	var seconds []float64
	for _, run := range runs {
		seconds = append(seconds, run.Seconds)
		r.Checks = r.Checks.Add(run.Checks)
		r.Client = worse(r.Client, run.Client)
		for _, text := range run.Errors {
			if !slices.Contains(r.Errors, text) {
				r.Errors = append(r.Errors, text)
			}
		}
	}
	r.Seconds = median(seconds)
	return r
}

// middle is the run in the middle by its first judged figure, else by its first latency's p99.
func middle(runs []Result) int {
	key := func(r Result) float64 {
		for _, f := range r.Figures {
			if f.Better != Neither {
				return f.Value
			}
		}
		if len(r.Latency) > 0 {
			return float64(r.Latency[0].P99)
		}
		return 0
	}
	order := make([]int, len(runs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(key(runs[a]), key(runs[b])) })
	return order[(len(order)-1)/2]
}

// worse is the report that says more against the client.
func worse(a, b measure.SelfReport) measure.SelfReport {
	switch {
	case a.Limit != b.Limit:
		if b.Limit {
			return b
		}
		return a
	case b.Busy > a.Busy:
		return b
	}
	return a
}

// medianFigures takes each figure over the runs that have it.
func medianFigures(figures []Figure, runs []Result) []Figure {
	out := slices.Clone(figures)
	for i := range out {
		var values []float64
		for _, run := range runs {
			for _, f := range run.Figures {
				if f.Name == out[i].Name {
					values = append(values, f.Value)
				}
			}
		}
		out[i].Value, out[i].Low, out[i].High = median(values), slices.Min(values), slices.Max(values)
	}
	return out
}

// medianLatencies takes each number of each latency over the runs that have any of it.
func medianLatencies(latencies []Latency, runs []Result) []Latency {
	out := slices.Clone(latencies)
	for i := range out {
		var all []measure.Summary
		for _, run := range runs {
			for _, l := range run.Latency {
				if l.Name == out[i].Name && l.Count > 0 {
					all = append(all, l.Summary)
				}
			}
		}
		if len(all) == 0 {
			continue
		}
		low, high := each(all, slices.Min), each(all, slices.Max)
		out[i].Summary, out[i].Low, out[i].High = each(all, median), &low, &high
	}
	return out
}

// each takes every number of the summaries for itself.
func each(all []measure.Summary, pick func([]float64) float64) measure.Summary {
	of := func(number func(measure.Summary) time.Duration) time.Duration {
		values := make([]float64, len(all))
		for i, s := range all {
			values[i] = float64(number(s))
		}
		return time.Duration(pick(values))
	}
	return measure.Summary{
		Count: int64(of(func(s measure.Summary) time.Duration { return time.Duration(s.Count) })),
		Mean:  of(func(s measure.Summary) time.Duration { return s.Mean }),
		Min:   of(func(s measure.Summary) time.Duration { return s.Min }),
		P50:   of(func(s measure.Summary) time.Duration { return s.P50 }),
		P90:   of(func(s measure.Summary) time.Duration { return s.P90 }),
		P99:   of(func(s measure.Summary) time.Duration { return s.P99 }),
		P999:  of(func(s measure.Summary) time.Duration { return s.P999 }),
		Max:   of(func(s measure.Summary) time.Duration { return s.Max }),
	}
}

// median is the value in the middle, or between the two there.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}
