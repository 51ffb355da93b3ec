package main

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reverb/config"
	"reverb/internal/console"
)

// reloading is a reloader of a file with one app, and what it applied last.
func reloading(t *testing.T) (r *reloader, file string, log *bytes.Buffer, applied *config.Apps) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "config.toml")
	writeApps(t, file, "")
	cfg, err := config.Load(config.Source{File: file, EnvFile: os.DevNull})
	if err != nil {
		t.Fatal(err)
	}
	log, applied = new(bytes.Buffer), new(config.Apps)
	return newReloader(cfg, func(apps config.Apps) { *applied = apps }, slog.New(slog.NewTextHandler(log, nil))), file, log, applied
}

func writeApps(t *testing.T, file, more string) {
	t.Helper()
	text := "[[apps]]\napp_id = \"1\"\nkey = \"k\"\nsecret = \"first-secret\"\n" + more
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// answerOf is what a client of the control socket is told, and what `reverb reload` makes of it.
func answerOf(t *testing.T, r *reloader) (raw, shown string, err error) {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		_, _ = far.Read(make([]byte, controlLine))
		r.answer(far, "127.0.0.1:8080")
	}()
	var seen, out bytes.Buffer
	err = askReload(console.New(&out, nil), commandReload, teeConn{near, io.TeeReader(near, &seen)})
	return seen.String(), out.String(), err
}

type teeConn struct {
	net.Conn
	in io.Reader
}

func (c teeConn) Read(p []byte) (int, error) { return c.in.Read(p) }

func TestReloadAnswer(t *testing.T) {
	r, file, log, applied := reloading(t)
	writeApps(t, file, "max_connections = 5\nprevious_secrets = [\"zeroth-secret\"]\n[[apps]]\napp_id = 2\nkey = \"k2\"\nsecret = \"second-secret\"\n[server]\nport = 1\n")
	raw, shown, err := answerOf(t, r)
	if err != nil {
		t.Fatal(err)
	}
	_, raw, _ = strings.Cut(raw, "\n") // address and process
	want := "app 1 changed\napp 1 previous_secrets changed\napp 1 max_connections = 5 (was 0)\napp 2 added\nrestart server.port = 1 (was 8080)\nreloaded\n"
	if raw != want {
		t.Errorf("answer\n%s\nwant\n%s", raw, want)
	}
	for _, text := range []string{"app 2 .", ". added", "needs a restart .", ". server.port = 1 (was 8080)", "127.0.0.1:8080 (process ", ". reloaded"} {
		if !strings.Contains(shown, text) {
			t.Errorf("no %q in\n%s", text, shown)
		}
	}
	if len(*applied) != 2 || !strings.Contains(log.String(), "level=WARN") || strings.Contains(log.String()+shown+raw, "-secret\"") {
		t.Errorf("%d apps applied, log\n%s", len(*applied), log.String())
	}
}

func TestReloadOfABrokenFile(t *testing.T) {
	r, file, log, applied := reloading(t)
	writeApps(t, file, "ping_interval = 0\nname = \""+strings.Repeat("x", 1<<17)+"\"\n"+strings.Repeat("y", 1<<17)+" = 1\n")
	raw, shown, err := answerOf(t, r)
	if err == nil || !strings.Contains(shown, "config.toml:5: apps[0].ping_interval = 0: want") {
		t.Errorf("error %v\n%s", err, shown)
	}
	if len(raw) > 8<<10 || *applied != nil || strings.Count(log.String(), "level=ERROR") != 3 {
		t.Errorf("%d bytes of answer, %d apps applied, log of %d bytes", len(raw), len(*applied), log.Len())
	}
	writeApps(t, file, strings.Repeat("[[apps]]\n", 1000))
	raw, _, _ = answerOf(t, r)
	if lines := strings.Count(raw, "\n"); lines != maxViolations+2 || !strings.Contains(raw, "error and ") || r.refused.Load() != 1 {
		t.Errorf("%d lines of answer", lines)
	}
	writeApps(t, file, "")
	if raw, _, err := answerOf(t, r); err != nil || !strings.HasSuffix(raw, "\nreloaded\n") || len(*applied) != 1 || r.refused.Load() != 0 {
		t.Errorf("after it was mended: %q, %v", raw, err)
	}
}

func TestReloadWithoutServer(t *testing.T) {
	var out, errOut bytes.Buffer
	code := run([]string{"reverb", "reload", "--all"}, process{stdout: &out, stderr: &errOut, environ: environ(t)})
	if code != 1 || !strings.Contains(errOut.String(), "no such Reverb server is running") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}

func TestReloadOfAServerThatDies(t *testing.T) {
	near, far := net.Pipe()
	go func() {
		_, _ = far.Read(make([]byte, controlLine))
		_, _ = far.Write([]byte("ok 127.0.0.1:8080 1\n"))
		_ = far.Close()
	}()
	if err := askReload(console.New(io.Discard, nil), commandReload, near); err == nil || !strings.Contains(err.Error(), "without a word") {
		t.Errorf("error %v", err)
	}
}
