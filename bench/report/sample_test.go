package report_test

import (
	"math"
	"time"

	"reverb/bench/measure"
	"reverb/bench/report"
)

// noon is when all samples started.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// latency is a distribution like a server's: most values near the middle and a long tail.
func latency(middle time.Duration, tail float64, count int) *measure.Latency {
	l := measure.NewLatency(1)
	for i := range count {
		share := (float64(i) + 0.5) / float64(count)
		rest := 1 - share
		l.Record(int64(float64(middle) * (0.5 + share) * (1 + tail*math.Pow(0.01/rest, 0.5))))
	}
	return l
}

// rate is a count per second that wavers and dips once.
func rate(mean, waver float64, seconds int) []int64 {
	counts := make([]int64, seconds)
	for i := range counts {
		counts[i] = int64(mean + waver*math.Sin(float64(i)*1.7))
		if i == seconds/2 {
			counts[i] = int64(mean * 0.7)
		}
	}
	return counts
}

// usage is a server that grows with its connections for so many seconds and stays.
func usage(empty, each int64, connections int64, seconds int) []measure.Usage {
	var samples []measure.Usage
	cpu := time.Duration(0)
	for i := range 2 * seconds {
		open := min(connections, connections*int64(i)/int64(seconds))
		cpu += time.Duration(float64(time.Second) * (0.4 + 0.3*math.Cos(float64(i)/3)))
		samples = append(samples, measure.Usage{
			At: noon.Add(time.Duration(i) * time.Second), RSS: empty + each*open, CPU: cpu, Connections: open,
		})
	}
	return samples
}

func broadcast(server, target string, speed float64, limit bool) report.Result {
	delivery := latency(time.Duration(float64(2*time.Millisecond)/speed), 1.5, 60_000)
	r := report.Result{
		Name: "giant channel", Scenario: "broadcast", Server: server, Target: target, Started: noon, Seconds: 30,
		Params: []report.Pair{
			{Name: "subscribers", Value: "10000"}, {Name: "rate", Value: "0", Unit: "/s"}, {Name: "size", Value: "200", Unit: "B"},
			{Name: "inflight", Value: "8"}, {Name: "kind", Value: "public"}, {Name: "duration", Value: "30", Unit: "s"},
		},
		Figures: []report.Figure{
			{Name: "deliveries", Unit: report.PerSecond, Value: 163_412.4 * speed, Better: report.Higher},
			{Name: "publishes", Unit: report.PerSecond, Value: 16.3 * speed, Better: report.Higher},
			{Name: "processor per delivery", Unit: report.Processor, Value: 4_812 / speed, Better: report.Lower},
			{Name: "processor", Unit: report.Cores, Value: 0.84, Better: report.Lower},
			{Name: "memory", Unit: report.Bytes, Value: 71_303_168 / speed, Better: report.Lower},
		},
		Latency: []report.Latency{report.Measured("delivery", delivery), report.Measured("publish", latency(300*time.Microsecond, 0.6, 5_000))},
		Series:  append([]report.Series{report.PerSecondSeries("deliveries", rate(163_000*speed, 9_000*speed, 30))}, usage30(speed)...),
		Checks:  measure.Checks{Expected: 4_900_000, Delivered: 4_900_000},
		Client:  measure.SelfReport{Seconds: 30, Loops: 1, Cores: 2, CPU: 0.61, Busy: 0.52, Machine: 0.8, Late: latency(8*time.Microsecond, 0.4, 5_000).Summary()},
	}
	if limit {
		r.Client.Busy = 0.97
		r.Client = r.Client.Judge(r.Latency[0].Summary)
	}
	return r
}

func usage30(speed float64) []report.Series {
	return report.UsageSeries(usage(12<<20, int64(3_400/speed), 10_000, 15))
}

// idle is a run with nothing to deliver, in three runs.
func idle(server string, each float64) report.Result {
	return report.Result{
		Scenario: "idle", Server: server, Target: "127.0.0.1:8080", Started: noon.Add(time.Minute), Seconds: 42.5, Runs: 3,
		Params: []report.Pair{{Name: "connections", Value: "18000"}, {Name: "kind", Value: "private"}},
		Figures: []report.Figure{
			{Name: "memory per connection", Unit: report.Bytes, Value: each, Better: report.Lower, Low: each * 0.98, High: each * 1.03},
			{Name: "processor", Unit: report.Percent, Value: 0.21, Better: report.Lower, Low: 0.2, High: 0.26},
			{Name: "connections", Value: 18_000, Low: 18_000, High: 18_000},
		},
		Series: report.UsageSeries(usage(9<<20, int64(each), 18_000, 20)),
		Client: measure.SelfReport{Seconds: 42.5, Loops: 1, Cores: 2, Busy: 0.03},
	}
}

// broken is a run in which everything went wrong.
func broken() report.Result {
	r := broadcast("soketi 1.6 <beta> & \"co\"", "127.0.0.1:6001", 0.35, true)
	r.Name = ""
	r.Checks = measure.Checks{Expected: 4_900_000, Delivered: 4_899_988, Missing: 12, Duplicated: 3, Reordered: 1, Unknown: 2}
	r.Client.Notes = []string{"the machine was 99 % busy: the server competed for its cores with the client or with others"}
	r.Errors = []string{"3 × connect: connection refused", "1 × closed by the server: 4100 over capacity"}
	r.Figures[0].Value = math.NaN()
	return r
}
