package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain demands that every stopped server has ended its goroutines, apart from netpoll's own: its pollers serve the
// whole process and stay.
func TestMain(m *testing.M) {
	if playFake() {
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/cloudwego/netpoll.(*defaultPoll).Wait"))
}

// command runs the program to its end.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = run(append([]string{"reverb"}, args...), process{
		stdin: strings.NewReader(""), stdout: &out, stderr: &errOut, environ: environ(t),
		notify: func(chan<- os.Signal, ...os.Signal) {}, forget: func(chan<- os.Signal) {},
	})
	return code, out.String(), errOut.String()
}

func TestUsage(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		code int
		out  string // part of the output, stdout and stderr together
	}{
		{"nothing", nil, 0, "start"},
		{"help", []string{"--help"}, 0, "install"},
		{"help of a command", []string{"start", "--help"}, 0, "--hostname NAME"},
		{"version", []string{"version"}, 0, "reverb "},
		{"version flag", []string{"--version"}, 0, "reverb version "},
		{"unknown command", []string{"sttart"}, 1, "   ERROR  there is no command sttart. Did you mean start? All of them: reverb --help.  "},
		{"unknown command like none", []string{"publish"}, 1, "   ERROR  there is no command publish. All of them: reverb --help.  "},
		{"unknown command of bench", []string{"bench", "idel"}, 1, "there is no command idel. Did you mean idle? All of them: reverb bench --help.  "},
		{"unknown flag", []string{"start", "--prot", "1"}, 1, "   ERROR  reverb start has no flag --prot. Did you mean --port? All of them: reverb start --help.  "},
		{"unknown flag of a scenario", []string{"bench", "idle", "--conections", "1"}, 1, "reverb bench idle has no flag --conections. Did you mean --connections?"},
		{"flag without its value", []string{"start", "--port"}, 1, "   ERROR  flag needs an argument: -port. See reverb start --help.  "},
		{"help command", []string{"help"}, 0, "install"},
		{"help of a command, the other way", []string{"help", "start"}, 0, "--hostname NAME"},
		{"help of a command below another", []string{"help", "bench", "idle"}, 0, "--connections"},
		{"help of an unknown command", []string{"help", "sttart"}, 1, "Did you mean start?"},
		{"stray argument", []string{"check", "config.toml"}, 1, "   ERROR  the command check does not take the argument config.toml.  "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, out, stderr := command(t, tc.args...)
			if code != tc.code || !strings.Contains(out+stderr, tc.out) {
				t.Errorf("exit code %d, want %d and %q in:\n%s%s", code, tc.code, tc.out, out, stderr)
			}
		})
	}
}
