package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"reverb/internal/testclient"
)

// examined is what `reverb doctor --json` prints.
type examined struct {
	Status   string
	Findings []struct {
		Check, Status, What, Why string
		Fix                      []string
		Measures                 map[string]float64
	}
}

// says returns the finding of a check as one text.
func (e examined) says(t *testing.T, check, status string) string {
	t.Helper()
	seen := ""
	for _, f := range e.Findings {
		if f.Check == check {
			seen += fmt.Sprintln(f.Status, f.What, f.Why, strings.Join(f.Fix, "\n"))
			if f.Status == status {
				return f.What + "\n" + f.Why + "\n" + strings.Join(f.Fix, "\n")
			}
		}
	}
	t.Fatalf("%s is not %s: %q", check, status, seen)
	return ""
}

// doctorEnv is a site behind host and port of loopback.
func doctorEnv(public, server string) string {
	_, port, _ := net.SplitHostPort(public)
	_, serverPort, _ := net.SplitHostPort(server)
	return "APP_URL=http://localhost\nBROADCAST_CONNECTION=reverb\nREVERB_APP_ID=123456\nREVERB_APP_KEY=doctor-key-1234567890\nREVERB_APP_SECRET=doctor-secret-1234567890\n" +
		"REVERB_HOST=127.0.0.1\nREVERB_PORT=" + port + "\nREVERB_SCHEME=http\nREVERB_SERVER_HOST=127.0.0.1\nREVERB_SERVER_PORT=" + serverPort + "\n"
}

// doctor runs `reverb doctor --json` in dir and returns report and exit code.
func doctor(t *testing.T, dir string, args ...string) (examined, int) {
	t.Helper()
	cmd := exec.Command(bin, append([]string{"doctor", "--json"}, args...)...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var e examined
	if err := json.Unmarshal(out, &e); err != nil {
		t.Fatalf("report: %v\n%s\n%s", err, out, stderr.String())
	}
	if strings.Contains(string(out), "doctor-secret") {
		t.Errorf("the secret is in\n%s", out)
	}
	return e, cmd.ProcessState.ExitCode()
}

func TestDoctor(t *testing.T) {
	addr := "127.0.0.1:" + freePort(t)
	s := testclient.Start(t, bin, testclient.Options{DotEnv: doctorEnv(addr, addr), Config: "[server]\ndrain_timeout = 0\n[[apps]]\napp_id = \"123456\"\nping_interval = 1\n"})
	report, code := doctor(t, s.Dir, "--idle")
	if code != 0 {
		t.Errorf("exit code %d: %+v", code, report)
	}
	for _, check := range []string{"config.load", "env.consistent", "server.up", "server.ready", "public.upgrade", "trip.event", "clock.public", "idle.ping"} {
		report.says(t, check, "ok")
	}
	if says := report.says(t, "files.limit", "ok"); !strings.Contains(says, fmt.Sprintf("process %d", s.PID())) {
		t.Errorf("not the limits of the running server: %s", says)
	}
	s.Stop()

	report, code = doctor(t, s.Dir)
	if code != 0 {
		t.Errorf("exit code %d with the server down: %+v", code, report)
	}
	report.says(t, "server.up", "skipped")
	report.says(t, "trip.event", "skipped")

	writeFile(t, filepath.Join(s.Dir, ".env"), []byte(strings.Replace(doctorEnv(addr, addr), "BROADCAST_CONNECTION=reverb\n", "", 1)))
	if report, code = doctor(t, s.Dir); code != 0 {
		t.Errorf("exit code %d with a warning", code)
	}
	report.says(t, "env.broadcaster", "warning")
	if _, code = doctor(t, s.Dir, "--strict"); code != 1 {
		t.Errorf("exit code %d with a warning and --strict", code)
	}
	writeFile(t, filepath.Join(s.Dir, ".env"), []byte(strings.Replace(doctorEnv(addr, addr), "=reverb\n", "=log\n", 1)))
	if _, code = doctor(t, s.Dir); code != 2 {
		t.Errorf("exit code %d with a failure", code)
	}
}

// TestDoctorOtherSecret: the server was started before the secret was changed.
func TestDoctorOtherSecret(t *testing.T) {
	addr := "127.0.0.1:" + freePort(t)
	s := testclient.Start(t, bin, testclient.Options{DotEnv: doctorEnv(addr, addr)})
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, ".env"), []byte(strings.Replace(doctorEnv(addr, addr), "doctor-secret-1", "doctor-secret-2", 1)))
	report, code := doctor(t, dir)
	if says := report.says(t, "trip.event", "failure"); code != 2 || !strings.Contains(says, "REVERB_APP_SECRET") {
		t.Errorf("exit code %d: %s", code, says)
	}
	s.Stop()
}

