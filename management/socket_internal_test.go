package management

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"reverb/config"
	"reverb/node/handover"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// environ has a runtime directory of the test's own; its path is short, because that of a socket may have about 100
// bytes.
func environ(t *testing.T) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rvb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return []string{"XDG_RUNTIME_DIR=" + dir, "TMPDIR=" + dir}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// openForTest is the socket at the default place of a server that knows one client.
func openForTest(t *testing.T, env []string, port int, log *slog.Logger) *Socket {
	t.Helper()
	conf := config.Default()
	surface := NewSurface(conf, discard())
	orders := NewOrders("127.0.0.1:8080", func(id string) (netip.AddrPort, bool) {
		return netip.MustParseAddrPort("192.0.2.1:5"), id == "1.2"
	}, discard())
	orders.Register(surface)
	surface.Handle("GET /api/seen", Viewer, func(w http.ResponseWriter, _ *http.Request) { Answer(w, "seen") })
	s, err := Open(SocketOptions{
		Sockets: new(handover.Sockets), Environ: env, Port: port, Orders: orders, Surface: surface, Log: log, AcceptFailed: func() {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func finish(s *Socket) { s.StopListening(); s.Finish() }

func mkFolder(t *testing.T, env []string) string {
	t.Helper()
	dir := folders(env)[0]
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

func isPrecious(path string) bool {
	text, err := os.ReadFile(path)
	return err == nil && string(text) == "precious"
}

// node plays the node behind a socket: it takes one order after the other until the restart, which it carries out.
func node(s *Socket) (ended chan struct{}) {
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case c := <-s.orders.Reloads():
				c.Tell(s.orders.Accepted(), Event{Kind: AppChanged, App: "1", Text: "changed a lot"}, Event{Kind: NeedsRestart, Text: "server.port = 1"}, Event{Kind: Reloaded})
				c.End()
			case h := <-s.orders.Handovers():
				h.Tell(Event{Kind: Starting})
				h.Refuse("it does\nnot start after " + h.Timeout.String())
			case <-s.orders.Restart():
				s.StopListening()
				s.orders.Tell(Event{Kind: Draining, Connections: 3})
				s.Finish()
				return
			}
		}
	}()
	return ended
}

// answerTo is what a program of before is told: it writes one line and reads to the end.
func answerTo(t *testing.T, path, line string) string {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, line+"\n")
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The protocol of lines of earlier releases, byte by byte: their `reverb restart` may ask a server that is newer.
func TestClientOfBefore(t *testing.T) {
	env := environ(t)
	s := openForTest(t, env, 8080, discard())
	ended := node(s)
	path := Targets("8080", env)[0].path
	name := strings.TrimSuffix((&Event{Kind: Accepted, Address: "127.0.0.1:8080", PID: os.Getpid()}).line(), "\n")
	for _, tt := range []struct{ line, want string }{
		{"reload", name + "\napp 1 changed a lot\nrestart server.port = 1\nreloaded\n"},
		{"handover 7", name + "\nstarting\nerror it does not start after 7s\n"},
		{"handover 0", name + "\nerror want the seconds that the new server may take, 1 to 3600\n"},
		{"client 1.2", "ok 192.0.2.1:5\n"},
		{"client 3.4", "error there is no such client\n"},
		{strings.Repeat("x", 200), ""},
		{"restart", name + "\ndraining 3\nstopped\n"},
	} {
		if got := answerTo(t, path, tt.line); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.line, got, tt.want)
		}
	}
	<-ended
}

