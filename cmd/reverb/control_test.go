package main

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reverb/node/handover"
)

// environ has a runtime directory of the test's own; its path is short, because that of a socket may have about 100 bytes.
func environ(t *testing.T) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rvb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return []string{"XDG_RUNTIME_DIR=" + filepath.Join(dir), "TMPDIR=" + dir}
}

// controlForTest is a control at the default place.
func controlForTest(t *testing.T, env []string, port int, address string, log *slog.Logger) *control {
	t.Helper()
	c, err := startControl(new(handover.Sockets), "", env, port, address, log, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestRestartFollowsTheStop(t *testing.T) {
	env := environ(t)
	c := controlForTest(t, env, 8080, "127.0.0.1:8080", discard())
	if c == nil {
		t.Fatal("no control socket")
	}
	var out, errOut bytes.Buffer
	done := make(chan int)
	go func() {
		done <- run([]string{"reverb", "restart", "--port", "8080"}, process{stdout: &out, stderr: &errOut, environ: env})
	}()
	<-c.requested()
	c.stopListening()
	c.tell(answerDraining + " 152\n")
	c.finish()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d\n%s", code, errOut.String())
	}
	text := out.String()
	if !strings.HasPrefix(text, "\n   INFO  Broadcasting Reverb restart signal.  \n\n  127.0.0.1:8080 (process ") ||
		!strings.Contains(text, ". draining, 152 connections left  \n") || !strings.Contains(text, ". stopped after 0.") {
		t.Errorf("output:\n%s", text)
	}
	if left := findControls("*", env); left != nil {
		t.Errorf("sockets left: %v", left)
	}
}

func TestRestartWithoutServer(t *testing.T) {
	env := environ(t)
	stale(t, filepath.Join(mkControlDir(t, env), controlName("8080")))
	var out, errOut bytes.Buffer
	code := run([]string{"reverb", "restart", "--all"}, process{stdout: &out, stderr: &errOut, environ: env})
	if want := "   ERROR  no such Reverb server is running on this machine.  "; code != 1 || !strings.Contains(errOut.String(), want) || out.Len() > 0 {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}

func TestRestartTellsOfAServerThatDies(t *testing.T) {
	env := environ(t)
	ln, err := net.Listen("unix", filepath.Join(mkControlDir(t, env), controlName("8080")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Read(make([]byte, 16))
		_, _ = conn.Write([]byte("ok 127.0.0.1:8080 1\ndraining 1\n"))
		_ = conn.Close()
	}()
	var out, errOut bytes.Buffer
	code := run([]string{"reverb", "restart", "--all"}, process{stdout: &out, stderr: &errOut, environ: env})
	if code != 1 || !strings.Contains(out.String(), "the server ended without a word") || !strings.Contains(out.String(), "1 connection left") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}

// The servers of other sites on the machine must never be reached by accident.
func TestRestartReachesOnlyTheServerThatIsMeant(t *testing.T) {
	env := append(environ(t), "REVERB_APP_ID=1", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s")
	other := controlForTest(t, env, 8081, "127.0.0.1:8081", discard())
	defer func() { other.stopListening(); other.finish() }()
	t.Chdir(t.TempDir())
	for _, tc := range []struct {
		name    string
		args    []string
		environ []string
		want    string
	}{
		{"no configuration", nil, env[:2], "or name the server with --port"},
		{"port of the configuration", nil, append(env, "REVERB_SERVER_PORT=8080"), "no such Reverb server"},
		{"port 0", nil, append(env, "REVERB_SERVER_PORT=0"), "name the server with --port"},
		{"another port", []string{"--port", "8080"}, env, "no such Reverb server"},
		{"a pattern", []string{"--port", "*"}, env, "want a port number"},
		{"both", []string{"--port", "8081", "--all"}, env, "exclude each other"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := run(append([]string{"reverb", "restart"}, tc.args...), process{stdout: &out, stderr: &errOut, environ: tc.environ})
			if code != 1 || !strings.Contains(errOut.String(), tc.want) {
				t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
			}
			select {
			case <-other.requested():
				t.Fatal("the server of another site stops")
			default:
			}
		})
	}
}

func TestControlRefusesOtherCommands(t *testing.T) {
	env := environ(t)
	c := controlForTest(t, env, 1, "", discard())
	defer c.stopListening()
	conn, err := net.Dial("unix", findControls("1", env)[0].path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte("format c:\n"))
	answer := make([]byte, 100)
	n, _ := conn.Read(answer)
	if got := string(answer[:n]); got != "error unknown command\n" {
		t.Errorf("answer %q", got)
	}
	select {
	case <-c.requested():
		t.Error("the server stops")
	default:
	}
}

func TestControlSocketOfADeadServerIsReplaced(t *testing.T) {
	env := environ(t)
	path := filepath.Join(mkControlDir(t, env), controlName("8080"))
	stale(t, path)
	ln, err := listenControl(new(handover.Sockets), "", env, 8080)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := listenControl(new(handover.Sockets), "", env, 8080); err == nil || !strings.Contains(err.Error(), "another running server") {
		t.Errorf("a second server on the port: %v", err)
	}
}

func TestControlSocketLeavesFilesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenControl(new(handover.Sockets), path, nil, 1); err == nil || read(t, path) != "precious" {
		t.Errorf("error %v, file %q", err, read(t, path))
	}
}

func TestControlDirectoryOfOthersIsNotUsed(t *testing.T) {
	env := environ(t)
	dir := mkControlDir(t, env)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c := controlForTest(t, env, 8080, "", slog.New(slog.NewTextHandler(&log, nil)))
	if c != nil || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("control %v, log:\n%s", c, log.String())
	}
	c.stopListening() // a missing control is no special case for the node
	c.finish()
}

func mkControlDir(t *testing.T, env []string) string {
	t.Helper()
	dir := controlDirs(env)[0]
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// stale leaves a socket behind that nobody listens on.
func stale(t *testing.T, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = ln.Close()
}
