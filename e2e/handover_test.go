package e2e_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reverb/internal/testclient"
)

// ownCopy starts a server from a file of the test's own, which a deploy can replace.
func ownCopy(t *testing.T, server, rest string) (s *testclient.Server, program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "reverb")
	if err := os.Link(bin, program); err != nil {
		t.Fatal(err) // both are in the folder for temporary files
	}
	return testclient.Start(t, program, testclient.Options{Config: fmt.Sprintf(threeApps, server, "") + rest}), program
}

// deploy puts a shell script in the place of the program. It can run the program that was there as $REAL.
func deploy(t *testing.T, program, script string) {
	t.Helper()
	next := program + ".next"
	if err := os.WriteFile(next, []byte("#!/bin/sh\nREAL='"+bin+"'\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, program); err != nil {
		t.Fatal(err)
	}
}

// restart runs `reverb restart` with arguments for the server s.
func restart(s *testclient.Server, args ...string) (output string, err error) {
	_, port, _ := net.SplitHostPort(s.Addr)
	cmd := exec.Command(bin, append([]string{"restart", "--port", port}, args...)...)
	cmd.Dir = s.Dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.Dir, "TMPDIR=" + s.Dir}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var tookOver = regexp.MustCompile(`process (\d+) has taken over`)

// handOver wants a handover that succeeds, and returns the pid of the process that serves.
func handOver(t *testing.T, s *testclient.Server) int {
	t.Helper()
	out, err := restart(s, "--handover")
	m := tookOver.FindStringSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("handover: %v\n%s\nserver:\n%s", err, out, s.Output())
	}
	pid, _ := strconv.Atoi(m[1])
	return pid
}

// alive reports whether the process runs; a zombie does not.
func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(text), ") Z ")
}

// attempt connects as a client does, up to pusher:connection_established.
func attempt(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, 20*time.Second)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := fmt.Fprintf(conn, "GET /app/%s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n", key); err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	status, err := in.ReadString('\n')
	if err != nil || !strings.Contains(status, " 101 ") {
		return fmt.Errorf("answer %q, %w", status, err)
	}
	for line := ""; line != "\r\n"; {
		if line, err = in.ReadString('\n'); err != nil {
			return err
		}
	}
	first := make([]byte, 60)
	if _, err := io.ReadFull(in, first); err != nil || !strings.Contains(string(first), "pusher:connection_established") {
		return fmt.Errorf("first message %q, %w", first, err)
	}
	return nil
}

// connectAllTheTime connects from 8 goroutines until the returned function is called, which tells how many connected; each must.
func connectAllTheTime(t *testing.T, addr string) (stop func() int) {
	t.Helper()
	var running sync.WaitGroup
	var mu sync.Mutex
	end, count := make(chan struct{}), 0
	for range 8 {
		running.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				err := attempt(addr)
				mu.Lock()
				count++
				mu.Unlock()
				if err != nil {
					t.Errorf("an attempt to connect failed: %v", err)
					return
				}
			}
		})
	}
	return func() int {
		close(end)
		running.Wait()
		return count
	}
}

