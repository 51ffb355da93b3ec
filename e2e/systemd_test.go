package e2e_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"reverb/internal/testclient"
	"reverb/internal/testtool"
)

// manager is the end of systemd that services report to.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	path string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "rvb") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); _ = os.RemoveAll(dir) })
	return &manager{t, conn, path}
}

// until reads states up to the wanted one and returns those before it.
func (m *manager) until(want string) (before []string) {
	m.t.Helper()
	_ = m.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		buf := make([]byte, 1000)
		n, err := m.conn.Read(buf)
		if err != nil {
			m.t.Fatalf("no %s after %q: %v", want, before, err)
		}
		state, _, _ := strings.Cut(string(buf[:n]), "\n")
		if state == want {
			return before
		}
		before = append(before, state)
	}
}

func TestServiceManagerIsTold(t *testing.T) {
	m := newManager(t)
	s := testclient.Start(t, bin, testclient.Options{Config: fmt.Sprintf(threeApps, "drain_timeout = 1", ""),
		Env: []string{"NOTIFY_SOCKET=" + m.path, "WATCHDOG_USEC=400000"}})
	if before := m.until("READY=1"); before != nil && before[0] != "WATCHDOG=1" {
		t.Errorf("%q before it is ready", before)
	}
	m.until("WATCHDOG=1")
	m.until("WATCHDOG=1")
	pid := handOver(t, s)
	m.until("RELOADING=1")
	m.until("READY=1")
	for range 5 { // those of the process that serves, through its guardian
		m.until("WATCHDOG=1")
	}
	// A server that hangs is not reported as one that lives.
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_ = m.conn.SetReadDeadline(time.Now().Add(time.Second))
	states := 0
	for buf := make([]byte, 1000); ; states++ {
		if _, err := m.conn.Read(buf); err != nil {
			break
		}
	}
	if states > 2 {
		t.Errorf("%d signs of life of a process that is stopped", states)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	m.until("WATCHDOG=1")
	s.Signal(syscall.SIGTERM)
	m.until("STOPPING=1")
	if code := s.ExitCode(); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.Output())
	}
}

// systemd-socket-activate is systemd's own tool for it; it starts the service at the first connection.
func TestSocketActivation(t *testing.T) {
	activate := testtool.Find(t, "systemd-socket-activate")
	public, metrics := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "config.toml"), []byte(fmt.Sprintf(threeApps, "drain_timeout = 1", "")+"[metrics]\nlisten = \"127.0.0.1:1\"\n"))
	cmd := exec.Command(activate, "-l", public, "-l", metrics, "--fdname=public:metrics", "-E", "TMPDIR="+dir, bin, "start")
	cmd.Dir = dir
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	waitFor(t, func() bool { return attempt(public) == nil })
	for range 2 {
		testclient.Do(t, nil, "GET", "http://"+metrics+"/metrics", "")
		_, port, _ := net.SplitHostPort(public)
		restart := exec.Command(bin, "restart", "--handover", "--port", port)
		restart.Env = []string{"TMPDIR=" + dir}
		if out, err := restart.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if err := attempt(public); err != nil {
			t.Error(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(output.String(), "Starting server on "+public) {
		t.Errorf("%v\n%s", err, output.String())
	}
	if err := attempt(public); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the port is still open: %v", err)
	}
}
