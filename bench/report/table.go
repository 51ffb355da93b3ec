package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"reverb/bench/measure"
	"reverb/bench/unit"
)

const (
	tableWidth = 100 // characters of a line of prose
	maxErrors  = 10  // kinds of errors that are listed
)

// Table writes the results for a terminal.
func Table(w io.Writer, results []Result) error {
	var b strings.Builder
	for _, r := range results {
		tableResult(&b, r)
		b.WriteByte('\n')
	}
	tableDoubts(&b, results)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

func tableResult(b *strings.Builder, r Result) {
	fmt.Fprintf(b, "━━ %s · %s\n", r.Title(), origin(r))
	if len(r.Params) > 0 {
		for _, line := range wrap(params(r.Params), tableWidth) {
			b.WriteString("   " + line + "\n")
		}
	}
	b.WriteByte('\n')
	tableFigures(b, r)
	tableLatencies(b, r)
	for _, v := range verdicts(r) {
		tableVerdict(b, v)
	}
	tableErrors(b, r.Errors)
}

// origin says who was measured and how long.
func origin(r Result) string {
	text := r.Server
	if r.Target != "" && r.Target != r.Server {
		text = strings.TrimPrefix(text+" at "+r.Target, " at ")
	}
	text += fmt.Sprintf(" · %s", unit.Human(r.Seconds, Seconds))
	if r.Runs > 1 {
		text += fmt.Sprintf(" · median of %d runs", r.Runs)
	}
	return text
}

func params(pairs []Pair) string {
	words := make([]string, 0, len(pairs))
	for _, p := range pairs {
		// A parameter is kept on one line with its value.
		words = append(words, strings.ReplaceAll(p.Name+" "+p.value(), " ", "\u00a0"))
	}
	return strings.Join(words, " · ")
}

func tableFigures(b *strings.Builder, r Result) {
	if len(r.Figures) == 0 {
		return
	}
	g := grid{lefts: 1}
	for _, f := range r.Figures {
		value := bounded(r.Bound(f), f.Value, f.Unit)
		if spread := spread(r.Runs, f); spread != "" {
			g.add(f.Name, value, spread)
		} else {
			g.add(f.Name, value)
		}
	}
	g.write(b, "   ")
	b.WriteByte('\n')
}

// spread writes the least and the greatest of several runs, the unit once; nothing when they were all alike.
func spread(runs int, f Figure) string {
	low, high := unit.Human(f.Low, f.Unit), unit.Human(f.High, f.Unit)
	if runs < 2 || low == high {
		return ""
	}
	if _, in, ok := strings.Cut(high, " "); ok {
		low = strings.TrimSuffix(low, " "+in)
	}
	return low + " … " + high
}

// latencyColumns are the columns of a table of latencies.
var latencyColumns = []struct {
	name string
	of   func(measure.Summary) time.Duration
}{
	{"mean", func(s measure.Summary) time.Duration { return s.Mean }},
	{"p50", func(s measure.Summary) time.Duration { return s.P50 }},
	{"p90", func(s measure.Summary) time.Duration { return s.P90 }},
	{"p99", func(s measure.Summary) time.Duration { return s.P99 }},
	{"p99.9", func(s measure.Summary) time.Duration { return s.P999 }},
	{"max", func(s measure.Summary) time.Duration { return s.Max }},
}

func tableLatencies(b *strings.Builder, r Result) {
	if len(r.Latency) == 0 {
		return
	}
	g := grid{lefts: 1}
	head := []string{"latency", "count"}
	for _, column := range latencyColumns {
		head = append(head, column.name)
	}
	g.add(head...)
	for _, row := range latencyRows(r) {
		g.add(row...)
	}
	g.write(b, "   ")
	b.WriteByte('\n')
}

// latencyRows are the lines of a table of latencies; of several runs there are the extremes, too.
func latencyRows(r Result) (rows [][]string) {
	for _, l := range r.Latency {
		rows = append(rows, latencyRow(l.Name, l.Summary, r.Client.Limit))
		if l.Low != nil && l.High != nil {
			rows = append(rows, latencyRow("· lowest", *l.Low, r.Client.Limit), latencyRow("· highest", *l.High, r.Client.Limit))
		}
	}
	return rows
}

func latencyRow(name string, s measure.Summary, limit bool) []string {
	row := []string{name, unit.Human(float64(s.Count), Count)}
	for _, column := range latencyColumns {
		row = append(row, latencyCell(s, column.of(s), limit))
	}
	return row
}

// latencyCell writes one latency; that of a client at its limit is the most the server's can be.
func latencyCell(s measure.Summary, d time.Duration, limit bool) string {
	switch {
	case s.Count == 0:
		return unit.Unknown
	case limit:
		return AtMost + " " + unit.Time(d)
	}
	return unit.Time(d)
}

// tableVerdict writes a verdict: a good one as a line, an alarm with a bar beside it that cannot be overlooked.
func tableVerdict(b *strings.Builder, v verdict) {
	if v.Level != alarm {
		sign := map[level]string{fine: "✓", plain: "·", care: "!"}[v.Level]
		for i, line := range wrap(v.Head+": "+v.said(), tableWidth) {
			if i > 0 {
				sign = " "
			}
			b.WriteString("   " + sign + " " + line + "\n")
		}
		return
	}
	bar := "   " + strings.Repeat("▓", tableWidth)
	b.WriteString(bar + "\n")
	for _, line := range wrap(strings.ToUpper(v.Head)+": "+v.said(), tableWidth-4) {
		b.WriteString("   ▓▓ " + line + "\n")
	}
	b.WriteString(bar + "\n")
}

func tableErrors(b *strings.Builder, errs []string) {
	for i, text := range errs {
		if i == maxErrors {
			fmt.Fprintf(b, "   ✗ and %d more kinds of errors\n", len(errs)-maxErrors)
			return
		}
		b.WriteString("   ✗ " + text + "\n")
	}
}

// tableDoubts repeats at the very end, where a reader of a long table looks first, which runs cannot be believed as they stand.
func tableDoubts(b *strings.Builder, results []Result) {
	if len(results) < 2 {
		return
	}
	doubts, noted := 0, 0
	for _, r := range results {
		if len(r.Client.Notes) > 0 {
			noted++
		}
		for _, v := range verdicts(r) {
			if v.Level == alarm {
				doubts++
				fmt.Fprintf(b, "▓▓ %s: %s · %s\n", strings.ToUpper(v.Head), r.Title(), r.Server)
			}
		}
	}
	if noted > 0 {
		fmt.Fprintf(b, "! take care: %d of %d runs have notes above\n", noted, len(results))
	}
	if doubts == 0 {
		fmt.Fprintf(b, "✓ %d runs: all checks passed, and the client was never the limit\n", len(results))
	}
}