func TestHandoverRefusesNobody(t *testing.T) {
	s, _ := ownCopy(t, "drain_timeout = 1", "[metrics]\nlisten = \"127.0.0.1:0\"\n")
	metrics := regexp.MustCompile(`metrics are served \.* ?address=(\S+)`).FindStringSubmatch(s.Output())[1]
	first := s.PID()
	stop := connectAllTheTime(t, s.Addr)
	pids := map[int]bool{first: true}
	for range 3 {
		client := testclient.Connect(t, s.Addr, key)
		pid := handOver(t, s)
		client.ExpectClose(4200)
		client.Close()
		if pids[pid] {
			t.Errorf("process %d serves again", pid)
		}
		pids[pid] = true
		testclient.Do(t, nil, "GET", "http://"+metrics+"/metrics", "")
	}
	if n := stop(); n < 100 {
		t.Errorf("only %d attempts", n)
	} else {
		t.Logf("%d attempts, each answered", n)
	}
	running := 0
	for pid := range pids {
		if alive(pid) {
			running++
		}
	}
	if running != 2 || !alive(first) {
		t.Errorf("%d of the processes %v run, want the first and the last", running, pids)
	}
	http.DefaultClient.CloseIdleConnections()
	client := testclient.Connect(t, s.Addr, key)
	s.Signal(syscall.SIGTERM)
	client.ExpectClose(stopCode())
	client.Close()
	if code := s.ExitCode(); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.Output())
	}
	if err := attempt(s.Addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the port is still open: %v", err)
	}
	if left, _ := filepath.Glob(s.Dir + "/reverb-*/*.sock"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// A deploy that replaced the program and the configuration takes effect.
func TestHandoverStartsWhatIsThereNow(t *testing.T) {
	s, program := ownCopy(t, "drain_timeout = 1", "")
	deploy(t, program, `echo "second version of $*"; exec "$REAL" "$@"`)
	config := strings.ReplaceAll(fmt.Sprintf(threeApps, "drain_timeout = 1", ""), `"reverb-key"`, `"new-key"`)
	writeFile(t, filepath.Join(s.Dir, "config.toml"), []byte(config))
	handOver(t, s)
	testclient.Connect(t, s.Addr, "new-key").Close()
	if !strings.Contains(s.Output(), "second version of start") {
		t.Errorf("output:\n%s", s.Output())
	}
	// The port of the new configuration counts too.
	port := freePort(t)
	writeFile(t, filepath.Join(s.Dir, "config.toml"), []byte(strings.Replace(config, "port = 0", "port = "+port, 1)))
	handOver(t, s)
	testclient.Connect(t, "127.0.0.1:"+port, "new-key").Close()
	waitFor(t, func() bool { return errors.Is(attempt(s.Addr), syscall.ECONNREFUSED) })
	s.Stop()
}

func TestHandoverThatFailsChangesNothing(t *testing.T) {
	s, program := ownCopy(t, "drain_timeout = 1", "")
	client := testclient.Connect(t, s.Addr, key)
	client.Join(secret, "news", "")
	good, err := os.ReadFile(filepath.Join(s.Dir, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, config, script string
		args                 []string
		want                 string
	}{
		{"configuration", "[server]\nprot = 1\n", "", nil, "config.toml:2"},
		{"certificate", string(good) + "[server.tls]\ncert = \"/nowhere.pem\"\n", "", nil, "read certificate: stat /nowhere.pem"},
		{"hangs", string(good), "exec sleep 1000", []string{"--timeout", "1"}, "was not ready within 1s and was killed"},
		{"ends", string(good), "exit 3", nil, "ended before it was ready, with exit status 3"},
		{"crashes", string(good), "kill -SEGV $$", nil, "was killed before it was ready"},
		{"is no program", string(good), "", nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			writeFile(t, filepath.Join(s.Dir, "config.toml"), []byte(tc.config))
			deploy(t, program, tc.script+"\nexec \"$REAL\" \"$@\"")
			if tc.name == "is no program" {
				if err := os.Remove(program); err != nil {
					t.Fatal(err)
				}
				tc.want = "no such file or directory"
			}
			out, err := restart(s, append([]string{"--handover"}, tc.args...)...)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(out, tc.want) {
				t.Errorf("restart: %v, want %q in\n%s", err, tc.want, out)
			}
			firstApp(s).Post(t, "/events", `{"name":"a","channel":"news","data":"1"}`).Expect(t, 200, `{}`)
			client.Expect(`{"event":"a","data":"1","channel":"news"}`)
			if err := attempt(s.Addr); err != nil {
				t.Error(err)
			}
		})
	}
	s.Stop()
}

// As long as the clients of the first handover leave, another one is possible, and a stop too.
func TestHandoverDuringADrain(t *testing.T) {
	s, _ := ownCopy(t, "drain_timeout = 10", "")
	for range 20 {
		testclient.Connect(t, s.Addr, key)
	}
	var output sync.WaitGroup
	results := make(chan string, 1)
	output.Go(func() {
		out, _ := restart(s, "--handover")
		results <- out
	})
	waitFor(t, func() bool { return strings.Contains(s.Output(), "Handing over to process") })
	client := testclient.Connect(t, s.Addr, key)
	second := handOver(t, s)
	client.ExpectClose(4200)
	client.Close()
	s.Signal(syscall.SIGTERM)
	s.Signal(syscall.SIGTERM)
	if code := s.ExitCode(); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.Output())
	}
	if alive(second) {
		t.Errorf("process %d still runs", second)
	}
	output.Wait()
	if out := <-results; !strings.Contains(out, "has taken over") {
		t.Errorf("first handover:\n%s", out)
	}
}

func TestGuardianEndsAsTheServerDoes(t *testing.T) {
	t.Run("killed", func(t *testing.T) {
		s, _ := ownCopy(t, "drain_timeout = 1", "")
		pid := handOver(t, s)
		waitFor(t, func() bool { return strings.Count(s.Output(), "Handing over") == 1 })
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if code := s.ExitCode(); code != 128+9 {
			t.Errorf("exit code %d\n%s", code, s.Output())
		}
		if err := attempt(s.Addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("the port is still open: %v", err)
		}
	})
	t.Run("restarted", func(t *testing.T) {
		s, _ := ownCopy(t, "drain_timeout = 1", "")
		handOver(t, s)
		client := testclient.Connect(t, s.Addr, key)
		if out, err := restart(s); err != nil {
			t.Errorf("restart: %v\n%s", err, out)
		}
		client.ExpectClose(stopCode())
		if code := s.ExitCode(); code != 0 {
			t.Errorf("exit code %d\n%s", code, s.Output())
		}
	})
}

// A manager that kills the process it knows can start it anew at once.
func TestServerEndsWithItsGuardian(t *testing.T) {
	page := freePort(t)
	s, _ := ownCopy(t, "drain_timeout = 5", "[metrics]\nlisten = \"127.0.0.1:"+page+"\"\n")
	pid := handOver(t, s)
	var clients []*testclient.Client
	for range 4 {
		clients = append(clients, testclient.Connect(t, s.Addr, key))
	}
	s.Signal(syscall.SIGKILL)
	waitFor(t, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+page)
		if err == nil {
			_ = conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	if !alive(pid) {
		t.Error("the port of the metrics is free after the drain only")
	}
	for _, client := range clients {
		client.ExpectClose(stopCode())
		client.Close()
	}
	waitFor(t, func() bool { return !alive(pid) })
	if err := attempt(s.Addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the port is still open: %v", err)
	}
}

// A group signal reaches guardian and child, and the guardian passes it on: that is one request, and a drain follows.
func TestSignalToTheGroupIsOneRequest(t *testing.T) {
	s, _ := ownCopy(t, "drain_timeout = 4", "")
	pid := handOver(t, s)
	clients := make([]*testclient.Client, 10)
	for i := range clients {
		clients[i] = testclient.Connect(t, s.Addr, key)
	}
	begun := time.Now()
	_ = syscall.Kill(pid, syscall.SIGTERM)
	s.Signal(syscall.SIGTERM)
	for _, c := range clients {
		c.ExpectClose(stopCode())
		c.Close()
	}
	if d := time.Since(begun); d < time.Second && redisPort != "" { // a node alone closes all at once
		t.Errorf("all were cut after %v", d)
	}
	if code := s.ExitCode(); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.Output())
	}
}
