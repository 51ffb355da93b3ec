package node_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reverb/config"
	"reverb/internal/console"
	"reverb/internal/testclient"
	"reverb/management"
	"reverb/node"
	"reverb/node/handover"
	"reverb/node/journal"
)

const (
	key    = "app-key"
	secret = "app-secret"
)

// output may be read while a node writes to it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// life is a node of a test with what it writes.
type life struct {
	t       *testing.T
	node    *node.Node
	said    *output
	journal *journal.Journal
	env     []string
	address string
	port    string
	signals chan os.Signal
	served  chan bool
}

// configured is a configuration for one node on a port that the system chooses.
func configured() *config.Config {
	cfg := config.Default()
	cfg.Server.Host, cfg.Server.Port, cfg.Server.DrainTimeout = "127.0.0.1", 0, 5*time.Second
	cfg.Apps = config.Apps{config.NewApp("1", key, secret)}
	return cfg
}

// begin starts a node. Its next process is this test's program, which ends at once and never serves.
func begin(t *testing.T, cfg *config.Config) (*life, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rvb") // short: the path of a socket may have about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l := &life{
		t: t, said: new(output), env: append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "TMPDIR="+dir),
		signals: make(chan os.Signal, 1), served: make(chan bool, 1),
	}
	l.journal = journal.New(journal.Options{
		Stdout: console.New(l.said, nil), Stderr: console.New(l.said, nil), Log: cfg.Log,
		Notify: func(chan<- os.Signal, ...os.Signal) {}, Forget: func(chan<- os.Signal) {},
	})
	t.Cleanup(l.journal.Close)
	process, err := handover.NewProcess([]string{os.Args[0], "-test.list=^$"}, l.env, l.journal.Log())
	if err != nil {
		t.Fatal(err)
	}
	l.node, err = node.Start(node.Options{Config: cfg, Journal: l.journal, Process: process, Environ: l.env, Version: "test"})
	if err != nil {
		return l, err
	}
	found := regexp.MustCompile(`server on (127\.0\.0\.1:(\d+))`).FindStringSubmatch(l.node.Banner())
	if found == nil {
		t.Fatalf("banner %q", l.node.Banner())
	}
	l.address, l.port = found[1], found[2]
	go func() { l.served <- l.node.Serve(l.signals) }()
	return l, nil
}

