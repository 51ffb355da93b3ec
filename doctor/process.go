package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// Listener finds the process that listens on port, in Linux's /proc, and its command line as far as it can be read. A
// pid of 0 means that it was not found: it does not run, it is another user's, or this is no Linux. Of several
// processes that share the socket it is the youngest. Only ReadFile, ReadDir and Readlink of the probes are used.
func Listener(probes Probes, port int) (pid int, command string) {
	if pid = listenerPID(probes, port); pid == 0 {
		return 0, ""
	}
	const enough = 200                                                    // bytes of a command line
	text, _ := probes.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline") // unreadable: as empty
	command = strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " "))
	if len(command) > enough {
		command = strings.ToValidUTF8(command[:enough], "") + "…"
	}
	return pid, command
}

func listenerPID(probes Probes, port int) int {
	sockets := listeners(probes, port)
	if len(sockets) == 0 {
		return 0
	}
	entries, err := probes.ReadDir("/proc")
	if err != nil {
		return 0
	}
	best := 0
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry)
		if err != nil || pid <= best {
			continue
		}
		dir := "/proc/" + entry + "/fd"
		files, err := probes.ReadDir(dir)
		if err != nil {
			continue // another user's
		}
		for _, file := range files {
			if to, err := probes.Readlink(dir + "/" + file); err == nil && sockets[to] {
				best = pid
				break
			}
		}
	}
	return best
}

// listeners are the sockets that listen on port, in the form of the links in /proc/PID/fd.
func listeners(probes Probes, port int) map[string]bool {
	const listening = "0A"
	found := map[string]bool{}
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := probes.ReadFile(name)
		if err != nil {
			continue
		}
		for row := range strings.Lines(string(text)) {
			f := strings.Fields(row) // sl local remote state queues timer retransmits uid timeout inode …
			if len(f) > 9 && f[3] == listening && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				found["socket:["+f[9]+"]"] = true
			}
		}
	}
	return found
}

// proc is the folder of the server's process, or of our own when the server's is not known: what we may, it may when it
// is started as we were.
func (e machine) proc() string {
	if e.pid > 0 {
		return "/proc/" + strconv.Itoa(e.pid)
	}
	return "/proc/self"
}

// whose says about whom proc tells.
func (e machine) whose() string {
	if e.pid > 0 {
		return fmt.Sprintf("of the running server (process %d)", e.pid)
	}
	return "of this shell; the server's may differ"
}

// number is the only number in a file of /proc.
func (e machine) number(name string) (int64, bool) {
	text, err := e.probes.ReadFile(name)
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text))
	if len(fields) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	return n, err == nil
}