// TestDoctorBehindNginx: real proxies, wrong in the ways that users meet.
func TestDoctorBehindNginx(t *testing.T) {
	server := "127.0.0.1:" + freePort(t)
	s := testclient.Start(t, bin, testclient.Options{DotEnv: doctorEnv(server, server), Config: "[server]\ndrain_timeout = 0\ntrusted_proxies = [\"127.0.0.1\"]\n"})
	const upgrade = "proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"Upgrade\"; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; "
	pass := "proxy_pass http://" + server + ";"
	for _, c := range []struct {
		name      string
		locations string
		check     string
		status    string
		says      string
		args      []string
	}{
		{"right", "location / { " + upgrade + pass + " }", "trip.event", "ok", "received after", nil},
		{"client address", "location / { " + upgrade + pass + " }", "public.address", "ok", "own addresses", nil},
		{"no X-Forwarded-For", "location / { " + strings.Replace(upgrade, "X-Forwarded-For", "X-Other", 1) + pass + " }", "public.address", "warning", "trusted_proxies", nil},
		{"no Upgrade", "location / { proxy_http_version 1.1; " + pass + " }", "public.upgrade", "failure", "proxy_set_header Upgrade $http_upgrade;", nil},
		{"HTTP/1.0", "location / { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"Upgrade\"; " + pass + " }", "public.upgrade", "failure", "proxy_http_version 1.1;", nil},
		{"no location", "location / { return 404; }", "public.upgrade", "failure", "location /app", nil},
		{"no API", "location /app/ { " + upgrade + pass + " }", "trip.event", "failure", "/apps", nil},
		{"wrong port", "location / { " + upgrade + "proxy_pass http://127.0.0.1:1; }", "public.upgrade", "failure", "must pass on to " + server, nil},
		{"redirect", "location / { return 301 https://$host$request_uri; }", "public.upgrade", "failure", "REVERB_SCHEME=https", nil},
		{"impatient", "location / { " + upgrade + "proxy_read_timeout 2s; " + pass + " }", "idle.ping", "failure", "proxy_read_timeout 120s", []string{"--idle"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := startNginx(t, c.locations)
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, ".env"), []byte(doctorEnv(addr, server)))
			writeFile(t, filepath.Join(dir, "config.toml"), fmt.Appendf(nil, "[server]\ncontrol_socket = %q\n", controlOf(t, s)))
			report, code := doctor(t, dir, c.args...)
			if says := report.says(t, c.check, c.status); !strings.Contains(says, c.says) {
				t.Errorf("nothing of %q in\n%s", c.says, says)
			}
			if want := map[string]int{"ok": 0, "warning": 0, "failure": 2}[c.status]; code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
		})
	}
	s.Stop()
}

// controlOf is the control socket of a server that was started without a name for it.
func controlOf(t *testing.T, s *testclient.Server) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.Dir, "reverb-*", "*.sock"))
	if err != nil || len(found) != 1 {
		t.Fatalf("control sockets %q, %v", found, err)
	}
	return found[0]
}

// startNginx runs nginx with these locations until the end of the test.
func startNginx(t *testing.T, locations string) (addr string) {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	conf := filepath.Join(dir, "nginx.conf")
	writeFile(t, conf, fmt.Appendf(nil, `
worker_processes 1;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    server { listen 127.0.0.1:%[2]s; %[3]s }
}
`, dir, port, locations))
	cmd := exec.Command(nginx(t), "-c", conf, "-p", dir, "-e", filepath.Join(dir, "error.log"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	addr = "127.0.0.1:" + port
	waitFor(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return addr
}