func start(t *testing.T, cfg *config.Config) *life {
	t.Helper()
	l, err := begin(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// order gives an order through the control socket and returns what is told, up to an event that ends the answer.
func (l *life) order(o management.Order) (kinds []management.Kind, last management.Event) {
	l.t.Helper()
	server, err := management.Targets(l.port, l.env)[0].Dial()
	if err != nil {
		l.t.Fatal(err)
	}
	reply, err := server.Ask(context.Background(), o)
	if err != nil {
		l.t.Fatal(err)
	}
	defer reply.Close()
	for {
		event, err := reply.Next(time.Now().Add(20 * time.Second))
		if errors.Is(err, management.ErrHungUp) {
			return kinds, last
		}
		if err != nil {
			l.t.Fatal(err)
		}
		last = event
		kinds = append(kinds, event.Kind)
	}
}

// ended waits for the end of Serve.
func (l *life) ended() (handedOver bool) {
	l.t.Helper()
	select {
	case handedOver = <-l.served:
		return handedOver
	case <-time.After(20 * time.Second):
		l.t.Fatalf("still running:\n%s", l.said)
		return false
	}
}

func (l *life) stop() {
	l.t.Helper()
	l.signals <- syscall.SIGTERM
	l.ended()
}

func TestRestartOrderEndsTheNode(t *testing.T) {
	l := start(t, configured())
	client := testclient.Connect(t, l.address, key)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		client.ExpectClose(1001)
		client.Close()
	}()
	kinds, _ := l.order(management.OrderRestart)
	<-gone
	if l.ended() {
		t.Error("no other process serves")
	}
	kinds = slices.Compact(kinds)
	if want := []management.Kind{management.Accepted, management.Draining, management.Stopped}; !slices.Equal(kinds, want) {
		t.Errorf("told %v, want %v", kinds, want)
	}
	if conn, err := net.Dial("tcp", l.address); err == nil {
		_ = conn.Close()
		t.Error("the port is still open")
	}
	if left := management.Targets("*", l.env); left != nil {
		t.Errorf("sockets left: %v", left)
	}
}

// A next process that does not start changes nothing: the caller hears why, and the node serves on.
func TestHandoverToAProgramThatDoesNotServe(t *testing.T) {
	l := start(t, configured())
	kinds, last := l.order(management.OrderHandover(20))
	if kinds[0] != management.Accepted || last.Kind != management.Failed || last.Text == "" {
		t.Errorf("told %v, at last %+v", kinds, last)
	}
	client := testclient.Connect(t, l.address, key)
	client.Join(secret, "news", "")
	client.Close()
	l.stop()
}

func TestReloadOrder(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/config.toml"
	text := "[server]\nhost = \"127.0.0.1\"\nport = 0\n[[apps]]\napp_id = \"1\"\nkey = \"" + key + "\"\nsecret = \"" + secret + "\"\n"
	write := func(more string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text+more), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	cfg, err := config.Load(config.Source{File: file, EnvFile: os.DevNull})
	if err != nil {
		t.Fatal(err)
	}
	l := start(t, cfg)
	write("[[apps]]\napp_id = \"2\"\nkey = \"second-key\"\nsecret = \"s\"\n")
	kinds, last := l.order(management.OrderReload)
	want := []management.Kind{management.Accepted, management.AppChanged, management.Reloaded}
	if !slices.Equal(kinds, want) || last.Kind != management.Reloaded {
		t.Errorf("told %v, want %v", kinds, want)
	}
	testclient.Connect(t, l.address, "second-key").Close()
	l.stop()
}

// The control socket and the live page are one surface: the server's own user needs no password, a browser does.
func TestPageAndSocketShareTheSurface(t *testing.T) {
	cfg := configured()
	cfg.Dashboard.Enabled, cfg.Dashboard.Listen = true, "127.0.0.1:0"
	cfg.Dashboard.Username, cfg.Dashboard.PasswordHash = "ops", "$2y$04$"+strings.Repeat("a", 53)
	l := start(t, cfg)
	found := regexp.MustCompile(`url=(http://\S+/)`).FindStringSubmatch(until(t, l.said, "dashboard is served"))
	if found == nil {
		t.Fatalf("no address of the page in\n%s", l.said)
	}
	path := management.Targets(l.port, l.env)[0].String()
	dialer := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	network := new(http.Transport)
	for _, tt := range []struct {
		name string
		way  *http.Transport
		url  string
		want int
	}{
		{"own user", dialer, "http://reverb/api/stats", http.StatusOK},
		{"browser", network, found[1] + "api/stats", http.StatusUnauthorized},
	} {
		answer, err := (&http.Client{Transport: tt.way, Timeout: 10 * time.Second}).Get(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, answer.StatusCode, tt.want)
		}
	}
	dialer.CloseIdleConnections()
	network.CloseIdleConnections()
	l.stop()
}

// until waits for a text that a node writes.
func until(t *testing.T, o *output, text string) string {
	t.Helper()
	late := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if all := o.String(); strings.Contains(all, text) {
			return all
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("no %q in\n%s", text, o)
		}
	}
}

// A start that fails half-way leaves no port, no socket and no goroutine behind.
func TestStartThatFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, change := range map[string]func(*config.Config){
		"port":           func(c *config.Config) { c.Server.Port = taken.Addr().(*net.TCPAddr).Port },
		"metrics":        func(c *config.Config) { c.Metrics.Listen = taken.Addr().String() },
		"live page":      func(c *config.Config) { c.Dashboard.Enabled, c.Dashboard.Listen = true, taken.Addr().String() },
		"control socket": func(c *config.Config) { c.Server.ControlSocket = "/nowhere/s" },
		"certificate":    func(c *config.Config) { c.Server.TLS.Cert = "/nowhere.pem" },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := configured()
			change(cfg)
			l, err := begin(t, cfg)
			if err == nil {
				t.Fatal("it starts")
			}
			if left := management.Targets("*", l.env); left != nil {
				t.Errorf("sockets left: %v", left)
			}
		})
	}
}
