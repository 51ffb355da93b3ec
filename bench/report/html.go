package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"reverb/bench/unit"
)

//go:embed page.gohtml
var pageText string

//go:embed page.css
var pageStyle string

// HTML writes one page that needs nothing else: with charts, light and dark. comparison may be nil.
func HTML(w io.Writer, results []Result, comparison *Comparison) error {
	funcs := template.FuncMap{"human": unit.Human, "upper": strings.ToUpper}
	t, err := template.New("page").Funcs(funcs).Parse(pageText)
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	if err := t.Execute(w, newPage(results, comparison)); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// page is what the template shows.
type page struct {
	Style    template.CSS
	Title    string
	When     string
	Doubts   []doubt
	AllWell  bool
	Noted    int // runs with something to be known before believing them
	Versus   *versusPage
	Sections []section
}

// doubt points to a run that cannot be believed as it stands.
type doubt struct {
	ID, Text, Run string
}

// section is one run.
type section struct {
	ID       string
	Title    string
	Server   string
	Origin   string
	Params   []shown
	Verdicts []shownVerdict
	Figures  []shown
	Columns  []string
	Rows     [][]string // of the table of latencies
	Charts   []chart
	Errors   []string
	More     int // errors that are not listed
}

// shown is a name and a value as people read them.
type shown struct {
	Name, Bound, Value, Spread string
}

// shownVerdict is a verdict with the class of its colour.
type shownVerdict struct {
	Class, Head, Text string
}

func newPage(results []Result, comparison *Comparison) page {
	p := page{Style: template.CSS(pageStyle), Title: "reverb bench", AllWell: len(results) > 0}
	var servers []string
	for i, r := range results {
		r = finite(r)
		s := newSection(fmt.Sprintf("run-%d", i+1), r)
		p.Sections = append(p.Sections, s)
		if len(servers) == 0 || servers[len(servers)-1] != s.Server {
			servers = append(servers, s.Server)
		}
		if len(r.Client.Notes) > 0 {
			p.Noted++
		}
		for _, v := range verdicts(r) {
			if v.Level == alarm {
				p.AllWell = false
				p.Doubts = append(p.Doubts, doubt{ID: s.ID, Text: v.Head, Run: s.Title + " · " + s.Server})
			}
		}
	}
	if len(servers) == 1 {
		p.Title = servers[0]
	}
	if len(results) > 0 {
		p.When = results[0].Started.UTC().Format("2 January 2006, 15:04 UTC")
	}
	if comparison != nil {
		p.Versus = newVersusPage(*comparison)
		p.Title = comparison.A + " and " + comparison.B
	}
	return p
}

func newSection(id string, r Result) section {
	s := section{ID: id, Title: r.Title(), Server: serverName(r), Origin: where(r), Errors: r.Errors}
	if len(r.Errors) > maxErrors {
		s.Errors, s.More = r.Errors[:maxErrors], len(r.Errors)-maxErrors
	}
	for _, p := range r.Params {
		s.Params = append(s.Params, shown{Name: p.Name, Value: p.value()})
	}
	for _, f := range r.Figures {
		s.Figures = append(s.Figures, shown{Name: f.Name, Bound: r.Bound(f), Value: unit.Human(f.Value, f.Unit), Spread: spread(r.Runs, f)})
	}
	for _, v := range verdicts(r) {
		s.Verdicts = append(s.Verdicts, shownVerdict{Class: [...]string{"fine", "plain", "care", "alarm"}[v.Level], Head: v.Head, Text: v.Text})
	}
	for _, column := range latencyColumns {
		s.Columns = append(s.Columns, column.name)
	}
	var curves []curve
	s.Rows = latencyRows(r)
	for i, l := range r.Latency {
		curves = append(curves, curve{name: l.Name, color: i % colors, points: curveOf(l.Curve)})
	}
	if c, ok := latencyChart("latency", curves); ok {
		s.Charts = append(s.Charts, limited(c, r.Client.Limit, ""))
	}
	for _, line := range r.Series {
		if c, ok := seriesChart(line.Name, line.Unit, line.XUnit, []curve{{name: line.Name, points: line.Points}}); ok {
			s.Charts = append(s.Charts, limited(c, r.Client.Limit && line.Unit == PerSecond, ""))
		}
	}
	return s
}

// limited says in a chart that it shows the client; servers are the ones meant, where there are several.
func limited(c chart, limit bool, servers string) chart {
	switch {
	case limit && servers != "":
		c.Note = servers + ": the client was the limit, this is not the server's speed"
	case limit:
		c.Note = "the client was the limit: this is not the server's speed"
	}
	return c
}

// where says at which address, when, and how long.
func where(r Result) string {
	var words []string
	if r.Target != "" && r.Target != serverName(r) {
		words = append(words, r.Target)
	}
	if !r.Started.IsZero() {
		words = append(words, r.Started.UTC().Format(time.TimeOnly))
	}
	words = append(words, unit.Human(r.Seconds, Seconds))
	if r.Runs > 1 {
		words = append(words, fmt.Sprintf("median of %d runs", r.Runs))
	}
	return strings.Join(words, " · ")
}
