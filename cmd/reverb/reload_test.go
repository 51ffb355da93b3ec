package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reverb/internal/testtool"
)

// The changes are shown as they are told, and faults of the file below the title.
func TestReloadShowsTheAnswer(t *testing.T) {
	r := startForTest(t, "")
	text := oneApp("")
	change := func(more string) (code int, out, errOut string) {
		t.Helper()
		if err := os.WriteFile(r.file, []byte(text+more), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		code = run([]string{"reverb", "reload", "--port", r.port()}, process{stdout: &stdout, stderr: &stderr, environ: r.env})
		return code, stdout.String(), stderr.String()
	}
	code, out, errOut := change("[[apps]]\napp_id = \"2\"\nkey = \"k2\"\nsecret = \"second-secret\"\n[metrics]\npath = \"/m\"\n")
	for _, want := range []string{"   INFO  Reloading the configuration.  ", "app 2 .", ". added", "needs a restart .", "metrics.path = ", r.addr + " (process ", ". reloaded"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, no %q in\n%s%s", code, want, out, errOut)
		}
	}
	code, out, errOut = change("ping_interval = 0\n")
	if code != 1 || !strings.Contains(out, "apps[0].ping_interval = 0: want") || !strings.Contains(out, "refused, nothing has changed") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
	r.stop(t)
}

func TestReloadWithoutServer(t *testing.T) {
	var out, errOut bytes.Buffer
	code := run([]string{"reverb", "reload", "--all"}, process{stdout: &out, stderr: &errOut, environ: environ(t)})
	if code != 1 || !strings.Contains(errOut.String(), "no such Reverb server is running") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}

func TestReloadOfAServerThatDies(t *testing.T) {
	env := environ(t)
	testtool.FakeSocket(t, filepath.Join(mkSocketDir(t, env), "reverb-8080.sock"), "ok 127.0.0.1:8080 1\n")
	var out, errOut bytes.Buffer
	code := run([]string{"reverb", "reload", "--all"}, process{stdout: &out, stderr: &errOut, environ: env})
	if code != 1 || !strings.Contains(out.String(), "without a word") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}
