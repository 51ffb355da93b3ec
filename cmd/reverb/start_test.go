package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reverb/internal/listener"
	"reverb/internal/testclient"
	"reverb/node"
)

const (
	testKey    = "app-key"
	testSecret = "app-secret-of-20-char"
)

// running is one `reverb start` inside the test's own process.
type running struct {
	addr    string
	file    string // the configuration
	env     []string
	out     *output
	errOut  *output
	signals chan<- os.Signal
	exit    chan int
}

// output may be read while the program writes to it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen chan struct{} // one token after each write
}

func newOutput() *output { return &output{seen: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.seen <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// until waits for text that matches.
func (o *output) until(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.After(10 * time.Second)
	for {
		if m := re.FindStringSubmatch(o.String()); m != nil {
			return m
		}
		select {
		case <-o.seen:
		case <-late:
			t.Fatalf("no %s in:\n%s", pattern, o.String())
		}
	}
}

// launch runs the program with a configuration and does not wait for it.
func launch(t *testing.T, toml string, args ...string) *running {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &running{file: file, env: environ(t), out: newOutput(), errOut: newOutput(), exit: make(chan int, 1)}
	notified := make(chan chan<- os.Signal, 1)
	p := process{
		stdin: strings.NewReader(""), stdout: r.out, stderr: r.errOut, environ: r.env,
		notify: func(c chan<- os.Signal, caught ...os.Signal) {
			if slices.Contains(caught, os.Signal(syscall.SIGTERM)) {
				notified <- c
			}
		},
		forget: func(chan<- os.Signal) {},
	}
	all := append([]string{"reverb", "start", "--config", file, "--env-file", os.DevNull}, args...)
	go func() {
		r.exit <- run(all, p)
		close(notified)
	}()
	r.signals = <-notified
	return r
}

func startForTest(t *testing.T, server string, args ...string) *running {
	t.Helper()
	r := launch(t, oneApp(server), args...)
	r.addr = r.out.until(t, `INFO  Starting (?:secure )?server on ([^ ]+:\d+)`)[1]
	return r
}

// oneApp is a configuration with one application, and lines added to [server].
func oneApp(server string) string {
	return fmt.Sprintf("[server]\nhost = \"127.0.0.1\"\nport = 0\ndrain_timeout = 5\n%s\n[[apps]]\napp_id = \"app-id\"\nkey = %q\nsecret = %q\n",
		server, testKey, testSecret)
}

// app is the HTTP side of the one application.
func (r *running) app() testclient.App {
	return testclient.App{ID: "app-id", Key: testKey, Secret: testSecret, Base: "http://" + r.addr}
}

func (r *running) port() string { return r.addr[strings.LastIndexByte(r.addr, ':')+1:] }

// ended waits for the exit code.
func (r *running) ended(t *testing.T) int {
	t.Helper()
	select {
	case code := <-r.exit:
		return code
	case <-time.After(20 * time.Second):
		t.Fatalf("still running:\n%s%s", r.out, r.errOut)
		return -1
	}
}

func (r *running) stop(t *testing.T) {
	t.Helper()
	r.signals <- syscall.SIGTERM
	if code := r.ended(t); code != 0 {
		t.Errorf("exit code %d\n%s%s", code, r.out, r.errOut)
	}
}

func TestStartServesAndStops(t *testing.T) {
	r := startForTest(t, `hostname = "localhost"`)
	if want := "\n   INFO  Starting server on " + r.addr + " (localhost).  \n\n"; r.out.String() != want {
		t.Errorf("output %q, want %q", r.out, want)
	}
	client := testclient.Connect(t, r.addr, testKey)
	client.Join(testSecret, "news", "")
	r.app().Post(t, "/events", `{"name":"released","channels":["news"],"data":"{\"version\":1}"}`).Expect(t, 200, "{}")
	client.Expect(`{"event":"released","data":"{\"version\":1}","channel":"news"}`)
	r.signals <- syscall.SIGHUP
	r.errOut.until(t, "configuration reloaded")
	r.signals <- syscall.SIGTERM
	client.ExpectClose(1001)
	client.Close()
	if code := r.ended(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if want := "\n\n   INFO  Gracefully terminating connections.  \n\n"; !strings.HasSuffix(r.out.String(), want) {
		t.Errorf("output %q", r.out)
	}
	if conn, err := net.Dial("tcp", r.addr); err == nil {
		_ = conn.Close()
		t.Error("the port is still open")
	}
}

func TestSecondSignalCuts(t *testing.T) {
	r := launch(t, strings.Replace(oneApp(""), "drain_timeout = 5", "drain_timeout = 60", 1))
	r.addr = r.out.until(t, `server on ([^ ]+:\d+)`)[1]
	for range 20 {
		testclient.Connect(t, r.addr, testKey)
	}
	r.signals <- os.Interrupt
	r.out.until(t, "Gracefully terminating connections")
	r.signals <- syscall.SIGTERM
	begun := time.Now()
	if code := r.ended(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if d := time.Since(begun); d > 15*time.Second {
		t.Errorf("the stop took %v", d)
	}
}

// A client that does not answer the close frame must not hold up the stop.
func TestDrainTimeoutCutsSilentClients(t *testing.T) {
	r := launch(t, strings.Replace(oneApp(""), "drain_timeout = 5", "drain_timeout = 0", 1))
	r.addr = r.out.until(t, `server on ([^ ]+:\d+)`)[1]
	client := testclient.Connect(t, r.addr, testKey)
	r.signals <- os.Interrupt
	begun := time.Now()
	if code := r.ended(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if d := time.Since(begun); d > node.CloseTimeout {
		t.Errorf("the stop took %v", d)
	}
	client.ExpectClose(1001)
}

func TestRestartStopsTheServer(t *testing.T) {
	r := startForTest(t, "")
	client := testclient.Connect(t, r.addr, testKey)
	var out, errOut bytes.Buffer
	restarted := make(chan int)
	go func() {
		restarted <- run([]string{"reverb", "restart", "--port", r.port()}, process{stdout: &out, stderr: &errOut, environ: r.env})
	}()
	client.ExpectClose(1001)
	client.Close()
	if code := <-restarted; code != 0 || !strings.Contains(out.String(), "stopped after") {
		t.Errorf("restart: exit code %d\n%s%s", code, out.String(), errOut.String())
	}
	if code := r.ended(t); code != 0 || !strings.Contains(r.out.String(), "   INFO  Stopping server on "+r.addr+".  \n") {
		t.Errorf("exit code %d\n%s", code, r.out)
	}
}

func TestDebugShowsTheStream(t *testing.T) {
	r := startForTest(t, "", "--debug")
	client := testclient.Connect(t, r.addr, testKey)
	client.Subscribe(testSecret, "private-news", "")
	r.out.until(t, `(?m)^  Connection Established \.+ `+regexp.QuoteMeta(client.SocketID)+`  $`)
	r.out.until(t, `(?m)^  Message Received \.+ `+regexp.QuoteMeta(client.SocketID)+`  $`)
	r.out.until(t, `Message Handled`)
	client.Subscribe(testSecret, "presence-room", `{"user_id":1}`)
	r.out.until(t, `(?m)^  Broadcasting To \.+ presence-room  $`)
	r.out.until(t, `"event": "pusher_internal:member_added"`)
	if text := r.out.String(); !strings.Contains(text, `"auth": "app-key:********"`) {
		t.Errorf("no masked signature in:\n%s", text)
	}
	client.Close()
	r.out.until(t, `(?m)^  Connection Closed \.+ `+regexp.QuoteMeta(client.SocketID)+`  $`)
	r.stop(t)
}

func TestMetricsHaveTheirOwnAddress(t *testing.T) {
	r := launch(t, oneApp("")+"[metrics]\nlisten = \"127.0.0.1:0\"\n")
	r.addr = r.out.until(t, `server on ([^ ]+:\d+)`)[1]
	address := r.errOut.until(t, `metrics are served \.* ?address=(\S+) path=(\S+)`)
	answer := testclient.Do(t, http.DefaultClient, "GET", "http://"+address[1]+address[2], "")
	if answer.Status != 200 || !strings.Contains(answer.Body, "reverb_") {
		t.Errorf("answer %+v", answer)
	}
	testclient.Do(t, http.DefaultClient, "GET", "http://"+r.addr+"/metrics", "").Expect(t, 404, "Not found.")
	http.DefaultClient.CloseIdleConnections()
	r.stop(t)
}

func TestStartFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	port := strconv.Itoa(listener.Port(taken))
	for _, tc := range []struct {
		name, toml string
		args       []string
		want       string // in stderr
	}{
		{"port in use", oneApp(""), []string{"--port", port},
			`Failed to listen on "tcp://127.0.0.1:` + port + `": Address already in use (EADDRINUSE)`},
		{"certificate of Redis", oneApp("") + "[scaling]\nenabled = true\n[scaling.redis.tls]\nca = \"/nowhere.pem\"\n", nil,
			"scaling.redis.tls.ca: open /nowhere.pem: "},
		{"certificate that is not there", oneApp("") + "[server.tls]\ncert = \"/nowhere.crt\"\n", nil, "   ERROR  read certificate: stat /nowhere.crt: "},
		{"configuration", "[server]\nprot = 1\nport = \"x\"\n", nil, "config.toml:2"},
		{"configuration that is not there", "", []string{"--config", "/nowhere.toml"}, "/nowhere.toml"},
		{"control socket that cannot be", oneApp(`control_socket = "/nowhere/s"`), nil, `make server.control_socket = "/nowhere/s": No such file or directory`},
		{"metrics port in use", oneApp("") + "[metrics]\nlisten = \"127.0.0.1:" + port + "\"\n", nil, "(EADDRINUSE)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := launch(t, tc.toml, tc.args...)
			code := r.ended(t)
			if text := r.errOut.String(); code != 1 || !strings.Contains(text, tc.want) || !strings.Contains(text, "   ERROR  ") || r.out.String() != "" {
				t.Errorf("exit code %d, output %q, errors:\n%s", code, r.out, text)
			}
		})
	}
}

func TestCheckHidesSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(oneApp("")+"[scaling.redis]\npassword = \"redis-secret\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := command(t, "check", "--config", file, "--env-file", os.DevNull)
	if code != 0 || !strings.Contains(out, "   INFO  The configuration is valid.  ") {
		t.Errorf("exit code %d\n%s%s", code, out, stderr)
	}
	for _, secret := range []string{testSecret, "redis-secret"} {
		if strings.Contains(out, secret) {
			t.Errorf("%s is in:\n%s", secret, out)
		}
	}
	if !regexp.MustCompile(`(?m)^  server\.port \.+ 0 \(.*config\.toml:3\)  $`).MatchString(out) {
		t.Errorf("no port with its place in:\n%s", out)
	}
}
