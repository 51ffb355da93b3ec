package report_test

import (
	"os"
	"testing"

	"reverb/bench/report"
)

func TestShow(t *testing.T) {
	f, _ := os.Create("/tmp/report-shots/page.html")
	a := []report.Result{broadcast("reverb", "127.0.0.1:8080", 3.1, false), idle("reverb", 620)}
	b := []report.Result{broadcast("soketi", "127.0.0.1:6001", 0.35, true), idle("soketi", 3412)}
	c := report.Compare(a, b)
	if err := report.HTML(f, append(append(a, b...), broken()), &c); err != nil {
		t.Fatal(err)
	}
	f.Close()
	c.Table(os.Stdout)
	report.Table(os.Stdout, append(a, broken()))
}
