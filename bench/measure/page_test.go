package measure_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"reverb/bench/measure"
)

const goPage = `# HELP go_goroutines Number of goroutines that currently exist.
# TYPE go_goroutines gauge
go_goroutines 31
go_threads 9
http_requests_total{path="/a b}{",code="200"} 12 1700000000000
process_cpu_seconds_total 12.5
process_open_fds 1.8e+04
process_resident_memory_bytes 7.1303168e+07
process_start_time_seconds 1.7e+09
`

func TestParsePage(t *testing.T) {
	for name, c := range map[string]struct {
		page string
		want measure.Usage
	}{
		"Go": {goPage, measure.Usage{RSS: 71_303_168, CPU: 12_500 * time.Millisecond, FDs: 18_000, Goroutines: 31, Threads: 9}},
		"Node": {
			"soketi_process_cpu_user_seconds_total 3\nsoketi_process_cpu_system_seconds_total 1.5\nsoketi_process_cpu_seconds_total{port=\"6001\"} 4.5\n" +
				"soketi_process_resident_memory_bytes{port=\"6001\"} 1000\r\n",
			measure.Usage{RSS: 1000, CPU: 4500 * time.Millisecond, User: 3 * time.Second, System: 1500 * time.Millisecond},
		},
		"Rust":            {"process_threads 4\nprocess_resident_memory_bytes\t2048\n", measure.Usage{RSS: 2048, Threads: 4}},
		"odd values":      {"process_resident_memory_bytes 5\nprocess_cpu_seconds_total NaN\nprocess_open_fds -1\ngo_threads +Inf\n", measure.Usage{RSS: 5}},
		"half a line":     {"process_resident_memory_bytes 5\nprocess_open_fds", measure.Usage{RSS: 5}},
		"unclosed labels": {"process_resident_memory_bytes 5\nprocess_open_fds{a=\"b 3\n", measure.Usage{RSS: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := measure.ParsePage(strings.NewReader(c.page))
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

func TestParsePageRefuses(t *testing.T) {
	for _, page := range []string{"", "<html>login</html>", "# process_resident_memory_bytes 5\n", strings.Repeat("a", 2<<20)} {
		if got, err := measure.ParsePage(strings.NewReader(page)); err == nil {
			t.Errorf("%.40q: got %+v", page, got)
		}
	}
}

func FuzzParsePage(f *testing.F) {
	f.Add(goPage)
	f.Add("x_process_resident_memory_bytes{a=\"}\"} 1e999\nprocess_cpu_seconds_total 1e15\n")
	f.Fuzz(func(t *testing.T, page string) {
		u, err := measure.ParsePage(strings.NewReader(page))
		if err != nil {
			return
		}
		if u.RSS < 0 || u.CPU < 0 || u.User < 0 || u.System < 0 || u.FDs < 0 || u.Threads < 0 || u.Goroutines < 0 || u.RSS == 0 && u.CPU == 0 {
			t.Fatalf("%q: %+v", page, u)
		}
	})
}

func TestProcessByMetrics(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(goPage))
	}))
	defer server.Close()
	process, err := measure.NewProcess(t.Context(), 0, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if got := process.Name(); got != server.URL {
		t.Errorf("name is %q", got)
	}
	before := time.Now()
	u, err := process.Exact(t.Context())
	if err != nil || u.RSS != 71_303_168 || u.At.Before(before) {
		t.Errorf("got %+v, %v", u, err)
	}
	status = http.StatusForbidden
	if _, err := process.Sample(t.Context()); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("error is %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := process.Sample(canceled); err == nil {
		t.Error("no error after cancel")
	}
}

func TestProcessNeedsASource(t *testing.T) {
	for _, c := range []struct {
		pid int
		url string
	}{{0, ""}, {0, "http://127.0.0.1:1/metrics"}, {0, "::"}, {1 << 30, ""}, {-os.Getpid(), ""}} {
		if _, err := measure.NewProcess(t.Context(), c.pid, c.url); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}
