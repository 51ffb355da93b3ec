package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"reverb/bench/report"
)

// both are a comparison with all that can be in one.
func both() ([]report.Result, *report.Comparison) {
	a := []report.Result{broadcast("reverb", "127.0.0.1:8080", 3.1, false), idle("reverb", 620)}
	b := []report.Result{broadcast("soketi", "127.0.0.1:6001", 0.35, true), idle("soketi", 3412)}
	c := report.Compare(a, b)
	return append(a, b...), &c
}

func TestHTMLGolden(t *testing.T) {
	r := broken()
	r.Series = r.Series[:1]
	r.Latency[0].Curve = r.Latency[0].Curve[:30]
	r.Latency = r.Latency[:1]
	var page bytes.Buffer
	if err := report.HTML(&page, []report.Result{r}, nil); err != nil {
		t.Fatal(err)
	}
	golden(t, "page.html", page.Bytes())
}

func TestHTMLNeedsNothingElse(t *testing.T) {
	results, comparison := both()
	var page bytes.Buffer
	if err := report.HTML(&page, append(results, broken()), comparison); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, forbidden := range []string{"http://", "https://", "//cdn", "src=", "@import", "url(", "<script", "ZgotmplZ", "NaN", "Inf"} {
		if i := strings.Index(text, forbidden); i >= 0 {
			t.Errorf("%q in the page: …%s…", forbidden, text[max(0, i-40):min(len(text), i+40)])
		}
	}
	for _, wanted := range []string{
		"<svg", "prefers-color-scheme: dark", `name="viewport"`, "soketi 1.6 &lt;beta&gt; &amp;", "checks failed", "the client was the limit", "≥", "≤", "p99.9",
		"reverb 5.50 ×",
	} {
		if !strings.Contains(text, wanted) {
			t.Errorf("%q is not in the page", wanted)
		}
	}
	if len(text) > 400_000 {
		t.Errorf("the page has %d bytes", len(text))
	}
}

// TestHTMLIsBalanced reads the page's body as XML, which finds what is not closed or not quoted.
func TestHTMLIsBalanced(t *testing.T) {
	results, comparison := both()
	var page bytes.Buffer
	if err := report.HTML(&page, append(results, broken()), comparison); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(page.String(), "<body>")
	body, _, _ = strings.Cut(body, "</body>")
	body = regexp.MustCompile(`<hr ([^>]*)>`).ReplaceAllString(body, `<hr $1/>`)
	decoder := xml.NewDecoder(strings.NewReader("<body>" + body + "</body>"))
	decoder.Entity = xml.HTMLEntity
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A page's title says what was measured, and of whom.
func TestHTMLTitle(t *testing.T) {
	reverb, soketi := broadcast("reverb", "127.0.0.1:8080", 3, false), broadcast("soketi", "127.0.0.1:6001", 1, false)
	named := func(name string) report.Result {
		return report.Result{Name: name, Scenario: "connect", Server: "reverb"}
	}
	versus := report.Compare([]report.Result{reverb}, []report.Result{soketi})
	for name, tt := range map[string]struct {
		results    []report.Result
		comparison *report.Comparison
		want       string
	}{
		"one":        {[]report.Result{reverb}, nil, "giant channel (broadcast) · reverb"},
		"two":        {[]report.Result{reverb, idle("reverb", 1)}, nil, "giant channel (broadcast) and idle · reverb"},
		"many":       {[]report.Result{named("a"), named("b"), named("c"), named("d"), named("e")}, nil, "a (connect), b (connect), c (connect) and 2 more · reverb"},
		"comparison": {[]report.Result{reverb, soketi}, &versus, "giant channel (broadcast) · reverb and soketi"},
		"nothing":    {nil, nil, "reverb bench"},
	} {
		t.Run(name, func(t *testing.T) {
			var page bytes.Buffer
			if err := report.HTML(&page, tt.results, tt.comparison); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"<title>" + tt.want + " · load test</title>", "<h1>" + tt.want + "</h1>"} {
				if !strings.Contains(page.String(), want) {
					t.Errorf("the page lacks %s", want)
				}
			}
		})
	}
}

