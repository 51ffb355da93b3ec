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
	Warnings []warning
	AllWell  bool
	Versus   *versusPage
	Sections []section
}

// section is one run.
type section struct {
	ID       string
	Title    string
	Server   string
	Origin   string
	Params   []shown
	Warned   bool           // see the page's warnings
	Verdicts []shownVerdict // the good ones
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
	p := page{Style: template.CSS(pageStyle), Title: titleOf(results, comparison), AllWell: len(results) > 1}
	for i, r := range results {
		r = finite(r)
		s := newSection(fmt.Sprintf("run-%d", i+1), r)
		s.Warned = p.warn(s, r) && len(results) > 1
		p.Sections = append(p.Sections, s)
	}
	p.settleWarnings()
	if len(results) > 0 {
		p.When = results[0].Started.UTC().Format("2 January 2006, 15:04 UTC")
	}
	if comparison != nil {
		p.Versus = newVersusPage(*comparison)
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
		if v.Level < care {
			s.Verdicts = append(s.Verdicts, shownVerdict{Class: [...]string{"fine", "plain"}[v.Level], Head: v.Head, Text: v.said()})
		}
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
		s.Charts = append(s.Charts, limited(c, r.Client.Limit, AtMost, ""))
	}
	for _, line := range r.Series {
		if c, ok := seriesChart(line.Name, line.Unit, line.XUnit, []curve{{name: line.Name, points: line.Points}}); ok {
			s.Charts = append(s.Charts, limited(c, r.Client.Limit && line.Unit == PerSecond, AtLeast, ""))
		}
	}
	return s
}

// limited marks a chart that shows the client and only bounds the server; servers are the ones meant, where there are several.
func limited(c chart, limit bool, bound, servers string) chart {
	if limit {
		c.Note = strings.TrimSpace(bound + " a bound " + servers)
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
