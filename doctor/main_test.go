package doctor_test

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"reverb/config"
	"reverb/doctor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	appKey    = "278d425bdf160c739803"
	appSecret = "7ad3773142a6692b25b8"
)

// site is a .env without a fault.
const site = `APP_URL=https://shop.test
APP_ENV=production
BROADCAST_CONNECTION=reverb
REVERB_APP_ID=1
REVERB_APP_KEY=` + appKey + `
REVERB_APP_SECRET=` + appSecret + `
REVERB_HOST=ws.shop.test
REVERB_PORT=443
REVERB_SCHEME=https
VITE_REVERB_APP_KEY="${REVERB_APP_KEY}"
VITE_REVERB_HOST="${REVERB_HOST}"
VITE_REVERB_PORT="${REVERB_PORT}"
VITE_REVERB_SCHEME="${REVERB_SCHEME}"
`

// machine is a world without a network in which all files of /proc are those of a healthy machine.
func machine() map[string]string {
	return map[string]string{
		"/proc/self/limits":                                     "Limit  Soft  Hard  Units\nMax open files            1024                 200000               files     \n",
		"/proc/sys/fs/file-max":                                 "9223372036854775807\n",
		"/proc/sys/fs/file-nr":                                  "2000\t0\t9223372036854775807\n",
		"/proc/sys/fs/nr_open":                                  "1048576\n",
		"/proc/sys/net/ipv4/ip_local_port_range":                "32768\t60999\n",
		"/proc/sys/net/ipv4/ip_local_reserved_ports":            "\n",
		"/proc/sys/net/core/somaxconn":                          "4096\n",
		"/proc/sys/net/ipv4/tcp_max_syn_backlog":                "4096\n",
		"/proc/meminfo":                                         "MemTotal:        8000000 kB\nMemFree: 1 kB\n",
		"/proc/self/cgroup":                                     "0::/system.slice/reverb.service\n",
		"/sys/fs/cgroup/system.slice/reverb.service/memory.max": "max\n",
	}
}

// probes look at files, and at a network where everything refuses.
func probes(files map[string]string) doctor.Probes {
	p := doctor.System()
	p.ReadFile = func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}
	p.ReadDir = func(string) ([]string, error) { return nil, fs.ErrNotExist }
	p.Readlink = func(string) (string, error) { return "", fs.ErrNotExist }
	p.Dial = func(context.Context, *net.TCPAddr, string) (net.Conn, error) { return nil, errRefused }
	return p
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", econnrefused)}

// options are those of a site with this .env and config.toml.
func options(t *testing.T, env, file string) doctor.Options {
	t.Helper()
	dir := t.TempDir()
	source := config.Source{File: filepath.Join(dir, "config.toml"), EnvFile: filepath.Join(dir, ".env")}
	for name, text := range map[string]string{source.File: file, source.EnvFile: env} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := doctor.Options{Probes: probes(machine())}
	o.Config, o.ConfigError = config.Load(source)
	o.Variables, o.VariablesError = config.Variables(source)
	if o.Config != nil {
		o.CertFile, o.KeyFile = o.Config.Server.TLS.Cert, o.Config.Server.TLS.Key
	}
	return o
}

// run examines, and fails the test when a secret is in the report.
func run(t *testing.T, o doctor.Options) doctor.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := doctor.Run(ctx, o)
	for _, f := range r.Findings {
		if all := f.What + f.Why + strings.Join(f.Fix, " "); strings.Contains(all, appSecret) {
			t.Errorf("the secret is in %+v", f)
		}
		if (f.Status == doctor.Warning || f.Status == doctor.Failure) && (f.Why == "" || len(f.Fix) == 0) {
			t.Errorf("%s has no reason or no line to change: %+v", f.Check, f)
		}
	}
	return r
}

// find returns the worst finding of a check.
func find(t *testing.T, r doctor.Report, check string) doctor.Finding {
	t.Helper()
	rank := map[doctor.Status]int{"": 0, doctor.Skipped: 1, doctor.OK: 2, doctor.Warning: 3, doctor.Failure: 4}
	worst := doctor.Finding{}
	for _, f := range r.Findings {
		if f.Check == check && rank[f.Status] > rank[worst.Status] {
			worst = f
		}
	}
	return worst
}

// expect compares a finding with the status, and what it says with a text.
func expect(t *testing.T, r doctor.Report, check string, status doctor.Status, says string) {
	t.Helper()
	f := find(t, r, check)
	if f.Status != status {
		t.Fatalf("%s is %q, want %q: %+v", check, f.Status, status, f)
	}
	if all := f.What + "\n" + f.Why + "\n" + strings.Join(f.Fix, "\n"); !strings.Contains(all, says) {
		t.Errorf("%s says nothing of %q:\n%s", check, says, all)
	}
}