// events asks a server and reads to the last event.
func events(t *testing.T, env []string, o Order) []Event {
	t.Helper()
	server, err := Targets("8080", env)[0].Dial()
	if err != nil {
		t.Fatal(err)
	}
	reply, err := server.Ask(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Close()
	var all []Event
	for {
		e, err := reply.Next(time.Now().Add(10 * time.Second))
		if errors.Is(err, ErrHungUp) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}

// The orders get the same events by HTTP, and from a server of before.
func TestOrders(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, env []string) (ended chan struct{}){
		"HTTP":               func(t *testing.T, env []string) chan struct{} { return node(openForTest(t, env, 8080, discard())) },
		"a server of before": serverOfBefore,
	} {
		t.Run(name, func(t *testing.T) {
			env := environ(t)
			ended := open(t, env)
			accepted := Event{Kind: Accepted, Address: "127.0.0.1:8080", PID: os.Getpid()}
			for _, tt := range []struct {
				order Order
				want  []Event
			}{
				{OrderReload, []Event{accepted, {Kind: AppChanged, App: "1", Text: "changed a lot"}, {Kind: NeedsRestart, Text: "server.port = 1"}, {Kind: Reloaded}}},
				{OrderHandover(7), []Event{accepted, {Kind: Starting}, {Kind: Failed, Text: "it does not start after 7s"}}},
				{OrderClient("1.2"), []Event{{Kind: Client, Address: "192.0.2.1:5"}}},
				{OrderClient("3.4"), []Event{{Kind: Failed, Text: "there is no such client"}}},
				{OrderRestart, []Event{accepted, {Kind: Draining, Connections: 3}, {Kind: Stopped}}},
			} {
				if got := events(t, env, tt.order); !slices.Equal(got, tt.want) {
					t.Errorf("%v: got %v, want %v", tt.order, got, tt.want)
				}
			}
			<-ended
		})
	}
}

// serverOfBefore does what the servers of earlier releases do with a connection: one line of at most 128 bytes, and an
// answer in lines.
func serverOfBefore(t *testing.T, env []string) (ended chan struct{}) {
	t.Helper()
	ln, err := net.Listen("unix", filepath.Join(mkFolder(t, env), fileName("8080")))
	if err != nil {
		t.Fatal(err)
	}
	name := (&Event{Kind: Accepted, Address: "127.0.0.1:8080", PID: os.Getpid()}).line()
	answers := map[string]string{
		"reload":     name + "app 1 changed a lot\nrestart server.port = 1\nreloaded\n",
		"handover 7": name + "starting\nerror it does not start after 7s\n",
		"client 1.2": "ok 192.0.2.1:5\n",
		"client 3.4": "error there is no such client\n",
		"restart":    name + "draining 3\nstopped\n",
	}
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		for done := false; !done; {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			line, err := bufio.NewReaderSize(conn, 128).ReadSlice('\n')
			text := strings.TrimSpace(string(line))
			answer, known := answers[text]
			switch {
			case err != nil:
			case known:
				_, _ = io.WriteString(conn, answer)
			default:
				_, _ = io.WriteString(conn, "error unknown command\n")
			}
			_ = conn.Close()
			done = text == "restart"
		}
		_ = ln.Close()
	}()
	return ended
}

// The socket leads to the same surface as the page: the server's own user sees what is behind the password, and over
// the network a password gives no orders.
func TestSocketAndNetworkShareTheSurface(t *testing.T) {
	env := environ(t)
	s := openForTest(t, env, 8080, discard())
	defer finish(s)
	path := Targets("8080", env)[0].path
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://reverb/api/seen")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK || string(body) != `"seen"` {
		t.Errorf("the server's own user: status %d, %s", answer.StatusCode, body)
	}
}

// Callers who say nothing hold up neither the others nor the end.
func TestSilentCallers(t *testing.T) {
	env := environ(t)
	s := openForTest(t, env, 8080, discard())
	ended := node(s)
	path := Targets("8080", env)[0].path
	for range 5 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
	}
	begun := time.Now()
	if got := answerTo(t, path, "restart"); !strings.HasSuffix(got, "stopped\n") {
		t.Errorf("answer %q", got)
	}
	<-ended
	if d := time.Since(begun); d >= callTimeout {
		t.Errorf("the end took %v", d)
	}
}

func TestControlRefusesOtherCommands(t *testing.T) {
	env := environ(t)
	c := openForTest(t, env, 1, discard())
	defer finish(c)
	conn, err := net.Dial("unix", Targets("1", env)[0].path)
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
	case <-c.orders.Restart():
		t.Error("the server stops")
	default:
	}
}

func TestControlSocketOfADeadServerIsReplaced(t *testing.T) {
	env := environ(t)
	path := filepath.Join(mkFolder(t, env), fileName("8080"))
	stale(t, path)
	ln, err := listen(new(handover.Sockets), "", env, 8080)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := listen(new(handover.Sockets), "", env, 8080); err == nil || !strings.Contains(err.Error(), "another running server") {
		t.Errorf("a second server on the port: %v", err)
	}
}

func TestControlSocketLeavesFilesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(new(handover.Sockets), path, nil, 1); err == nil || !isPrecious(path) {
		t.Errorf("error %v", err)
	}
}

func TestControlDirectoryOfOthersIsNotUsed(t *testing.T) {
	env := environ(t)
	dir := mkFolder(t, env)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c := openForTest(t, env, 8080, slog.New(slog.NewTextHandler(&log, nil)))
	if c != nil || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("control %v, log:\n%s", c, log.String())
	}
	finish(c) // a missing socket is no special case for the node
}
