package report

import (
	"fmt"
	"io"
	"strings"

	"reverb/bench/unit"
)

// Table writes the comparison for a terminal.
func (c Comparison) Table(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "━━ %s compared with %s\n", c.A, c.B)
	if len(c.Scenarios) == 0 {
		b.WriteString("\n   · no run of the one has its like among the other's\n")
	}
	for _, v := range c.Scenarios {
		tableVersus(&b, c, v)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// Title is how the run is called.
func (v Versus) Title() string { return Result{Name: v.Name, Scenario: v.Scenario}.Title() }

func tableVersus(b *strings.Builder, c Comparison, v Versus) {
	b.WriteString("\n   " + v.Title() + "\n")
	if len(v.Params) > 0 {
		for _, line := range wrap(params(v.Params), tableWidth) {
			b.WriteString("   " + line + "\n")
		}
	}
	b.WriteByte('\n')
	g := grid{lefts: 1}
	g.add("", c.A, c.B, "")
	for _, r := range v.Rows {
		g.add(r.Name, bounded(r.BoundA, r.A, r.Unit), bounded(r.BoundB, r.B, r.Unit), c.outcome(r))
	}
	g.write(b, "   ")
	b.WriteByte('\n')
	for _, side := range []struct {
		name string
		run  Result
	}{{c.A, v.A}, {c.B, v.B}} {
		for _, verdict := range verdicts(side.run) {
			if verdict.Level == alarm {
				verdict.Head = side.name + ": " + verdict.Head
				tableVerdict(b, verdict)
			}
		}
	}
}

// bounded writes a value after the sign of its bound.
func bounded(bound string, value float64, in string) string {
	text := unit.Human(value, in)
	if text == unit.Unknown {
		return text
	}
	return strings.TrimSpace(bound + " " + text)
}

// outcome says of one row who is how many times better.
func (c Comparison) outcome(r Ratio) string {
	switch {
	case r.Doubtful():
		return "not known: client was the limit"
	case r.Winner == "" && r.A == r.B:
		return "equal"
	case r.Winner == "" && r.Better == Neither && r.Factor != 0:
		return "× " + factor(r.Factor)
	case r.Winner == "":
		return ""
	}
	name := c.A
	if r.Winner == sideB {
		name = c.B
	}
	if r.Factor != 0 {
		name += " " + r.atLeast() + factor(r.Factor) + " ×"
	}
	if r.Within {
		name += ", within the spread"
	}
	return name
}

// factor writes a ratio: 1.24, 12.4, 124.
func factor(f float64) string {
	switch {
	case f < 10:
		return fmt.Sprintf("%.2f", f)
	case f < 100:
		return fmt.Sprintf("%.1f", f)
	}
	return unit.Human(f, Count)
}
