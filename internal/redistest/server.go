package redistest

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"reverb/internal/testtool"
)

// Server is a redis-server on a free port of loopback, without persistence: it starts empty each time.
type Server struct {
	// Addr is host:port, the same after Restart.
	Addr string

	t        testing.TB
	dir      string
	args     []string
	password string
	cmd      *exec.Cmd
	exited   chan struct{}
}

// Start starts a server, which ends with the test. args are further arguments, as --requirepass x; with --tls-port it listens there too.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := prepare(t, "redis-server", args...)
	s.Restart()
	return s
}

// prepare chooses the port of a server.
func prepare(t testing.TB, program string, args ...string) *Server {
	t.Helper()
	testtool.Find(t, program)
	s := &Server{t: t, dir: t.TempDir(), args: args, Addr: freeAddr(t)}
	for i, a := range args {
		if a == "--requirepass" {
			s.password = args[i+1]
		}
	}
	t.Cleanup(s.Kill)
	return s
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// FreePort is a port of loopback that nobody listens on.
func FreePort(t testing.TB) string {
	_, port, _ := net.SplitHostPort(freeAddr(t))
	return port
}

// Port is that of Addr.
func (s *Server) Port() string {
	_, port, _ := net.SplitHostPort(s.Addr)
	return port
}

// Restart starts the server, after Stop or Kill, or ends and starts it: it is empty.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	args := append([]string{"--port", s.Port(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir}, s.args...)
	s.launch("redis-server", args...)
	s.await("PONG", "PING")
}

// launch starts the process.
func (s *Server) launch(program string, args ...string) {
	s.t.Helper()
	out, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	s.cmd = exec.Command(program, args...)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait()
		close(exited)
	}(s.cmd)
}

// await waits until the command is answered with want.
func (s *Server) await(want string, command ...string) {
	s.t.Helper()
	var got any
	if !Eventually(10*time.Second, func() bool {
		got = s.Do(command...)
		text, ok := got.(string)
		return ok && strings.Contains(text, want)
	}) {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.t.Fatalf("redis %v: got %v, want %q\n%s", command, got, want, log)
	}
}

// Eventually asks every few milliseconds until ok, and says whether it was in time.
func Eventually(limit time.Duration, ok func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return ok()
		}
	}
	return true
}

// Stop ends the server as SIGTERM does.
func (s *Server) Stop() { s.signal(syscall.SIGTERM) }

// Kill ends the server as SIGKILL does.
func (s *Server) Kill() { s.signal(syscall.SIGKILL) }

func (s *Server) signal(sig syscall.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	select {
	case <-s.exited:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	s.cmd = nil
}

// Pause stops the process (SIGSTOP) until Resume: it keeps its connections and answers nothing.
func (s *Server) Pause() { s.freeze(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (s *Server) Resume() { s.freeze(syscall.SIGCONT) }

func (s *Server) freeze(sig syscall.Signal) {
	s.t.Helper()
	if s.cmd == nil {
		s.t.Fatal("the server does not run")
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatal(err)
	}
}

// must executes a command that must not fail.
func (s *Server) must(args ...string) any {
	s.t.Helper()
	reply := s.Do(args...)
	if err, failed := reply.(error); failed {
		s.t.Fatalf("redis %v: %v", args, err)
	}
	return reply
}

// Subscribers is how many connections are subscribed to the channel, also to a sharded one.
func (s *Server) Subscribers(channel string) int {
	n := int64(0)
	for _, of := range []string{"NUMSUB", "SHARDNUMSUB"} {
		if reply, ok := s.Do("PUBSUB", of, channel).([]any); ok && len(reply) == 2 {
			count, _ := reply[1].(int64)
			n += count
		}
	}
	return int(n)
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
