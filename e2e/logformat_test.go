package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"reverb/internal/testclient"
)

// logged is what a server writes from its start to its end, with a client, a reload and a publish in between.
func logged(t *testing.T, config string, env []string, args ...string) string {
	t.Helper()
	port := freePort(t)
	s := testclient.Launch(t, bin, testclient.Options{
		Config: fmt.Sprintf(drainOneSecond, "") + "[metrics]\nlisten = \"127.0.0.1:0\"\n" + config,
		Env:    env, Args: append([]string{"--port", port}, args...),
	})
	s.Begin()
	s.Addr = "127.0.0.1:" + port
	u := &unread{addr: s.Addr}
	waitFor(t, func() bool { return u.status("/up") == 200 })
	client := testclient.Connect(t, s.Addr, key)
	client.Join(secret, "presence-room", member(1, "\u202eA"))
	client.Send("no JSON")
	client.ExpectError(4200, "Invalid message format")
	s.Signal(syscall.SIGHUP)
	waitFor(t, func() bool { return strings.Contains(s.Output(), "configuration reloaded") })
	u.app().Post(t, "/events", `{"name":"e","channels":["presence-room"],"data":"{}"}`).Expect(t, 200, "{}")
	client.Close()
	s.Stop()
	return s.Output()
}

// With format = "json", every line is one object: those of the log, the start message, the stream of data, the end.
func TestEveryLineIsJSON(t *testing.T) {
	text := logged(t, "", []string{"REVERB_LOG_FORMAT=json"}, "--debug")
	seen := map[string]string{}
	for line := range strings.Lines(text) {
		var fields struct {
			Time       time.Time
			Level, Msg string
		}
		if err := json.Unmarshal([]byte(line), &fields); err != nil || fields.Time.IsZero() || fields.Level == "" || fields.Msg == "" {
			t.Fatalf("%v: %s", err, line)
		}
		seen[fields.Msg] = fields.Level
	}
	for _, want := range []string{"metrics are served", "Connection Established", "Message Received", "Message resulted in a pusher error",
		"Broadcasting To", "configuration reloaded", "Connection Closed", "Gracefully terminating connections."} {
		if seen[want] == "" {
			t.Errorf("no line %q in:\n%s", want, text)
		}
	}
	if !regexp.MustCompile(`"level":"INFO","msg":"Starting server on 127\.0\.0\.1:\d+\."`).MatchString(text) || strings.ContainsAny(text, "\u202e\x1b") {
		t.Errorf("output:\n%s", text)
	}
}

// On the console, every line of the log has time, level and message in the manner of Laravel's.
func TestConsoleLog(t *testing.T) {
	text := logged(t, "[log]\nformat = \"console\"\nlevel = \"debug\"\n", nil)
	for _, want := range []string{
		`(?m)^  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  INFO  metrics are served \.* ?address=\S+ path=/metrics  $`,
		`(?m)^   INFO  Starting server on 127\.0\.0\.1:\d+\.  $`,
		`(?m)^  [-\d]+ [:\d]+  INFO  configuration reloaded \.* ?asked_by=SIGHUP apps=1 apps_changed=0  $`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "level=") || strings.Contains(text, "Message Received") {
		t.Errorf("output:\n%s", text)
	}
}

