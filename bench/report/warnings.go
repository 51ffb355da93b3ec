package report

import (
	"slices"
	"strconv"
	"strings"
)

// warning is what is to be known before a page is believed: each is told once, at its top, with the runs that it is about.
type warning struct {
	Class string // "alarm" or "care"
	Head  string
	Text  string // the same for all runs
	Runs  []warnedRun
}

// warnedRun points to a run. The text is what differs from run to run.
type warnedRun struct {
	ID, Run, Text string
}

// warn adds what is to be known of a run to the page, alarms first. It reports whether there is anything.
func (p *page) warn(s section, r Result) (warned bool) {
	for _, v := range verdicts(r) {
		w, run := warning{Class: "care", Head: v.Head, Text: v.said()}, warnedRun{ID: s.ID, Run: s.Title + " · " + s.Server}
		switch v.Level {
		case alarm:
			w.Class, w.Text, run.Text = "alarm", v.Hint, v.Text
			p.AllWell = false
		case care:
		default:
			continue
		}
		warned = true
		at := slices.IndexFunc(p.Warnings, func(known warning) bool {
			return known.Class == w.Class && known.Head == w.Head && known.Text == w.Text
		})
		if at < 0 {
			at = len(p.Warnings)
			p.Warnings = append(p.Warnings, w)
		}
		p.Warnings[at].Runs = append(p.Warnings[at].Runs, run)
	}
	return warned
}

// settleWarnings brings the alarms to the front. A page of one run needs no pointers to it, nor does what all runs have in common.
func (p *page) settleWarnings() {
	slices.SortStableFunc(p.Warnings, func(a, b warning) int { return strings.Compare(a.Class, b.Class) })
	for i := range p.Warnings {
		w := &p.Warnings[i]
		switch {
		case len(p.Sections) == 1:
			w.Text = strings.TrimSpace(w.Runs[0].Text + " " + w.Text)
			w.Runs = nil
		case w.Class == "care" && len(w.Runs) == len(p.Sections):
			w.Head, w.Runs = w.Head+" with all runs", nil
		}
	}
}

// titleOf names the scenarios, and then the servers.
func titleOf(results []Result, comparison *Comparison) string {
	var scenarios, servers []string
	for _, r := range results {
		if !slices.Contains(scenarios, r.Title()) {
			scenarios = append(scenarios, r.Title())
		}
		if name := serverName(r); !slices.Contains(servers, name) {
			servers = append(servers, name)
		}
	}
	if comparison != nil {
		servers = []string{comparison.A, comparison.B}
	}
	title := strings.Join(slices.DeleteFunc([]string{listed(scenarios), listed(servers)}, func(s string) bool { return s == "" }), " · ")
	if title == "" {
		return "reverb bench"
	}
	return title
}

// maxListed is how many names a title has.
const maxListed = 3

// listed writes names as people do: "a, b and c"; of more than a few the first and how many more.
func listed(names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
	if len(names) > maxListed {
		names = append(names[:maxListed:maxListed], strconv.Itoa(len(names)-maxListed)+" more")
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
