package testclient

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startTimeout bounds the wait for the banner, stopTimeout the wait for the exit after a signal.
const (
	startTimeout = 20 * time.Second
	stopTimeout  = 30 * time.Second
)

// Server is one running `reverb start`.
type Server struct {
	Addr string // host:port as the banner says it
	Dir  string // its working directory: config.toml, .env

	t   testing.TB
	cmd *exec.Cmd

	mu     sync.Mutex
	output strings.Builder // stdout and stderr, for failures

	exited chan struct{}
	err    error // of Wait; read after exited
}

var banner = regexp.MustCompile(`INFO  Starting (?:secure )?server on ([^ ]+:\d+)`)

// Options of Start.
type Options struct {
	Config string   // text of config.toml; none is written when empty
	DotEnv string   // text of .env; none is written when empty
	Env    []string // of the process, beside PATH, HOME and TMPDIR
	Args   []string // after `start`
	Dir    string   // working directory; a new temporary one when empty
}

// Start runs the program at bin and returns when it accepts connections. It is stopped at the end of the test.
func Start(t testing.TB, bin string, o Options) *Server {
	t.Helper()
	s := Launch(t, bin, o)
	lines := s.wait()
	select {
	case addr := <-lines:
		s.Addr = strings.TrimSuffix(addr, ".")
	case <-s.exited:
		t.Fatalf("server ended before it listened: %v\n%s", s.err, s.Output())
	case <-time.After(startTimeout):
		t.Fatalf("no banner within %v\n%s", startTimeout, s.Output())
	}
	return s
}

// Launch prepares and starts the program without waiting for its banner.
func Launch(t testing.TB, bin string, o Options) *Server {
	t.Helper()
	dir := o.Dir
	if dir == "" {
		dir = t.TempDir()
	}
	write(t, filepath.Join(dir, "config.toml"), o.Config)
	write(t, filepath.Join(dir, ".env"), o.DotEnv)
	cmd := exec.Command(bin, append([]string{"start"}, o.Args...)...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}, o.Env...)
	s := &Server{Dir: dir, t: t, cmd: cmd, exited: make(chan struct{})}
	t.Cleanup(s.Kill)
	return s
}

// Begin starts a process that was prepared, for a test that does not wait for its banner.
func (s *Server) Begin() { s.wait() }

// wait starts the process, keeps what it prints, and sends the address of the banner.
func (s *Server) wait() <-chan string {
	addr := make(chan string, 1)
	r, w, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr = w, w
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	_ = w.Close()
	go func() {
		in := bufio.NewScanner(r)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			s.mu.Lock()
			s.output.WriteString(in.Text() + "\n")
			s.mu.Unlock()
			if m := banner.FindStringSubmatch(in.Text()); m != nil {
				select {
				case addr <- m[1]:
				default:
				}
			}
		}
		s.err = s.cmd.Wait()
		_ = r.Close()
		close(s.exited)
	}()
	return addr
}

func write(t testing.TB, name, text string) {
	t.Helper()
	if text == "" {
		return
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Run starts the program, waits for its end and returns exit code and output; for starts that must fail.
func (s *Server) Run() (int, string) {
	s.t.Helper()
	s.wait()
	return s.ExitCode(), s.Output()
}

// Output is what the program has printed so far.
func (s *Server) Output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.String()
}

// PID of the running server.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Signal sends sig.
func (s *Server) Signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// ExitCode waits for the end of the process.
func (s *Server) ExitCode() int {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(stopTimeout):
		s.Kill()
		s.t.Fatalf("still running after %v\n%s", stopTimeout, s.Output())
	}
	return s.cmd.ProcessState.ExitCode()
}

// Stop sends SIGTERM and demands a clean end.
func (s *Server) Stop() {
	s.t.Helper()
	s.Signal(syscall.SIGTERM)
	if code := s.ExitCode(); code != 0 {
		s.t.Fatalf("exit code %d after SIGTERM\n%s", code, s.Output())
	}
}

// Kill ends the process the hard way; harmless when it has ended.
func (s *Server) Kill() {
	if s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// WithProgram compiles the program into a folder that goes with it again, and returns what run says; 1 when it cannot be compiled. It is
// for a TestMain. REVERB_TEST_PROGRAM names a program to be tested in its place, as one of an older version.
func WithProgram(run func(dir, program string) int) int {
	dir, err := os.MkdirTemp("", "reverb-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program, err := os.Getenv("REVERB_TEST_PROGRAM"), error(nil)
	if program == "" {
		program, err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run(dir, program)
}

// build compiles the program into dir and returns its path.
func build(dir string) (string, error) {
	bin := filepath.Join(dir, "reverb")
	out, err := exec.Command("go", "build", "-o", bin, "reverb/cmd/reverb").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build reverb: %w\n%s", err, out)
	}
	return bin, nil
}
