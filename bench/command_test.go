package bench_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"reverb/bench"
)

func TestUsage(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string // in the error
	}{
		{[]string{"broadcast", "--batch", "11"}, "batch: 11 is not within 1 and 10"},
		{[]string{"broadcast", "--slow", "1"}, "flag provided but not defined: -slow"},
		{[]string{"broadcast", "stray"}, "takes no argument stray"},
		{[]string{"broadcast", "--rounds", "0"}, "rounds: 0 is not within"},
		{[]string{"broadcast", "--addr", "here"}, `"here" is not HOST:PORT`},
		{[]string{"broadcast", "--addr", "127.0.0.1:0"}, "port 0 is for a server that is spawned"},
		{[]string{"broadcast", "--compare", "127.0.0.1:1"}, "--compare takes two servers"},
		{[]string{"broadcast", "--compare", "127.0.0.1:1,nobody"}, `"nobody" is neither the name of a server nor an address`},
		{[]string{"broadcast", "--client-cpus", "x"}, `"x" is no list of cores`},
		{[]string{"broadcast", "--sources", "home"}, `"home" is no address`},
		{[]string{"broadcast", "--addr", "127.0.0.1:1", "--json", "absent/a.json"}, "write the results: open absent/a.json"},
		{[]string{"run"}, "needs the name of a profile"},
		{[]string{"run", "absent.toml"}, "read profile"},
		{[]string{"broadcast", "--addr", "127.0.0.1:0", "--spawn", "false"}, "start the server: it ended"},
		{[]string{"broadcast", "--addr", "127.0.0.1:1", "--subscribers", "1"}, "connection refused"},
		{[]string{"broadcast", "--addr", "127.0.0.1:1", "--pid", "999999999"}, "find process 999999999"},
		{[]string{"slow", "--slow", "100", "--addr", "127.0.0.1:1"}, "some that do not"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			if _, err := command(t, bench.Process{}, tc.args...); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// An interrupt ends the measurement and not the report; deliveries that were under way are still checked.
func TestInterrupt(t *testing.T) {
	delivered := make(chan struct{}, 1)
	f := newFake(t, func(n int, frame string, send func(string)) {
		send(frame)
		if n == 10 {
			delivered <- struct{}{}
		}
	})
	p := bench.Process{
		Notify: func(signals chan<- os.Signal, _ ...os.Signal) {
			go func() {
				<-delivered
				signals <- syscall.SIGINT
			}()
		},
		Forget: func(chan<- os.Signal) {},
	}
	out, err := command(t, p, "broadcast", "--addr", f.Listener.Addr().String(), "--subscribers", "5", "--rate", "100",
		"--duration", "1m", "--warmup", "0", "--json", "-")
	if err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Fatalf("error %v", err)
	}
	all := parse(t, out)
	if len(all) != 1 || !all[0].Checks.OK() || all[0].Checks.Delivered < 50 || all[0].Seconds > 30 {
		t.Fatalf("results %+v", all)
	}
}

func TestProfileRun(t *testing.T) {
	t.Chdir(t.TempDir())
	profile := `
[servers.ours]
addr = "127.0.0.1:0"
spawn = "` + bin + ` start"

[[run]]
name = "a few"
scenario = "broadcast"
subscribers = 5
rate = 100
duration = "100ms"
warmup = "0s"

[[run]]
scenario = "publish"
duration = "100ms"
warmup = "0s"
`
	if err := os.WriteFile("two.toml", []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, bench.Process{}, "run", "--server", "ours", "--json", "-", "two.toml")
	all := parse(t, out)
	if err != nil || len(all) != 2 || all[0].Scenario != "a few" || all[1].Scenario != "publish" || all[0].Server != "ours" {
		t.Fatalf("error %v, results %+v", err, all)
	}
}

// Publishes go to another node where the server names one.
func TestPublishElsewhere(t *testing.T) {
	t.Chdir(t.TempDir())
	f := newFake(t, nil)
	profile := `
[servers.pair]
addr = "` + f.Listener.Addr().String() + `"
publish = "127.0.0.1:1"

[[run]]
scenario = "broadcast"
subscribers = 2
rate = 50
duration = "100ms"
warmup = "0s"
drain = "100ms"
`
	if err := os.WriteFile("pair.toml", []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, bench.Process{}, "run", "--server", "pair", "--json", "-", "pair.toml")
	if err == nil || !strings.Contains(out, "publish: ") || !strings.Contains(out, "refused") {
		t.Errorf("error %v, output %s", err, out)
	}
}
