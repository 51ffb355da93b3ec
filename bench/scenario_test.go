package bench_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"reverb/bench"
	"reverb/internal/testtool"
)

// Every scenario against our server, small. The figures need only be there; every delivery must be right.
func TestScenarios(t *testing.T) {
	for _, tc := range []struct {
		name      string
		args      []string
		delivered bool     // deliveries are checked
		figures   []string // that must be above zero
		latencies []string
	}{
		{"idle", []string{"idle", "--connections", "50"}, false, []string{"connections", "memory of the empty server"}, nil},
		{"idle in channels", []string{"idle", "--connections", "50", "--channels", "5"}, false, []string{"connections"}, nil},
		{"connect by the clock", []string{"connect", "--connections", "100", "--rate", "500"}, true, []string{"connected and subscribed"}, []string{"connected", "subscribed"}},
		{"connect storm", []string{"connect", "--connections", "100", "--channels", "3", "--kind", "private"}, true, []string{"connected and subscribed"}, []string{"connected"}},
		{"broadcast by the clock", []string{"broadcast", "--subscribers", "50", "--rate", "100"}, true, []string{"deliveries", "server CPU per delivery"}, []string{"delivery", "publish"}},
		{"broadcast", []string{"broadcast", "--subscribers", "50", "--rate", "0", "--kind", "private", "--loops", "2"}, true, []string{"deliveries", "events"}, []string{"delivery"}},
		{"channels", []string{"channels", "--channels", "20", "--subscribers", "3", "--connections", "7", "--rate", "200"}, true, []string{"deliveries"}, []string{"delivery"}},
		{"channels, a connection each", []string{"channels", "--channels", "10", "--subscribers", "3", "--batch", "5"}, true, []string{"deliveries"}, []string{"delivery"}},
		{"broadcast beside probes", []string{"broadcast", "--subscribers", "10", "--rate", "100", "--probes", "50"}, true, []string{"deliveries"}, []string{"delivery", "GET channels"}},
		{"presence by the clock", []string{"presence", "--subscribers", "10", "--connections", "10"}, true, []string{"joins", "notices"}, []string{"join", "notice of a join"}},
		{"presence", []string{"presence", "--subscribers", "10", "--connections", "10", "--rate", "0"}, true, []string{"joins", "notices"}, []string{"join"}},
		{"whisper by the clock", []string{"whisper", "--connections", "10", "--rate", "200"}, true, []string{"round trips"}, []string{"one way", "round trip"}},
		{"whisper", []string{"whisper", "--connections", "10", "--rate", "0"}, true, []string{"round trips"}, []string{"round trip"}},
		{"publish", []string{"publish"}, true, []string{"requests"}, []string{"publish"}},
		{"publish in batches", []string{"publish", "--batch", "10", "--inflight", "4"}, true, []string{"requests", "events"}, []string{"publish"}},
		{"publish without keep-alive", []string{"publish", "--keep-alive=false", "--inflight", "4"}, true, []string{"requests"}, []string{"publish"}},
		{"churn", []string{"churn", "--subscribers", "20", "--connections", "50", "--rate", "1000"}, true, []string{"p99 in a storm / calm", "storms", "reconnected"}, []string{"calm", "storm"}},
		{"slow", []string{"slow", "--subscribers", "20", "--slow", "5"}, true, []string{"deliveries"}, []string{"all reading", "some not reading"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append(append([]string{}, tc.args...), spawned(t)...)
			args = append(args, "--duration", "300ms")
			if tc.args[0] != "idle" && tc.args[0] != "connect" {
				args = append(args, "--warmup", "50ms")
			}
			all, err := results(t, args...)
			if err != nil || len(all) != 1 {
				t.Fatalf("%d results, error %v", len(all), err)
			}
			r := all[0]
			if !r.Checks.OK() || len(r.Errors) > 0 || tc.delivered && r.Checks.Delivered == 0 {
				t.Errorf("checks %+v, errors %q", r.Checks, r.Errors)
			}
			for _, name := range tc.figures {
				if v := figure(t, r, name); v <= 0 {
					t.Errorf("figure %q is %v", name, v)
				}
			}
			for _, name := range tc.latencies {
				found := false
				for _, l := range r.Latency {
					found = found || l.Name == name && l.Count > 0 && l.P50 > 0
				}
				if !found {
					t.Errorf("no latency %q in %+v", name, r.Latency)
				}
			}
		})
	}
}

// The floor must be a server that the checks believe, else nothing can be compared with it.
func TestFloor(t *testing.T) {
	cc := testtool.Find(t, "cc")
	source, err := filepath.Abs("floor/floor.c")
	if err != nil {
		t.Fatal(err)
	}
	floor := filepath.Join(t.TempDir(), "floor")
	if out, err := exec.Command(cc, "-O2", "-Wall", "-Wextra", "-Werror", "-o", floor, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	servers := filepath.Join(t.TempDir(), "servers.toml")
	text := "[servers.reverb]\naddr = '127.0.0.1:0'\nspawn = '" + bin + " start'\n[servers.floor]\naddr = '127.0.0.1:0'\nspawn = '" + floor + " {port}'\n"
	if err := os.WriteFile(servers, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	out, err := command(t, bench.Process{}, "broadcast", "--subscribers", "30", "--rate", "100", "--duration", "300ms", "--warmup", "50ms",
		"--rounds", "2", "--servers", servers, "--html", "page.html", "--csv", "figures.csv", "--compare", "reverb", "floor")
	if err != nil || !strings.Contains(out, "reverb compared with floor") {
		t.Fatalf("error %v\n%s", err, out)
	}
	for _, name := range []string{"page.html", "figures.csv"} {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
