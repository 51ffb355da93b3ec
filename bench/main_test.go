package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"testing"

	"github.com/urfave/cli/v2"
	"go.uber.org/goleak"

	"reverb/bench"
	"reverb/bench/report"
	"reverb/internal/testclient"
)

// bin is the server under test, built once.
var bin string

func TestMain(m *testing.M) {
	os.Exit(testclient.WithProgram(func(_, program string) int {
		bin = program
		return run(m)
	}))
}

func run(m *testing.M) int {
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// command runs `reverb bench` in this process.
func command(t *testing.T, p bench.Process, args ...string) (stdout string, err error) {
	t.Helper()
	var out, progress bytes.Buffer
	app := &cli.App{
		Name: "reverb", Writer: &out, ErrWriter: &progress, Commands: []*cli.Command{bench.Command(p)},
		ExitErrHandler: func(*cli.Context, error) {},
	}
	err = app.Run(append([]string{"reverb", "bench"}, args...))
	if progress.Len() > 0 {
		t.Errorf("bars were drawn where there is no terminal: %q", progress.String())
	}
	return out.String(), err
}

// results runs it for its results.
func results(t *testing.T, args ...string) ([]report.Result, error) {
	t.Helper()
	out, err := command(t, bench.Process{Notify: signal.Notify, Forget: signal.Stop}, append(args, "--json", "-")...)
	return parse(t, out), err
}

func parse(t *testing.T, out string) []report.Result {
	t.Helper()
	if out == "" {
		return nil
	}
	all, err := report.Read(bytes.NewReader([]byte(out)))
	if err != nil {
		t.Fatalf("read results: %v\n%s", err, out)
	}
	return all
}

// spawned makes the arguments that start our server.
func spawned(t *testing.T) []string {
	t.Helper()
	t.Chdir(t.TempDir()) // no config.toml and .env of anyone
	return []string{"--addr", "127.0.0.1:0", "--spawn", bin + " start"}
}

// figure is a number of a result.
func figure(t *testing.T, r report.Result, name string) float64 {
	t.Helper()
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	text, _ := json.Marshal(r.Figures)
	t.Fatalf("no figure %q among %s", name, text)
	return 0
}
