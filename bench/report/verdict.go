package report

import (
	"fmt"
	"strings"

	"reverb/bench/measure"
	"reverb/bench/unit"
)

// level is how loudly a verdict is to be told.
type level int

const (
	fine  level = iota
	plain       // nothing to judge
	care        // to be known before believing
	alarm       // the figures cannot be believed as they stand
)

// verdict is one sentence on a run.
type verdict struct {
	Level level
	Head  string // "checks failed"
	Text  string
	Hint  string // what follows from it, the same for each run
}

// said is the verdict in one line, without its head.
func (v verdict) said() string { return strings.TrimSpace(v.Text + " " + v.Hint) }

// verdicts are all that there is to say of a run besides its figures.
func verdicts(r Result) []verdict {
	all := []verdict{checked(r.Checks), kept(r.Client)}
	for _, note := range r.Client.Notes {
		all = append(all, verdict{Level: care, Head: "take care", Text: note})
	}
	return all
}

// checked judges the deliveries.
func checked(c measure.Checks) verdict {
	if c.OK() {
		if c.Expected == 0 {
			return verdict{Level: plain, Head: "no deliveries", Text: "there was nothing to check"}
		}
		return verdict{Level: fine, Head: "checks passed", Text: unit.Human(float64(c.Delivered), Count) + " deliveries, each once and in order"}
	}
	var wrong []string
	for _, kind := range []struct {
		n    int64
		text string
	}{
		{c.Missing, "missing"}, {c.Duplicated, "came twice"}, {c.Reordered, "came out of order"}, {c.Unknown, "were never sent"},
	} {
		if kind.n > 0 {
			wrong = append(wrong, unit.Human(float64(kind.n), Count)+" "+kind.text)
		}
	}
	return verdict{
		Level: alarm, Head: "checks failed",
		Text: fmt.Sprintf("of %s deliveries expected, %s", unit.Human(float64(c.Expected), Count), strings.Join(wrong, ", ")),
	}
}

// kept judges the client.
func kept(c measure.SelfReport) verdict {
	if c.Limit {
		return verdict{
			Level: alarm, Head: "the client was the limit",
			Text: strings.Join(c.Reasons, "; ") + ".",
			Hint: "Figures with " + AtLeast + " or " + AtMost + " are bounds: the server is at least this good, and may be much better.",
		}
	}
	c.Notes = nil // told on lines of their own
	return verdict{Level: fine, Head: "client kept up", Text: strings.TrimPrefix(c.Verdict(), "the client kept up: ")}
}
