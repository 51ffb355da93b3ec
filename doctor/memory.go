package doctor

import (
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// The measurements of docs/performance.md, in bytes. A connection may cost more while frames wait for a slow client,
// which total_outbox_bytes bounds.
const (
	emptyServer    = 16 << 20 // resident, without a connection
	connectionHeap = 1_200    // resident for each connection with a channel of its own, with some room
	connectionSock = 4_800    // the kernel's socket
	noCgroupLimit  = 1 << 60  // cgroup v1 writes a number near 2^63 for no limit
	tenths         = 9        // tenths of the limit that the garbage collector is told of
	kib            = 1024     // unit of /proc/meminfo
	cgroupRoot     = "/sys/fs/cgroup"
)

// memory is the part about the memory of the machine, or of its container.
type memory struct{ machine }

// check compares the limit of the container, or the machine's memory, with an estimate.
func (e memory) check() {
	const check, title = "memory.limit", "Memory"
	most, source, ok := e.limit()
	if !ok {
		e.skip(check, title, "neither a cgroup limit nor /proc/meminfo can be read")
		return
	}
	fixed := int64(emptyServer) + e.cfg.Server.Limits.TotalOutboxBytes
	room := roundDown(max(most/10*tenths-fixed, 0) / (connectionHeap + connectionSock))
	want, key := e.wanted()
	need := fixed + want*(connectionHeap+connectionSock)
	what := fmt.Sprintf("%s (%s)", size(most), source)
	estimate := fmt.Sprintf("estimated, plain connections: about %s B each, the kernel's socket included, %s for slow clients", humanize.Comma(connectionHeap+connectionSock), size(e.cfg.Server.Limits.TotalOutboxBytes))
	switch {
	case want > room:
		e.warn(check, title, fmt.Sprintf("%s; %s is %s, which may need %s (%s)", what, key, humanize.Comma(want), size(need), estimate),
			"at the limit the kernel ends the process, and all clients come back at once",
			fmt.Sprintf("config.toml: [server.limits] max_connections = %d", room),
			"config.toml: [server.limits] total_outbox_bytes, smaller",
			fmt.Sprintf("or a limit of at least %s", size(need/tenths*10)))
	case want == 0 && room < fewFiles:
		e.warn(check, title, fmt.Sprintf("%s: enough for about %s connections (%s)", what, humanize.Comma(room), estimate),
			"no max_connections keeps the number of connections below what the memory can hold",
			fmt.Sprintf("config.toml: [server.limits] max_connections = %d", max(room, 1)),
			"config.toml: [server.limits] total_outbox_bytes, smaller")
	default:
		e.ok(check, title, "%s: enough for about %s connections (%s)", what, humanize.Comma(room), estimate)
	}
}

// limit is the smallest limit that holds for the server.
func (e memory) limit() (most int64, source string, ok bool) {
	most = math.MaxInt64
	if total, found := e.meminfo("MemTotal:"); found {
		most, source = total, "the machine's memory"
	}
	for _, name := range e.cgroupFiles() {
		if n, found := e.number(name); found && n < most && n < noCgroupLimit {
			most, source = n, name
		}
	}
	return most, source, source != ""
}

// cgroupFiles are the files that may hold a limit of the process, of both versions of cgroups: those of its own group
// and of the groups around it. In a container the names of /proc are often those of the host, which are not there; the
// root is the container's then.
func (e memory) cgroupFiles() []string {
	names := []string{cgroupRoot + "/memory.max", cgroupRoot + "/memory/memory.limit_in_bytes"}
	text, err := e.probes.ReadFile(e.proc() + "/cgroup")
	if err != nil {
		return names
	}
	for row := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(row), ":", 3) // number:controllers:path
		if len(f) != 3 {
			continue
		}
		root, file := cgroupRoot, "memory.max"
		switch {
		case f[1] == "memory":
			root, file = cgroupRoot+"/memory", "memory.limit_in_bytes"
		case f[1] != "":
			continue
		}
		for group := path.Clean("/" + f[2]); group != "/"; group = path.Dir(group) {
			names = append(names, root+group+"/"+file)
		}
	}
	return names
}

// meminfo reads a row such as "MemTotal:  2048 kB".
func (e memory) meminfo(name string) (int64, bool) {
	text, err := e.probes.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for row := range strings.Lines(string(text)) {
		if f := strings.Fields(row); len(f) >= 2 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n * kib, err == nil
		}
	}
	return 0, false
}

// roundDown leaves two digits of an estimate.
func roundDown(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
