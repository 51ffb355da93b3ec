package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// format names the files of this package; the number changes when an older program could no longer read them.
const (
	format  = "reverb bench"
	version = 1
)

// file is what JSON writes.
type file struct {
	Format     string      `json:"format"`
	Version    int         `json:"version"`
	Results    []Result    `json:"results"`
	Comparison *Comparison `json:"comparison,omitempty"`
}

// JSON writes the results for programs; Read reads them again.
func JSON(w io.Writer, results []Result) error { return encode(w, results, nil) }

// JSON writes the comparison for programs, with the results that it is made of; Read reads those.
func (c Comparison) JSON(w io.Writer, results []Result) error { return encode(w, results, &c) }

func encode(w io.Writer, results []Result, comparison *Comparison) error {
	clean := make([]Result, len(results))
	for i, r := range results {
		clean[i] = finite(r)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if err := out.Encode(file{Format: format, Version: version, Results: clean, Comparison: comparison}); err != nil {
		return fmt.Errorf("write results as JSON: %w", err)
	}
	return nil
}

// Read reads what JSON wrote.
func Read(r io.Reader) ([]Result, error) {
	var f file
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	if f.Format != format {
		return nil, errors.New("read results: this is no file of reverb bench")
	}
	if f.Version != version {
		return nil, fmt.Errorf("read results: the file has version %d, this program reads %d", f.Version, version)
	}
	return f.Results, nil
}

// finite leaves out what is no number, such as a mean over nothing: JSON has no word for it, and one such figure must not cost the
// whole report.
func finite(r Result) Result {
	bad := func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
	r.Figures = slices.DeleteFunc(slices.Clone(r.Figures), func(f Figure) bool { return bad(f.Value) || bad(f.Low) || bad(f.High) })
	r.Series = slices.Clone(r.Series)
	for i, s := range r.Series {
		r.Series[i].Points = slices.DeleteFunc(slices.Clone(s.Points), func(p Point) bool { return bad(p.X) || bad(p.Y) })
	}
	return r
}
