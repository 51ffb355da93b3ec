package measure_test

import (
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"reverb/bench/measure"
)

func TestJudge(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	late := func(p50, p99 time.Duration) measure.Summary { return measure.Summary{Count: 9, P50: p50, P99: p99} }
	for name, c := range map[string]struct {
		report  measure.SelfReport
		latency measure.Summary
		reasons []string // a part of each
		note    string
	}{
		"idle":                {report: measure.SelfReport{Loops: 1, Cores: 2, Busy: 0.1, CPU: 0.1}},
		"busy, still waiting": {report: measure.SelfReport{Loops: 1, Cores: 2, Busy: 0.84, CPU: 0.84}},
		"busy loops":          {report: measure.SelfReport{Loops: 2, Cores: 4, Busy: 0.9}, reasons: []string{"its 2 loops were busy 90 %"}},
		"all cores":           {report: measure.SelfReport{Loops: 1, Cores: 2, CPU: 1.95}, reasons: []string{"it used 1.95 of the 2 cores"}},
		"on schedule":         {report: measure.SelfReport{Late: late(9*us, 20*us)}, latency: late(100*us, 100*us)},
		"grain of the clock":  {report: measure.SelfReport{Late: late(4*us, 5*us)}, latency: late(10*us, 10*us)},
		"late":                {report: measure.SelfReport{Late: late(2*ms, 9*ms)}, latency: late(4*ms, 9*ms), reasons: []string{"events 2 ms late"}},
		"late at times":       {report: measure.SelfReport{Late: late(6*us, 9*ms)}, latency: late(4*ms, 9*ms), reasons: []string{"more than 9 ms late"}},
		"nothing measured":    {report: measure.SelfReport{Late: late(2*ms, 9*ms)}},
		"both":                {report: measure.SelfReport{Loops: 1, Busy: 1, Late: late(2*ms, 9*ms)}, latency: late(4*ms, 9*ms), reasons: []string{"its loop was busy 100 %", "late"}},
		"a quiet machine":     {report: measure.SelfReport{Others: 0.1}},
		"a shared machine":    {report: measure.SelfReport{Others: 0.8}, note: "other programs used 0.80 cores"},
		"full machine":        {report: measure.SelfReport{Machine: 0.99}, note: "the machine was 99 % busy"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.report.Judge(c.latency)
			if got.Limit != (len(c.reasons) > 0) || len(got.Reasons) != len(c.reasons) {
				t.Fatalf("limit %v, reasons %q", got.Limit, got.Reasons)
			}
			verdict := got.Verdict()
			for _, part := range append(c.reasons, c.note) {
				if !strings.Contains(verdict, part) {
					t.Errorf("verdict %q lacks %q", verdict, part)
				}
			}
			if got.Limit != strings.HasPrefix(verdict, "the client was the limit: ") {
				t.Errorf("limit %v, verdict %q", got.Limit, verdict)
			}
			if again := got.Judge(c.latency); len(again.Reasons) != len(got.Reasons) || len(again.Notes) != len(got.Notes) {
				t.Errorf("judged twice: %+v", again)
			}
		})
	}
}

func TestSelf(t *testing.T) {
	self := measure.NewSelf(2, 0)
	self.Late(int64(20 * time.Microsecond))
	for start := time.Now(); time.Since(start) < 30*time.Millisecond; { // time that can be measured
	}
	r := self.Report(int64(time.Hour), measure.Summary{})
	if r.Seconds < 0.03 || r.Loops != 2 || r.Cores < 1 || r.CPU <= 0 || r.Late.Count != 1 {
		t.Errorf("got %+v", r)
	}
	if !r.Limit {
		t.Errorf("busy %v, and not the limit", r.Busy)
	}
	if r := measure.NewSelf(1, 500).Report(500, measure.Summary{}); r.Busy != 0 || r.Late.Count != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestBeside(t *testing.T) {
	all := float64(runtime.NumCPU())
	for _, c := range []struct{ machine, client, server, want float64 }{
		{0, 0.5, 0.2, 0}, {1, 0.5, 0.2, all - 0.7}, {0.1, 0.5, 20, 0},
	} {
		if r := (measure.SelfReport{Machine: c.machine, CPU: c.client}).Beside(c.server); math.Abs(r.Others-c.want) > 1e-9 {
			t.Errorf("%+v: others %v", c, r.Others)
		}
	}
}
