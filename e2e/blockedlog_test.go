package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// unread is a server whose stdout and stderr are one pipe that is full, and that nobody reads.
type unread struct {
	addr   string
	reader *os.File // of the pipe
	cmd    *exec.Cmd
	exited chan error
}

// startUnread starts the program with a shell's limit of open files (0 = as it is) and returns when it answers.
func startUnread(t *testing.T, files int, config string, args ...string) *unread {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	writeFile(t, dir+"/config.toml", []byte(config))
	writeFile(t, dir+"/.env", nil)
	reader, writer := fullPipe(t)
	t.Cleanup(func() { _ = reader.Close() })
	command := "exec " + bin + ` start "$@"`
	if files > 0 {
		command = fmt.Sprintf("ulimit -n %d; %s", files, command)
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", command, "reverb", "--port", port}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, writer, writer
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	u := &unread{addr: "127.0.0.1:" + port, reader: reader, cmd: cmd, exited: make(chan error, 1)}
	ended := make(chan struct{})
	go func() { u.exited <- cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	waitFor(t, func() bool { return u.status("/up") == http.StatusOK })
	return u
}

// fullPipe is a pipe with no room for one more byte.
func fullPipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fd := int(writer.Fd())
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for size := 4096; size > 0; {
		if _, err := syscall.Write(fd, make([]byte, size)); errors.Is(err, syscall.EAGAIN) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	return reader, writer
}

// status is that of a GET over a connection of its own; 0 = no answer in time.
func (u *unread) status(path string) int {
	status, _ := u.get(path)
	return status
}

// whole is the body of a GET.
func (u *unread) whole(path string) string {
	_, body := u.get(path)
	return body
}

func (u *unread) get(path string) (status int, body string) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + u.addr + path)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

// stop sends SIGTERM and returns how long the end took.
func (u *unread) stop(t *testing.T) time.Duration {
	t.Helper()
	begun := time.Now()
	if err := u.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-u.exited:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("still running 30 s after SIGTERM")
	}
	t.Logf("the stop took %v", time.Since(begun).Round(time.Millisecond))
	return time.Since(begun)
}

// longestStop is a drain of one second, what closing costs (six at most), and time for the machine.
const longestStop = 15 * time.Second

const drainOneSecond = `
[server]
host = "127.0.0.1"
drain_timeout = 1
%s
[[apps]]
app_id = "123456"
key = "reverb-key"
secret = "reverb-secret"
`

func (u *unread) app() testclient.App {
	return testclient.App{ID: "123456", Key: key, Secret: secret, Base: "http://" + u.addr}
}

// A stop takes as long as it takes without a log: in a cluster the second of drain_timeout, and what little closing costs.
func TestStopWithUnreadLog(t *testing.T) {
	for _, args := range [][]string{nil, {"--debug"}} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			u := startUnread(t, 0, fmt.Sprintf(drainOneSecond, ""), args...)
			client := testclient.Connect(t, u.addr, key)
			client.Join(secret, "news", "")
			if took := u.stop(t); took > longestStop {
				t.Errorf("the stop took %v", took)
			}
			client.ExpectClose(stopCode())
		})
	}
}

// The lines about a Redis that has gone wait; nothing else does.
func TestRedisLostWithUnreadLog(t *testing.T) {
	redis := redistest.Start(t)
	u := startUnread(t, 0, fmt.Sprintf(drainOneSecond, "")+
		"[scaling]\nenabled = true\n[scaling.redis]\nhost = \"127.0.0.1\"\nport = "+redis.Port()+"\n")
	waitFor(t, func() bool { return strings.Contains(u.whole("/ready"), `{"ready":true}`) })
	redis.Stop()
	waitFor(t, func() bool { return strings.Contains(u.whole("/ready"), `"degraded":true`) })
	for i := range 20 {
		client, channel := testclient.Connect(t, u.addr, key), fmt.Sprintf("news-%d", i)
		client.Join(secret, channel, "")
		u.app().Post(t, "/events", `{"name":"e","channels":["`+channel+`"],"data":"{}"}`).Expect(t, 200, "{}")
		client.Expect(`{"event":"e","data":"{}","channel":"` + channel + `"}`)
		client.Close()
	}
	if status := u.status("/ready"); status != http.StatusOK {
		t.Errorf("/ready answers %d", status)
	}
	if took := u.stop(t); took > longestStop {
		t.Errorf("the stop took %v", took)
	}
}

// When files are free again, connections are accepted again.
func TestFilesExhaustedWithUnreadLog(t *testing.T) {
	u := startUnread(t, 80, fmt.Sprintf(drainOneSecond, ""))
	var held []net.Conn
	for range 120 {
		conn, err := net.Dial("tcp", u.addr)
		if err != nil {
			break // the backlog of a listener that does not accept is full, too
		}
		held = append(held, conn)
	}
	if u.status("/up") != 0 {
		t.Fatal("80 files were not too few for 120 connections")
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	waitFor(t, func() bool { return u.status("/up") == http.StatusOK })
	testclient.Connect(t, u.addr, key).Close()
	if took := u.stop(t); took > longestStop {
		t.Errorf("the stop took %v", took)
	}
}

// A start that fails ends with 1 as soon as it has failed, for any reason and with or without a reader of its output.
func TestFailedStartWithUnreadLog(t *testing.T) {
	good, bad := fmt.Sprintf(drainOneSecond, ""), "nonsense"
	for name, tc := range map[string]struct {
		config string
		args   []string
	}{
		"flag":          {good, []string{"--prot", "1"}},
		"argument":      {good, []string{"again"}},
		"value":         {good, []string{"--port", "high"}},
		"configuration": {bad, nil},
		"address":       {good, []string{"--host", "192.0.2.1"}},
	} {
		for _, reader := range []string{"reads nothing", "has gone"} {
			t.Run(name+"/"+reader, func(t *testing.T) {
				dir := t.TempDir()
				writeFile(t, dir+"/config.toml", []byte(tc.config))
				in, out := fullPipe(t)
				if reader == "has gone" {
					_ = in.Close()
				}
				defer func() { _, _ = in.Close(), out.Close() }()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				cmd := exec.CommandContext(ctx, bin, append([]string{"start"}, tc.args...)...)
				cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
				cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
				_ = cmd.Run()
				if code := cmd.ProcessState.ExitCode(); code != 1 {
					t.Errorf("ended with %v", cmd.ProcessState)
				}
			})
		}
	}
}
