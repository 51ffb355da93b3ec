package doctor_test

import (
	"errors"
	"maps"
	"strings"
	"syscall"
	"testing"

	"reverb/doctor"
)

const econnrefused = syscall.ECONNREFUSED

func TestSystem(t *testing.T) {
	const most = "[server.limits]\nmax_connections = "
	for _, c := range []struct {
		name   string
		config string
		files  map[string]string // over those of machine; "-" takes one away
		check  string
		status doctor.Status
		says   string
	}{
		{"fine", "", nil, "files.limit", doctor.OK, "hard 200,000"},
		{"hard limit below max_connections", most + "500000", nil, "files.limit", doctor.Failure, "LimitNOFILE=500200"},
		{"hard limit small and no max_connections", "", map[string]string{"/proc/self/limits": "Max open files 1024 4096 files\n"}, "files.limit", doctor.Warning, "3896"},
		{"small but enough", most + "1000", map[string]string{"/proc/self/limits": "Max open files 1024 4096 files\n"}, "files.limit", doctor.OK, ""},
		{"unlimited", "", map[string]string{"/proc/self/limits": "Max open files " + strings.Repeat("unlimited ", 2) + "files\n"}, "files.limit", doctor.OK, "unlimited"},
		{"no limits", "", map[string]string{"/proc/self/limits": "-"}, "files.limit", doctor.Skipped, "cannot be read"},
		{"strange limits", "", map[string]string{"/proc/self/limits": "Max open files\n"}, "files.limit", doctor.Skipped, ""},

		{"file-max", "", map[string]string{"/proc/sys/fs/file-max": "5000\n"}, "files.system", doctor.Failure, "fs.file-max="},
		{"nr_open", most + "2000000", nil, "files.system", doctor.Failure, "fs.nr_open=2000200"},
		{"no file-max", "", map[string]string{"/proc/sys/fs/file-max": "-"}, "files.system", doctor.Skipped, ""},

		{"ports", "", nil, "ports.range", doctor.OK, "28,232 ports"},
		{"few ports", most + "50000", nil, "ports.range", doctor.Warning, "127.0.0.2:8080"},
		{"own port in the range", "", map[string]string{"/proc/sys/net/ipv4/ip_local_port_range": "1024 65535"}, "ports.range", doctor.Warning, "ip_local_reserved_ports=8080"},
		{"own port reserved", "", map[string]string{"/proc/sys/net/ipv4/ip_local_port_range": "1024 65535", "/proc/sys/net/ipv4/ip_local_reserved_ports": "22,8000-8100\n"}, "ports.range", doctor.OK, ""},
		{"no range", "", map[string]string{"/proc/sys/net/ipv4/ip_local_port_range": "x"}, "ports.range", doctor.Skipped, ""},

		{"somaxconn", "", map[string]string{"/proc/sys/net/core/somaxconn": "128\n"}, "kernel.somaxconn", doctor.Warning, "net.core.somaxconn=4096"},
		{"syn backlog", "", map[string]string{"/proc/sys/net/ipv4/tcp_max_syn_backlog": "256\n"}, "kernel.syn_backlog", doctor.Warning, ""},

		{"memory", "", nil, "memory.limit", doctor.OK, "estimated"},
		{"cgroup 2", most + "100000", map[string]string{"/sys/fs/cgroup/system.slice/reverb.service/memory.max": "536870912\n"}, "memory.limit", doctor.Warning, "512 MiB"},
		{"cgroup 2, group around", most + "100000", map[string]string{"/sys/fs/cgroup/system.slice/memory.max": "536870912\n"}, "memory.limit", doctor.Warning, "512 MiB"},
		{"cgroup 1", most + "100000", map[string]string{"/proc/self/cgroup": "4:memory:/a/b\n", "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "536870912\n"}, "memory.limit", doctor.Warning, "512 MiB"},
		{"container", "", map[string]string{"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "300000000"}, "memory.limit", doctor.Warning, "max_connections ="},
		{"no memory", "", map[string]string{"/proc/meminfo": "-"}, "memory.limit", doctor.Skipped, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := machine()
			maps.Copy(files, c.files)
			maps.DeleteFunc(files, func(_, text string) bool { return text == "-" })
			o := options(t, site, c.config)
			o.Probes = probes(files)
			expect(t, run(t, o), c.check, c.status, c.says)
		})
	}
}

// A configuration that cannot be used is a finding for each of its lines; the system is examined all the same.
func TestUnusableConfiguration(t *testing.T) {
	o := options(t, site, "[server]\nport = 99999\nhots = 1\n")
	r := run(t, o)
	expect(t, r, "config.load", doctor.Failure, "want a whole number")
	expect(t, r, "files.limit", doctor.OK, "")
	expect(t, r, "trip.event", doctor.Skipped, "no application")
	if r.Status != doctor.Failure || r.Failures < 2 {
		t.Errorf("report %s with %d failures", r.Status, r.Failures)
	}
	o = options(t, "A=1\n", "")
	expect(t, run(t, o), "config.load", doctor.Failure, "reverb install")
	if o.ConfigError == nil || errors.Unwrap(o.ConfigError) == nil && !strings.Contains(o.ConfigError.Error(), "install") {
		t.Error(o.ConfigError)
	}
	twins := "[[apps]]\napp_id = \"1\"\nkey = \"abcdefgh\"\nsecret = \"0123456789abcdef\"\n[[apps]]\napp_id = \"2\"\nkey = \"abcdefgh\"\nsecret = \"0123456789abcdeg\"\n"
	expect(t, run(t, options(t, "", twins)), "config.load", doctor.Failure, "want another than apps[0] has")
}
