package report_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"reverb/bench/measure"
	"reverb/bench/report"
)

func TestTableGolden(t *testing.T) {
	var text bytes.Buffer
	runs := []report.Result{broadcast("reverb", "127.0.0.1:8080", 3.1, false), broadcast("reverb", "127.0.0.1:8080", 2.9, false)}
	if err := report.Table(&text, []report.Result{runs[0], report.Median(runs), idle("reverb", 620), broken()}); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", text.Bytes())
}

func TestCSVGolden(t *testing.T) {
	var text bytes.Buffer
	if err := report.CSV(&text, []report.Result{idle("reverb", 620), broken()}); err != nil {
		t.Fatal(err)
	}
	golden(t, "results.csv", text.Bytes())
	if _, err := csv.NewReader(&text).ReadAll(); err != nil {
		t.Error(err)
	}
}

func TestComparisonGolden(t *testing.T) {
	_, comparison := both()
	var text bytes.Buffer
	if err := comparison.Table(&text); err != nil {
		t.Fatal(err)
	}
	golden(t, "comparison.txt", text.Bytes())
}

// TestAlarmsAreLoud says what may never be lost from any form for people.
func TestAlarmsAreLoud(t *testing.T) {
	failed := report.Result{Scenario: "x", Checks: measure.Checks{Expected: 9, Delivered: 8, Missing: 1}}
	limited := report.Result{
		Scenario: "x", Client: measure.SelfReport{Loops: 1, Busy: 0.99}.Judge(measure.Summary{}),
		Figures: []report.Figure{
			{Name: "rate", Unit: report.PerSecond, Value: 4321, Better: report.Higher},
			{Name: "time", Unit: report.Nanoseconds, Value: 54321, Better: report.Lower},
			{Name: "memory", Unit: report.Bytes, Value: 765, Better: report.Lower},
			{Name: "cost", Unit: report.Processor, Value: 876, Better: report.Lower},
		},
		Latency: []report.Latency{{Name: "delivery", Summary: measure.Summary{Count: 1, P50: 1234}}},
	}
	write := func(r report.Result) (table, page string) {
		var a, b bytes.Buffer
		if report.Table(&a, []report.Result{r}) != nil || report.HTML(&b, []report.Result{r}, nil) != nil {
			t.Fatal("not written")
		}
		return a.String(), b.String()
	}
	table, page := write(failed)
	for _, want := range []string{"▓▓ CHECKS FAILED: of 9 deliveries expected, 1 missing\n"} {
		if !strings.Contains(table, want) {
			t.Errorf("table lacks %q:\n%s", want, table)
		}
	}
	if strings.Count(page, "checks failed") != 1 || strings.Contains(page, "all checks passed") {
		t.Error("the page does not say, once, that checks failed")
	}
	table, page = write(limited)
	for _, want := range []string{"▓▓ THE CLIENT WAS THE LIMIT: ", "≥ 4,321 /s\n", "≤ 54.3 µs\n", " 765 B\n", " 876 ns\n", "≤ 1.23 µs"} {
		if !strings.Contains(table, want) {
			t.Errorf("table lacks %q:\n%s", want, table)
		}
	}
	for _, not := range []string{"≤ 765", "≤ 876"} {
		if strings.Contains(table, not) {
			t.Errorf("table has %q, which is no speed", not)
		}
	}
	for _, want := range []string{`<span class="bound">≥</span> 4,321 /s`, `<span class="bound">≤</span> 54.3 µs`, "<dd>765 B", "≤ 1.23 µs", `class="verdict alarm"`} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q", want)
		}
	}
}

func TestTableEndsWithAVerdictOnAll(t *testing.T) {
	good := broadcast("reverb", "127.0.0.1:8080", 1, false)
	for _, c := range []struct {
		results []report.Result
		want    string
	}{
		{[]report.Result{good, good}, "✓ 2 runs: all checks passed, and the client was never the limit\n"},
		{[]report.Result{broken(), good}, "▓▓ THE CLIENT WAS THE LIMIT: broadcast · soketi 1.6 <beta> & \"co\"\n! take care: 1 of 2 runs have notes above\n"},
	} {
		var text bytes.Buffer
		if err := report.Table(&text, c.results); err != nil || !strings.HasSuffix(text.String(), c.want) {
			t.Errorf("%v: want at the end %q:\n%s", err, c.want, text.String())
		}
	}
}

func TestTableOfManyErrors(t *testing.T) {
	r := report.Result{Scenario: "x", Server: "s"}
	for range 25 {
		r.Errors = append(r.Errors, "1 × something")
	}
	var text bytes.Buffer
	if err := report.Table(&text, []report.Result{r}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "something"); n != 10 || !strings.Contains(text.String(), "and 15 more kinds of errors") {
		t.Errorf("%d errors listed:\n%s", n, text.String())
	}
}
