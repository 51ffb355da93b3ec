package doctor

import "strings"

// Status is how a check ended.
type Status string

// The values of Status, the better first.
const (
	OK      Status = "ok"
	Skipped Status = "skipped" // What says why
	Warning Status = "warning" // works today, or hurts little
	Failure Status = "failure" // does not work, or will not for long
)

// Finding is the outcome of one check.
type Finding struct {
	Section string `json:"section"`
	Check   string `json:"check"` // stable name for scripts: "files.limit"
	Title   string `json:"title"`
	Status  Status `json:"status"`
	What    string `json:"what"`          // what is so
	Why     string `json:"why,omitempty"` // why it matters; "" when all is well

	// Fix has the lines to change: .env lines, config keys, shell commands. Empty when all is well.
	Fix []string `json:"fix,omitempty"`

	Measures map[string]float64 `json:"measures,omitempty"` // the unit is in the name: publish_ms
}

// Report is what one examination found.
type Report struct {
	Status   Status    `json:"status"` // the worst of Findings; never Skipped
	OK       int       `json:"ok"`
	Warnings int       `json:"warnings"`
	Failures int       `json:"failures"`
	Skipped  int       `json:"skipped"`
	Findings []Finding `json:"findings"`
}

func (r *Report) add(f Finding) {
	r.Findings = append(r.Findings, f)
	switch f.Status {
	case OK:
		r.OK++
	case Skipped:
		r.Skipped++
	case Warning:
		r.Warnings++
	case Failure:
		r.Failures++
	}
	r.Status = OK
	switch {
	case r.Failures > 0:
		r.Status = Failure
	case r.Warnings > 0:
		r.Status = Warning
	}
}

// mask stands for a secret of any length.
const mask = "********"

// minSecret is the length from which on a secret is looked for in texts: shorter ones are parts of ordinary words.
// Nothing here quotes a secret; this is for the answers of others, which might.
const minSecret = 6

// scrub takes secrets out of what a finding says.
func (f *Finding) scrub(secrets []string) {
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		f.What = strings.ReplaceAll(f.What, s, mask)
		f.Why = strings.ReplaceAll(f.Why, s, mask)
		for i := range f.Fix {
			f.Fix[i] = strings.ReplaceAll(f.Fix[i], s, mask)
		}
	}
}
