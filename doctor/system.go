package doctor

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

const (
	// spareFiles are the descriptors that a server needs beside its connections: listeners, event loops, Redis, logs,
	// files.
	spareFiles = 200
	// fewFiles is the limit below which `reverb start` warns too.
	fewFiles = 10_000
	// smallQueue is the length of a queue of new connections below which a wave of reconnecting clients overflows it.
	smallQueue = 1024
)

// machine is the part about the limits of the system.
type machine struct{ *examination }

// check looks at what the kernel allows.
func (e machine) check() {
	e.checkFileLimit()
	e.checkAllFiles()
	e.checkPorts()
	e.checkQueue("kernel.somaxconn", "Accept queue", "net.core.somaxconn",
		"clients that come back all at once, after a restart, overflow the queue, and are refused or wait for seconds")
	e.checkQueue("kernel.syn_backlog", "Handshake queue", "net.ipv4.tcp_max_syn_backlog",
		"a wave of new connections looks like an attack to the kernel, which then drops some of them or falls back to SYN cookies")
}

// wanted is how many connections the configuration lets in: the node's limit, else the sum of the apps'. 0 means no
// limit.
func (e machine) wanted() (connections int64, key string) {
	if n := e.cfg.Server.Limits.MaxConnections; n > 0 {
		return int64(n), "server.limits.max_connections"
	}
	for _, app := range e.cfg.Apps {
		if app.Enabled && app.MaxConnections == 0 {
			return 0, ""
		}
		if app.Enabled {
			connections += int64(app.MaxConnections)
		}
	}
	return connections, "max_connections of the applications"
}

// checkFileLimit compares the limit of the process with the connections that the configuration lets in.
func (e machine) checkFileLimit() {
	const check, title = "files.limit", "Open files of the process"
	soft, hard, ok := e.fileLimits()
	if !ok {
		e.skip(check, title, "%s/limits cannot be read: it is another user's, or this is no Linux", e.proc())
		return
	}
	// The server raises the soft limit to the hard one when it starts, so that the hard one counts.
	room := max(hard-spareFiles, 0)
	if e.pid > 0 {
		room = max(soft-spareFiles, 0)
	}
	what := fmt.Sprintf("soft %s, hard %s, %s", limit(soft), limit(hard), e.whose())
	want, key := e.wanted()
	fix := limitFixes(max(want+spareFiles, 65_536))
	switch {
	case want > room:
		e.fail(check, title, fmt.Sprintf("%s: room for %d connections, but %s is %d", what, room, key, want),
			"each connection takes one open file; beyond the limit nobody is let in any more", fix...)
	case want == 0 && hard < fewFiles:
		e.warn(check, title, what+fmt.Sprintf(": room for %d connections", room),
			"each connection takes one open file, and no max_connections keeps the number below the limit", fix...)
	default:
		e.ok(check, title, "%s", what)
	}
}

func limitFixes(n int64) []string {
	return []string{
		fmt.Sprintf("systemd: LimitNOFILE=%d in [Service]", n),
		fmt.Sprintf("Supervisor: minfds=%d in [supervisord]", n),
		fmt.Sprintf("Docker: --ulimit nofile=%d:%d", n, n),
		fmt.Sprintf("shell: ulimit -n %d", n),
	}
}

// fileLimits reads the row "Max open files  soft  hard  files" of /proc/PID/limits.
func (e machine) fileLimits() (soft, hard int64, ok bool) {
	text, err := e.probes.ReadFile(e.proc() + "/limits")
	if err != nil {
		return 0, 0, false
	}
	for row := range strings.Lines(string(text)) {
		rest, found := strings.CutPrefix(row, "Max open files")
		f := strings.Fields(rest)
		if found && len(f) >= 2 {
			soft, okSoft := parseLimit(f[0])
			hard, okHard := parseLimit(f[1])
			return soft, hard, okSoft && okHard
		}
	}
	return 0, 0, false
}

