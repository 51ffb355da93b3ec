package e2e_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"reverb/internal/testclient"
	"reverb/internal/testtool"
)

const supervisorConf = `
[supervisord]
nodaemon=true
logfile=%[1]s/supervisord.log
pidfile=%[1]s/supervisord.pid
[unix_http_server]
file=%[1]s/ctl
[supervisorctl]
serverurl=unix://%[1]s/ctl
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:reverb]
directory=%[1]s
command=%[2]s start
environment=TMPDIR="%[1]s"
autorestart=true
startsecs=1
stopwaitsecs=20
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile=%[1]s/reverb.log
`

// supervised is a server under a real supervisord.
type supervised struct {
	t   *testing.T
	dir string
	ctl string
}

func supervise(t *testing.T, config string) *supervised {
	t.Helper()
	daemon, ctl := testtool.Find(t, "supervisord"), testtool.Find(t, "supervisorctl")
	dir, err := os.MkdirTemp("", "rvb") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	writeFile(t, filepath.Join(dir, "config.toml"), []byte(config))
	writeFile(t, filepath.Join(dir, "supervisord.conf"), fmt.Appendf(nil, supervisorConf, dir, bin))
	cmd := exec.Command(daemon, "-c", filepath.Join(dir, "supervisord.conf"))
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	return &supervised{t, dir, ctl}
}

// control runs supervisorctl.
func (s *supervised) control(args ...string) string {
	out, err := exec.Command(s.ctl, append([]string{"-c", filepath.Join(s.dir, "supervisord.conf")}, args...)...).CombinedOutput()
	if err != nil {
		return string(out) + err.Error()
	}
	return strings.TrimSpace(string(out))
}

func (s *supervised) pid() int {
	pid, _ := strconv.Atoi(s.control("pid", "reverb"))
	return pid
}

// restart runs `reverb restart`.
func (s *supervised) restart(args ...string) string {
	s.t.Helper()
	cmd := exec.Command(bin, append([]string{"restart"}, args...)...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + s.dir}
	out, err := cmd.CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "reverb.log"))
		s.t.Fatalf("restart: %v\n%s\n%s", err, out, log)
	}
	return string(out)
}

func TestUnderSupervisord(t *testing.T) {
	port := freePort(t)
	addr := net.JoinHostPort("127.0.0.1", port)
	s := supervise(t, strings.Replace(fmt.Sprintf(threeApps, "drain_timeout = 1", ""), "port = 0", "port = "+port, 1))
	waitFor(t, func() bool { return attempt(addr) == nil })
	waitFor(t, func() bool { return strings.Contains(s.control("status"), "RUNNING") })
	first := s.pid()

	stop := connectAllTheTime(t, addr)
	for range 3 {
		client := testclient.Connect(t, addr, key)
		s.restart("--handover")
		client.ExpectClose(4200)
		client.Close()
	}
	t.Logf("%d attempts, each answered", stop())
	if pid := s.pid(); pid != first || first == 0 {
		t.Errorf("supervisord sees process %d, at first it was %d", pid, first)
	}

	s.restart() // ends with exit code 0, and supervisord starts it again
	waitFor(t, func() bool { pid := s.pid(); return pid != 0 && pid != first && attempt(addr) == nil })

	if out := s.control("stop", "reverb"); !strings.Contains(out, "stopped") || attempt(addr) == nil {
		t.Errorf("stop: %s", out)
	}
	log, err := os.ReadFile(filepath.Join(s.dir, "reverb.log"))
	if err != nil || strings.Contains(string(log), "second signal") {
		t.Errorf("%v\n%s", err, log)
	}
}
