package main

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"reverb/config"
	"reverb/internal/testtool"
	"reverb/management"
	"reverb/node/handover"
)

// environ has a runtime directory of the test's own; its path is short, because that of a socket may have about 100
// bytes.
func environ(t *testing.T) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rvb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return []string{"XDG_RUNTIME_DIR=" + filepath.Join(dir), "TMPDIR=" + dir}
}

// controlled is a server as `reverb restart` sees it: a control socket at the default place.
type controlled struct {
	orders *management.Orders
	socket *management.Socket
}

func controlForTest(t *testing.T, env []string, port int, address string) *controlled {
	t.Helper()
	surface := management.NewSurface(config.Default(), discard())
	orders := management.NewOrders(address, func(string) (netip.AddrPort, bool) { return netip.AddrPort{}, false }, discard())
	orders.Register(surface)
	socket, err := management.Open(management.SocketOptions{
		Sockets: new(handover.Sockets), Environ: env, Port: port, Orders: orders, Surface: surface, Log: discard(), AcceptFailed: func() {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &controlled{orders, socket}
}

func (c *controlled) finish() { c.socket.StopListening(); c.socket.Finish() }

// socketDir is the folder of the sockets at the default place.
func socketDir(env []string) string {
	return filepath.Join(strings.TrimPrefix(env[0], "XDG_RUNTIME_DIR="), "reverb-"+strconv.Itoa(os.Getuid()))
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestRestartFollowsTheStop(t *testing.T) {
	env := environ(t)
	c := controlForTest(t, env, 8080, "127.0.0.1:8080")
	var out, errOut bytes.Buffer
	done := make(chan int)
	go func() {
		done <- run([]string{"reverb", "restart", "--port", "8080"}, process{stdout: &out, stderr: &errOut, environ: env})
	}()
	<-c.orders.Restart()
	c.socket.StopListening()
	c.orders.Tell(management.Event{Kind: management.Draining, Connections: 152})
	c.socket.Finish()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d\n%s", code, errOut.String())
	}
	text := out.String()
	if !strings.HasPrefix(text, "\n   INFO  Broadcasting Reverb restart signal.  \n\n  127.0.0.1:8080 (process ") ||
		!strings.Contains(text, ". draining, 152 connections left  \n") || !strings.Contains(text, ". stopped after 0.") {
		t.Errorf("output:\n%s", text)
	}
	if left := management.Targets("*", env); left != nil {
		t.Errorf("sockets left: %v", left)
	}
}

func TestRestartWithoutServer(t *testing.T) {
	env := environ(t)
	stale(t, filepath.Join(mkSocketDir(t, env), "reverb-8080.sock"))
	var out, errOut bytes.Buffer
	code := run([]string{"reverb", "restart", "--all"}, process{stdout: &out, stderr: &errOut, environ: env})
	if want := "   ERROR  no such Reverb server is running on this machine.  "; code != 1 || !strings.Contains(errOut.String(), want) || out.Len() > 0 {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}

func TestRestartTellsOfAServerThatDies(t *testing.T) {
	env := environ(t)
	testtool.FakeSocket(t, filepath.Join(mkSocketDir(t, env), "reverb-8080.sock"), "ok 127.0.0.1:8080 1\ndraining 1\n")
	var out, errOut bytes.Buffer
	code := run([]string{"reverb", "restart", "--all"}, process{stdout: &out, stderr: &errOut, environ: env})
	if code != 1 || !strings.Contains(out.String(), "the server ended without a word") || !strings.Contains(out.String(), "1 connection left") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}

// The servers of other sites on the machine must never be reached by accident.
func TestRestartReachesOnlyTheServerThatIsMeant(t *testing.T) {
	env := append(environ(t), "REVERB_APP_ID=1", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s")
	other := controlForTest(t, env, 8081, "127.0.0.1:8081")
	defer other.finish()
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
			case <-other.orders.Restart():
				t.Fatal("the server of another site stops")
			default:
			}
		})
	}
}
func mkSocketDir(t *testing.T, env []string) string {
	t.Helper()
	dir := socketDir(env)
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
