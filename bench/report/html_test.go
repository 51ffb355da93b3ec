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
