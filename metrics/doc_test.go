package metrics_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"reverb/metrics"
)

// family is what the document and a scrape both say of a metric.
type family struct{ kind, labels, help string }

// TestDocument compares docs/metrics.md with what a node tells.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	m := metrics.New("dev")
	exercise(m)
	want, got := documented(string(text)), told(scrape(t, m))
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is not in docs/metrics.md", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if want[name] != got[name] {
			t.Errorf("%s: docs/metrics.md says %+v, the node %+v", name, want[name], got[name])
		}
	}
}

// documented reads the rows | `name` | type | labels | unit | meaning |.
func documented(text string) map[string]family {
	families := make(map[string]family)
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`reverb_") {
			continue
		}
		cell := func(i int) string { return strings.ReplaceAll(strings.TrimSpace(cells[i]), "`", "") }
		families[cell(1)] = family{kind: cell(2), labels: cell(3), help: cell(5)}
	}
	return families
}

var (
	helpLine   = regexp.MustCompile(`(?m)^# HELP (reverb_\w+) (.*)$`)
	typeLine   = regexp.MustCompile(`(?m)^# TYPE (reverb_\w+) (\w+)$`)
	sampleLine = regexp.MustCompile(`(?m)^(reverb_\w+?)(?:_bucket)?\{(.*)\} `)
	labelName  = regexp.MustCompile(`(\w+)="`)
)

// told reads the families of a scrape.
func told(text string) map[string]family {
	families := make(map[string]family)
	for _, m := range helpLine.FindAllStringSubmatch(text, -1) {
		families[m[1]] = family{help: m[2]}
	}
	for _, m := range typeLine.FindAllStringSubmatch(text, -1) {
		f := families[m[1]]
		f.kind = m[2]
		families[m[1]] = f
	}
	for _, m := range sampleLine.FindAllStringSubmatch(text, -1) {
		f, ok := families[m[1]]
		if !ok {
			continue
		}
		var labels []string
		for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" {
				labels = append(labels, l[1])
			}
		}
		slices.Sort(labels)
		f.labels = strings.Join(labels, ", ")
		families[m[1]] = f
	}
	return families
}
