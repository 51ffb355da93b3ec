package cluster_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"reverb/internal/redistest"
)

const processAddr = "CLUSTER_NODE_REDIS"

// TestNodeProcess is a node in a process of its own, for tests that stop it: it is nothing without processAddr. It joins the users that it
// reads, one a line, and answers each with its roster, until its input ends.
func TestNodeProcess(t *testing.T) {
	addr := os.Getenv(processAddr)
	if addr == "" {
		return
	}
	n := startNodeWith(t, nil, hasty(addr))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if user := lines.Text(); user != "" {
			n.join(channel, user)
		}
		fmt.Println("roster:", n.roster(channel))
	}
}

// process is a node that can be stopped.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

func startProcess(t *testing.T, redis *redistest.Server) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestNodeProcess$", "-test.v")
	cmd.Env = append(os.Environ(), processAddr+"="+redis.Addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &process{t, cmd, in, bufio.NewScanner(out)}
}

// join joins a user, or none, and returns the roster.
func (p *process) join(user string) string {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, user); err != nil {
		p.t.Fatal(err)
	}
	for p.lines.Scan() {
		if roster, ok := strings.CutPrefix(p.lines.Text(), "roster: "); ok {
			return roster
		}
	}
	p.t.Fatalf("the process has ended: %v", p.lines.Err())
	return ""
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func TestProcessIsStoppedForLongerThanItsLease(t *testing.T) {
	redis := redistest.Start(t)
	watcher, p := startNode(t, redis), startProcess(t, redis)
	watcher.join(channel, "w")
	p.join("u1")
	p.join("w")
	hears(t, "+w +u1", watcher)

	p.signal(syscall.SIGSTOP)
	hears(t, "+w +u1 -u1", watcher)
	watcher.join(channel, "x")
	p.signal(syscall.SIGCONT)
	hears(t, "+w +u1 -u1 +x +u1", watcher)
	eventually(t, "roster of the process", func() string {
		if got := p.join(""); len(strings.Fields(got)) != 3 {
			return got
		}
		return ""
	})
	watcher.leave(channel, "w")
	watcher.leave(channel, "x")
	eventually(t, "who has left", func() string {
		if got := p.join(""); len(strings.Fields(got)) != 2 {
			return got
		}
		return ""
	})
	p.signal(syscall.SIGKILL)
	watcher.join(channel, "y")
	sees(t, "y", watcher)
	watcher.leave(channel, "y")
	emptied(t, redis)
}

func TestProcessIsStoppedForLessThanItsLease(t *testing.T) {
	redis := redistest.Start(t)
	watcher, p := startNode(t, redis), startProcess(t, redis)
	watcher.join(channel, "w")
	p.join("u1")
	p.signal(syscall.SIGSTOP)
	watcher.join(channel, "x")
	p.signal(syscall.SIGCONT)
	if got := p.join("u2"); got != "w u1 x u2" {
		t.Errorf("roster %q", got)
	}
	hears(t, "+w +u1 +x +u2", watcher)
	p.signal(syscall.SIGKILL)
	sees(t, "w x", watcher)
}
