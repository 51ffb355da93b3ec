package sqltest

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"reverb/internal/testtool"
)

// Credentials of the one user and the names of the database that every server has.
const (
	User     = "site"
	Password = `it's a "p@ss" \ word`
	Name     = "shop"
)

// readyLimit is how long a server may take to start.
const readyLimit = 30 * time.Second

// Server is a database server, which ends with the test.
type Server struct {
	Host string
	Port int

	// Constant after construction.
	t       testing.TB
	dir     string
	command []string
	ready   string // what it says on stderr when it accepts connections

	// Owned by the test's goroutine.
	cmd    *exec.Cmd
	exited chan struct{}
}

// newServer makes a directory that the user of the server owns, and chooses a port.
func newServer(t testing.TB, ready string) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "sqltest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if c := credential(t); c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	s := &Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, t: t, dir: dir, ready: ready}
	t.Cleanup(s.Stop)
	return s
}

// credential is the user that servers run as, because they refuse to be root; nil: ours.
func credential(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		testtool.Missing(t, "database servers do not run as root: "+err.Error())
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// prepare is a command of the server's user, in its directory.
func (s *Server) prepare(command ...string) *exec.Cmd {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = s.dir
	// MariaDB clears its temporary files of a common folder when it starts, those of another server too.
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "TMPDIR="+s.dir, "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential(s.t), Setpgid: true}
	return cmd
}

// run waits for a command to succeed.
func (s *Server) run(command ...string) {
	s.t.Helper()
	if out, err := s.prepare(command...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", command[0], err, out)
	}
}

// write puts a file into the directory, for the server to read.
func (s *Server) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// Start starts the server, again after Stop, and returns when it accepts connections.
func (s *Server) Start() {
	s.t.Helper()
	cmd := s.prepare(s.command...)
	out, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited, ready := make(chan struct{}), make(chan string, 1)
	go func() {
		defer close(exited)
		ready <- s.await(out)
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	}()
	s.cmd, s.exited = cmd, exited
	select {
	case said := <-ready:
		if said != "" {
			s.t.Fatalf("%s ended:\n%s", s.command[0], said)
		}
	case <-time.After(readyLimit):
		s.t.Fatalf("%s is not ready after %v", s.command[0], readyLimit)
	}
}

// await reads until the server is ready and returns "", or until it ends and returns what it said.
func (s *Server) await(out io.Reader) string {
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), s.ready) {
			return ""
		}
		said.WriteString(lines.Text() + "\n")
	}
	return said.String() + "(end)"
}

// Stop kills the server: connections break, what was committed stays.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.exited
	s.cmd = nil
}
