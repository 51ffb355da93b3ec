package e2e_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"reverb/internal/testclient"
)

// supervisorMain is a supervisord.conf as distributions ship it.
const supervisorMain = `
[unix_http_server]
file=%[1]s/ctl
[supervisord]
nodaemon=true
logfile=%[1]s/supervisord.log
pidfile=%[1]s/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%[1]s/ctl
[include]
files = %[1]s/conf.d/*.conf
`

// The file in deploy/ is included by a usual configuration, starts the server, starts it again after every end, and raises the limit of
// open files of supervisord itself.
func TestShippedSupervisorFile(t *testing.T) {
	dir, err := os.MkdirTemp("", "rvb") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port := freePort(t)
	addr := net.JoinHostPort("127.0.0.1", port)
	if err = os.Mkdir(filepath.Join(dir, "conf.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "config.toml"), []byte(strings.Replace(fmt.Sprintf(threeApps, "drain_timeout = 1", ""), "port = 0", "port = "+port, 1)))
	writeFile(t, filepath.Join(dir, "supervisord.conf"), fmt.Appendf(nil, supervisorMain, dir))
	writeFile(t, filepath.Join(dir, "conf.d", "reverb.conf"), []byte(shipped(t, "supervisor/reverb.conf", "/srv/site/current", dir,
		"/usr/local/bin/reverb start", bin+" start", "user=www-data", fmt.Sprintf("environment=TMPDIR=%q", dir), "/var/log/supervisor", dir,
		"minfds=65536", "minfds=2000")))
	// The limit that supervisord finds is lower than what it is told to want.
	cmd := exec.Command("/bin/bash", "-c", `ulimit -Sn 1024; exec "$@"`, "bash", installed(t, "supervisord"), "-c", filepath.Join(dir, "supervisord.conf"))
	if err = cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	s := &supervised{t, dir, installed(t, "supervisorctl")}
	waitFor(t, func() bool { return strings.Contains(s.control("status"), "RUNNING") && attempt(addr) == nil })
	if limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", cmd.Process.Pid)); err == nil && !openFiles(string(limits), "2000") {
		t.Errorf("minfds did nothing:\n%s", limits)
	}

	for name, end := range map[string]func(pid int){
		"crash":          func(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) },
		"exit code 0":    func(pid int) { _ = syscall.Kill(pid, syscall.SIGTERM) },
		"reverb restart": func(int) { s.restart() },
	} {
		before := s.pid()
		end(before)
		waitFor(t, func() bool { pid := s.pid(); return pid != 0 && pid != before && attempt(addr) == nil })
		if before == 0 {
			t.Errorf("%s: the server did not run", name)
		}
	}
	client := testclient.Connect(t, addr, key)
	if out := s.control("stop", "reverb"); !strings.Contains(out, "stopped") {
		t.Errorf("stop: %s", out)
	}
	client.ExpectClose(stopCode())
}

// openFiles reports whether the soft limit in a file of /proc is want.
func openFiles(limits, want string) bool {
	for line := range strings.Lines(limits) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			return strings.Fields(rest)[0] == want
		}
	}
	return false
}