// Each warning is told once, with the runs that it is about.
func TestHTMLWarnsOnce(t *testing.T) {
	busy := func(name string) report.Result {
		r := broadcast(name, "127.0.0.1:1", 1, true)
		r.Client.Notes = []string{"the machine was full"}
		return r
	}
	calm := idle("calm", 1)
	for name, tt := range map[string]struct {
		results []report.Result
		want    map[string]int
	}{
		"one run":  {[]report.Result{busy("a")}, map[string]int{"the client was the limit": 1, "the machine was full": 1, "are bounds:": 1, "see the warnings": 0, `href="#run-1"`: 0}},
		"all runs": {[]report.Result{busy("a"), busy("b")}, map[string]int{"the client was the limit": 1, "the machine was full": 1, "take care with all runs": 1, "are bounds:": 1, "see the warnings": 2, `<li><a href="#run-2"`: 1}},
		"some runs": {[]report.Result{calm, busy("b"), busy("c")}, map[string]int{
			"the client was the limit": 1, "the machine was full": 1, "see the warnings": 2, `<li><a href="#run-1"`: 0, `<li><a href="#run-2"`: 2, "all checks passed": 0,
		}},
		"no run": {[]report.Result{calm, calm}, map[string]int{"the client was the limit": 0, "see the warnings": 0, "all checks passed": 1}},
	} {
		for _, compared := range []bool{false, true} {
			var comparison *report.Comparison
			if compared && len(tt.results) == 2 {
				c := report.Compare(tt.results[:1], tt.results[1:])
				comparison = &c
			}
			var page bytes.Buffer
			if err := report.HTML(&page, tt.results, comparison); err != nil {
				t.Fatal(err)
			}
			body := page.String()[strings.Index(page.String(), "<body>"):strings.Index(page.String(), "<footer>")]
			for text, want := range tt.want {
				if text == "see the warnings" && comparison != nil && want > 0 {
					want++ // at the comparison, too
				}
				if got := strings.Count(body, text); got != want {
					t.Errorf("%s, compared %v: %q is there %d times, want %d", name, compared, text, got, want)
				}
			}
		}
	}
}

func TestHTMLOfLittle(t *testing.T) {
	for name, results := range map[string][]report.Result{
		"nothing":   nil,
		"one empty": {{}},
		"one point": {{Scenario: "x", Series: []report.Series{{Name: "rate", Points: []report.Point{{X: 1, Y: 1}}}}}},
		"zeros":     {{Scenario: "x", Series: []report.Series{{Name: "rate", Points: []report.Point{{}, {}, {}}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			empty := report.Compare(results, nil)
			for _, c := range []*report.Comparison{nil, &empty} {
				var page bytes.Buffer
				if err := report.HTML(&page, results, c); err != nil || !strings.HasSuffix(page.String(), "</html>\n") {
					t.Errorf("comparison %v: %v", c, err)
				}
			}
		})
	}
}

func TestHTMLKeepsPeaksOfLongSeries(t *testing.T) {
	points := make([]report.Point, 86_400)
	for i := range points {
		points[i] = report.Point{X: float64(i), Y: 1}
	}
	points[50_000].Y = 1000
	var page bytes.Buffer
	err := report.HTML(&page, []report.Result{{Scenario: "day", Series: []report.Series{{Name: "rate", Unit: report.PerSecond, XUnit: report.Seconds, Points: points}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if page.Len() > 100_000 {
		t.Errorf("a day makes a page of %d bytes", page.Len())
	}
	if !regexp.MustCompile(`class="line" d="[^"]*L[\d.]+ 0L`).Match(page.Bytes()) {
		t.Error("the peak is not at the top of the chart")
	}
}

// broke fails to write.
type broke struct{}

func (broke) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWritersTellErrors(t *testing.T) {
	results, comparison := both()
	for name, write := range map[string]func() error{
		"table":            func() error { return report.Table(broke{}, results) },
		"json":             func() error { return report.JSON(broke{}, results) },
		"csv":              func() error { return report.CSV(broke{}, results) },
		"html":             func() error { return report.HTML(broke{}, results, comparison) },
		"comparison":       func() error { return comparison.Table(broke{}) },
		"comparison, json": func() error { return comparison.JSON(broke{}, results) },
	} {
		if err := write(); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