func parseLimit(s string) (int64, bool) {
	if s == "unlimited" {
		return math.MaxInt64, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func limit(n int64) string {
	if n == math.MaxInt64 {
		return "unlimited"
	}
	return humanize.Comma(n)
}

// checkAllFiles looks at the limits of the whole machine.
func (e machine) checkAllFiles() {
	const check, title = "files.system", "Open files of the machine"
	most, ok := e.number("/proc/sys/fs/file-max")
	if !ok {
		e.skip(check, title, "/proc/sys/fs/file-max cannot be read: this is no Linux, or a locked container")
		return
	}
	used, _ := e.number("/proc/sys/fs/file-nr")
	each, _ := e.number("/proc/sys/fs/nr_open")
	what := fmt.Sprintf("fs.file-max %s with %s in use, fs.nr_open %s", limit(most), humanize.Comma(used), humanize.Comma(each))
	want, key := e.wanted()
	switch need := max(want, fewFiles) + spareFiles; {
	case most-used < need:
		e.fail(check, title, what, fmt.Sprintf("all programs of the machine share them; this server needs %d", need),
			fmt.Sprintf("sysctl -w fs.file-max=%d # and in /etc/sysctl.d/", used+2*need))
	case each > 0 && each < want+spareFiles:
		e.fail(check, title, what, fmt.Sprintf("no process may have more than fs.nr_open, whatever its limits are, and %s is %d", key, want),
			fmt.Sprintf("sysctl -w fs.nr_open=%d # and in /etc/sysctl.d/", want+spareFiles))
	default:
		e.ok(check, title, "%s", what)
	}
}

// checkPorts looks at the range of ports of outgoing connections: a proxy on the same machine takes one for each
// client, and our own port should not be among them.
func (e machine) checkPorts() {
	const check, title = "ports.range", "Local ports"
	text, err := e.probes.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	var low, high int
	if err == nil {
		_, err = fmt.Sscan(string(text), &low, &high)
	}
	if err != nil {
		e.skip(check, title, "net.ipv4.ip_local_port_range cannot be read")
		return
	}
	what := fmt.Sprintf("%d to %d: %s ports", low, high, humanize.Comma(int64(high-low+1)))
	port := e.cfg.Server.Port
	reserved, _ := e.probes.ReadFile("/proc/sys/net/ipv4/ip_local_reserved_ports")
	switch want, key := e.wanted(); {
	case port >= low && port <= high && !inPorts(string(reserved), port):
		e.warn(check, title, fmt.Sprintf("%s; the server's own port %d is one of them", what, port),
			"an outgoing connection of any program may hold the port at the moment of a restart, which then fails with EADDRINUSE",
			fmt.Sprintf("sysctl -w net.ipv4.ip_local_reserved_ports=%d # and in /etc/sysctl.d/", port))
	case want > int64(high-low+1) && e.behindLocalProxy():
		e.warn(check, title, fmt.Sprintf("%s, but %s is %d", what, key, want),
			"a proxy on this machine takes one port for each client that it passes on to one address of the server",
			"sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\" # and in /etc/sysctl.d/; reserve the port of the server then",
			fmt.Sprintf("Nginx: further addresses in the upstream, such as server 127.0.0.2:%d", port))
	default:
		e.ok(check, title, "%s", what)
	}
}

// behindLocalProxy says whether clients seem to come through a proxy on this machine.
func (e machine) behindLocalProxy() bool {
	return e.public.host == "" || e.public.port != e.local.port
}

// inPorts reads a list such as "8080,9000-9010".
func inPorts(list string, port int) bool {
	for item := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		first, last, ranged := strings.Cut(item, "-")
		low, err := strconv.Atoi(first)
		high := low
		if err == nil && ranged {
			high, err = strconv.Atoi(last)
		}
		if err == nil && low <= port && port <= high {
			return true
		}
	}
	return false
}

func (e machine) checkQueue(check, title, name, why string) {
	n, ok := e.number("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	switch {
	case !ok:
		e.skip(check, title, "%s cannot be read", name)
	case n < smallQueue:
		e.warn(check, title, fmt.Sprintf("%s is %d", name, n), why, "sysctl -w "+name+"=4096 # and in /etc/sysctl.d/; then restart the server")
	default:
		e.ok(check, title, "%s is %d", name, n)
	}
}