func TestLogLevels(t *testing.T) {
	for level, kept := range map[string]int{"debug": 3, "info": 3, "warn": 2, "error": 1} {
		t.Run(level, func(t *testing.T) {
			env := []string{"REVERB_LOG_FORMAT=json", "REVERB_LOG_LEVEL=" + level}
			port := freePort(t)
			s := testclient.Launch(t, bin, testclient.Options{Config: fmt.Sprintf(drainOneSecond, ""), Env: env, Args: []string{"--port", port}})
			s.Begin()
			u := &unread{addr: "127.0.0.1:" + port}
			waitFor(t, func() bool { return u.status("/up") == 200 })
			file := filepath.Join(s.Dir, "config.toml")
			writeFile(t, file, []byte(fmt.Sprintf(drainOneSecond, "path = \"other\"")))
			s.Signal(syscall.SIGHUP) // info, and warn because of the path
			if kept >= 2 {
				waitFor(t, func() bool { return strings.Contains(s.Output(), "needs a restart") })
			}
			writeFile(t, file, []byte("nonsense"))
			s.Signal(syscall.SIGHUP)
			waitFor(t, func() bool { return strings.Contains(s.Output(), `"level":"ERROR"`) })
			s.Stop()
			for i, name := range []string{"ERROR", "WARN", "INFO"} {
				if got := strings.Contains(s.Output(), `"level":"`+name+`"`); got != (i < kept) {
					t.Errorf("lines of %s: %v\n%s", name, got, s.Output())
				}
			}
		})
	}
}

// A start that fails says so as all else is said.
func TestFailedStartAsJSON(t *testing.T) {
	for name, tc := range map[string]struct {
		config string
		args   []string
	}{
		"configuration": {config: "level = \"loud\"\n"},
		"address":       {config: strings.Replace(fmt.Sprintf(drainOneSecond, ""), "127.0.0.1", "192.0.2.1", 1)},
		"flag":          {args: []string{"--debgu"}},
		"argument":      {args: []string{"again"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := testclient.Launch(t, bin, testclient.Options{
				Config: "[log]\nformat = \"json\"\n" + tc.config, Args: append([]string{"--port", freePort(t)}, tc.args...),
			})
			code, text := s.Run()
			var fields struct{ Level, Msg string }
			if err := json.Unmarshal([]byte(text), &fields); err != nil || code != 1 || fields.Level != "ERROR" || fields.Msg == "" {
				t.Errorf("exit code %d, %v:\n%s", code, err, text)
			}
		})
	}
}

// An output that takes nothing is a failure of a command that is run for it, and none of a server.
func TestServerOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	dir, port := t.TempDir(), freePort(t)
	writeFile(t, dir+"/config.toml", []byte(fmt.Sprintf(drainOneSecond, "")))
	cmd := exec.Command(bin, "start", "--port", port)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, full, full
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	u := &unread{addr: "127.0.0.1:" + port, cmd: cmd, exited: make(chan error, 1)}
	go func() { u.exited <- cmd.Wait() }()
	waitFor(t, func() bool { return u.status("/up") == 200 })
	u.stop(t)
	check := exec.Command(bin, "check")
	check.Dir, check.Stdout = dir, full
	if check.Run() == nil {
		t.Error("reverb check > /dev/full succeeds")
	}
}

// Lines that could not be written are counted, and the count is told once when somebody reads again.
func TestDroppedLinesAreToldOnce(t *testing.T) {
	metrics := freePort(t)
	u := startUnread(t, 0, fmt.Sprintf(drainOneSecond, "")+"[metrics]\nlisten = \"127.0.0.1:"+metrics+"\"\n", "--debug")
	side := &unread{addr: "127.0.0.1:" + metrics}
	client := testclient.Connect(t, u.addr, key)
	dropped := regexp.MustCompile(`(?m)^reverb_log_lines_dropped_total ([1-9]\d*)$`)
	waitFor(t, func() bool {
		for range 200 {
			client.Send(`{"event":"pusher:ping"}`)
			client.Event("pusher:pong")
		}
		return dropped.MatchString(side.whole("/metrics"))
	})
	var told atomic.Int32
	read := make(chan struct{})
	go func() {
		defer close(read)
		in := bufio.NewScanner(u.reader)
		in.Buffer(nil, 1<<20) // what the pipe was filled with is one line
		for in.Scan() {
			if strings.Contains(in.Text(), "lines of this log were dropped") {
				told.Add(1)
			}
		}
	}()
	waitFor(t, func() bool { return told.Load() > 0 })
	u.stop(t)
	<-read
	if told := told.Load(); told != 1 {
		t.Errorf("told %d times", told)
	}
}
