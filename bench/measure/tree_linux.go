package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxTree  = 1024                 // processes of a server that are looked at
	userHz   = 100                  // ticks a second of the times in /proc, the same on every Linux Go runs on
	statHead = 3                    // the fields of stat before the first one parsed here are pid, name and state
	tick     = time.Second / userHz // of user, system and reaped children's time
)

// tree is a process and its children, by pid.
type tree struct {
	pid     int
	command string
}

func newTree(pid int) (*tree, error) {
	line, err := os.ReadFile(proc(pid, "cmdline"))
	if err != nil {
		return nil, fmt.Errorf("find process %d: %w", pid, err)
	}
	return &tree{pid: pid, command: command(line)}, nil
}

func (t *tree) name() string { return t.command }

func (t *tree) read(_ context.Context, exact bool) (Usage, error) {
	sum, err := usageOf(t.pid, exact)
	if err != nil {
		return Usage{}, fmt.Errorf("read process %d: %w", t.pid, err)
	}
	todo := children(t.pid)
	for seen := 1; len(todo) > 0 && seen < maxTree; seen++ {
		pid := todo[0]
		todo = append(todo[1:], children(pid)...)
		u, err := usageOf(pid, exact)
		if err != nil {
			continue // ended just now: its parent tells its time from here on
		}
		sum.RSS += u.RSS
		sum.CPU += u.CPU
		sum.User += u.User
		sum.System += u.System
		sum.Threads += u.Threads
		sum.FDs += u.FDs
	}
	return sum, nil
}

// usageOf is what one process used, with its children that have ended.
func usageOf(pid int, exact bool) (Usage, error) {
	line, err := os.ReadFile(proc(pid, "stat"))
	if err != nil {
		return Usage{}, err
	}
	u, ended, err := parseStat(line)
	if err != nil {
		return Usage{}, err
	}
	if own, err := cpuClock(pid); err == nil {
		u.CPU = own + ended // to the nanosecond, where stat knows hundredths of a second
	}
	u.FDs = openFiles(pid, exact)
	if exact {
		if rss := exactRSS(pid); rss > 0 {
			u.RSS = rss
		}
	}
	return u, nil
}

// parseStat reads /proc/<pid>/stat, see proc_pid_stat(5). ended is the time of children that have been waited for; it is in CPU too.
func parseStat(line []byte) (u Usage, ended time.Duration, err error) {
	// The name is in brackets and may hold anything, also brackets.
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return Usage{}, 0, errors.New("read stat: no name")
	}
	fields := strings.Fields(string(line[end+1:]))
	if len(fields) < 24-statHead+1 {
		return Usage{}, 0, fmt.Errorf("read stat: only %d fields", len(fields))
	}
	field := func(number int) int64 { // as numbered in the manual
		n, parseErr := strconv.ParseInt(fields[number-statHead], 10, 64)
		if parseErr != nil && err == nil {
			err = fmt.Errorf("read stat: field %d: %w", number, parseErr)
		}
		return n
	}
	ended = time.Duration(field(16)+field(17)) * tick
	u.User = time.Duration(field(14)+field(16)) * tick
	u.System = time.Duration(field(15)+field(17)) * tick
	u.CPU = u.User + u.System
	u.Threads = int(field(20))
	u.RSS = field(24) * int64(os.Getpagesize())
	return u, ended, err
}

// cpuClock reads another process's CPU clock: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED), as clock_getcpuclockid(3) does.
func cpuClock(pid int) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}

// exactRSS adds up the pages of all mappings; 0 if that may not be read.
func exactRSS(pid int) int64 {
	text, err := os.ReadFile(proc(pid, "smaps_rollup"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Rss:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}

// openFiles is the number of open files, 0 if that may not be read. Since Linux 6.2 the folder's size tells it; before, they have
// to be listed, which with many connections takes long and is done for an exact sample only.
func openFiles(pid int, list bool) int {
	info, err := os.Stat(proc(pid, "fd"))
	if err != nil {
		return 0
	}
	if info.Size() > 0 || !list {
		return int(info.Size())
	}
	dir, err := os.Open(proc(pid, "fd"))
	if err != nil {
		return 0
	}
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(-1)
	return len(names)
}

// children are the living children of a process: each thread knows those that it started.
func children(pid int) (pids []int) {
	lists, _ := filepath.Glob(proc(pid, "task/*/children")) // the pattern is well formed
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

func proc(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }
