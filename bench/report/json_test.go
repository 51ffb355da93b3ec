package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"

	"reverb/bench/report"
)

func TestJSONRoundTrip(t *testing.T) {
	results, comparison := both()
	results = append(results, report.Median([]report.Result{results[0], results[0]}))
	for name, write := range map[string]func(io.Writer) error{
		"results":    func(w io.Writer) error { return report.JSON(w, results) },
		"comparison": func(w io.Writer) error { return comparison.JSON(w, results) },
	} {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			t.Fatal(name, err)
		}
		got, err := report.Read(&text)
		if err != nil {
			t.Fatal(name, err)
		}
		if !reflect.DeepEqual(got, results) {
			t.Errorf("%s: came back changed", name)
		}
	}
}

func TestJSONTellsTheRatios(t *testing.T) {
	results, comparison := both()
	var text bytes.Buffer
	if err := comparison.JSON(&text, results); err != nil {
		t.Fatal(err)
	}
	var file struct{ Comparison report.Comparison }
	if err := json.Unmarshal(text.Bytes(), &file); err != nil {
		t.Fatal(err)
	}
	if rows := file.Comparison.Scenarios[1].Rows; rows[0].Winner != "a" || rows[0].Factor < 5.4 || rows[0].Factor > 5.6 {
		t.Errorf("got %+v", rows[0])
	}
}

// TestJSONWithoutNumbers: a run of nothing divides by nothing, and must not cost the whole file.
func TestJSONWithoutNumbers(t *testing.T) {
	r := broken()
	figures := len(r.Figures)
	var text bytes.Buffer
	if err := report.JSON(&text, []report.Result{r}); err != nil {
		t.Fatal(err)
	}
	got, err := report.Read(&text)
	if err != nil || len(got[0].Figures) != figures-1 {
		t.Errorf("%v: %+v", err, got)
	}
	if len(r.Figures) != figures {
		t.Error("writing changed the result")
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "EOF",
		"{":                                     "EOF",
		"[]":                                    "cannot unmarshal",
		"{}":                                    "no file of reverb bench",
		`{"format":"other"}`:                    "no file of reverb bench",
		`{"format":"reverb bench","version":2}`: "version 2",
	} {
		if _, err := report.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// FuzzRead shows whatever can be read in every form.
func FuzzRead(f *testing.F) {
	var text bytes.Buffer
	if err := report.JSON(&text, []report.Result{idle("reverb", 620)}); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte(`{"format":"reverb bench","version":1,"results":[{"series":[{"points":[{"x":-1e308,"y":1e308},{"x":1e308,"y":5e-324}]}],
		"latency":[{"count":1,"curve":[{"at":-1,"ns":-5},{"at":2,"ns":9},{"at":0.5,"ns":0},{"at":1,"ns":9223372036854775807}]}]}]}`))
	for _, y := range []string{"5e-324", "1.7976931348623157e308", "1e-300"} {
		f.Add([]byte(`{"format":"reverb bench","version":1,"results":[{"series":[{"points":[{"x":` + y + `,"y":0},{"x":0,"y":` + y + `}]}]}]}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		results, err := report.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		c := report.Compare(results, results)
		if err := report.HTML(io.Discard, results, &c); err != nil {
			t.Fatal(err)
		}
		if report.Table(io.Discard, results) != nil || report.CSV(io.Discard, results) != nil || c.Table(io.Discard) != nil || report.JSON(io.Discard, results) != nil {
			t.Fatal("not written")
		}
		report.Median(results)
	})
}
