package node

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
	"reverb/management"
	"reverb/node/handover"
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

// answerOf is the answer to an order to reload that came through the control socket, in the protocol of lines.
func answerOf(t *testing.T, r *reloader) (raw string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rvb")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log := slog.New(slog.DiscardHandler)
	surface := management.NewSurface(config.Default(), log)
	orders := management.NewOrders("127.0.0.1:8080", nil, log)
	path := filepath.Join(dir, "s")
	socket, err := management.Open(management.SocketOptions{
		Sockets: new(handover.Sockets), Path: path, Orders: orders, Surface: surface, Log: log, AcceptFailed: func() {},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { socket.StopListening(); socket.Finish() }()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "reload\n")
	go r.answer(<-orders.Reloads(), orders.Accepted())
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReloadAnswer(t *testing.T) {
	r, file, log, applied := reloading(t)
	writeApps(t, file, "max_connections = 5\nprevious_secrets = [\"zeroth-secret\"]\n[[apps]]\napp_id = 2\nkey = \"k2\"\nsecret = \"second-secret\"\n[server]\nport = 1\n")
	_, raw, _ := strings.Cut(answerOf(t, r), "\n") // address and process
	want := "app 1 changed\napp 1 previous_secrets changed\napp 1 max_connections = 5 (was 0)\napp 2 added\nrestart server.port = 1 (was 8080)\nreloaded\n"
	if raw != want {
		t.Errorf("answer\n%s\nwant\n%s", raw, want)
	}
	if len(*applied) != 2 || !strings.Contains(log.String(), "level=WARN") || strings.Contains(log.String()+raw, "-secret\"") {
		t.Errorf("%d apps applied, log\n%s", len(*applied), log.String())
	}
}

func TestReloadOfABrokenFile(t *testing.T) {
	r, file, log, applied := reloading(t)
	writeApps(t, file, "ping_interval = 0\nname = \""+strings.Repeat("x", 1<<17)+"\"\n"+strings.Repeat("y", 1<<17)+" = 1\n")
	raw := answerOf(t, r)
	if !strings.Contains(raw, "config.toml:5: apps[0].ping_interval = 0: want") {
		t.Errorf("answer\n%s", raw)
	}
	if len(raw) > 8<<10 || *applied != nil || strings.Count(log.String(), "level=ERROR") != 3 {
		t.Errorf("%d bytes of answer, %d apps applied, log of %d bytes", len(raw), len(*applied), log.Len())
	}
	writeApps(t, file, strings.Repeat("[[apps]]\n", 1000))
	raw = answerOf(t, r)
	if lines := strings.Count(raw, "\n"); lines != maxViolations+2 || !strings.Contains(raw, "error and ") || r.refused.Load() != 1 {
		t.Errorf("%d lines of answer", lines)
	}
	writeApps(t, file, "")
	if raw := answerOf(t, r); !strings.HasSuffix(raw, "\nreloaded\n") || len(*applied) != 1 || r.refused.Load() != 0 {
		t.Errorf("after it was mended: %q", raw)
	}
}
