package poller_test

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"reverb/poller"
	"reverb/transport"
)

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  poller.Config
		told string
	}{
		{"max_connections", poller.Config{MaxConnections: 2}, "max_connections=2 hint="},
		{"per_address", poller.Config{MaxPerAddress: 2}, "max_connections_per_address=2 hint="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transports(t, func(t *testing.T, secure bool) {
				h, log := newHandler(), new(lines)
				tt.cfg.Log = slog.New(slog.NewTextHandler(log, nil))
				s := start(t, tt.cfg, h, secure)
				first := s.open(t)
				s.open(t)
				s.dial(t).expectCut()
				if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "from=127.0.0.1:") || !strings.Contains(text, tt.told) {
					t.Errorf("log: %s", text)
				}
				if got := s.Stats().Refused[tt.name]; got != 1 {
					t.Errorf("counted %d, want 1", got)
				}
				first.Close()
				h.next(t).expectClosed(t, transport.ReasonHangup)
				eventually(t, "room again", func() bool { return s.Stats().Sockets == 1 })
				s.open(t)
			})
		})
	}
}

// lines is a log that the loops write and a test reads.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Idle connections cost no goroutines.
func TestGoroutinesAreConstant(t *testing.T) {
	h := newHandler()
	h.message = echo
	s := start(t, poller.Config{}, h, false)
	s.open(t)
	before := runtime.NumGoroutine()
	clients := make([]*client, 500)
	for i := range clients {
		clients[i] = s.open(t)
	}
	for _, c := range clients {
		c.send("x")
		c.expect(ws.OpText, "x")
	}
	if after := runtime.NumGoroutine(); after > before+10 {
		t.Errorf("%d goroutines, %d before 500 connections", after, before)
	}
	if n := s.Stats().Connections; n != 501 {
		t.Errorf("%d connections counted, want 501", n)
	}
}

// Without descriptors a client is told at once, the loop does not spin, and later clients are served again.
func TestNoDescriptors(t *testing.T) {
	h := newHandler()
	s := start(t, poller.Config{}, h, false)
	s.open(t)
	waiting, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	eventually(t, "accepted", func() bool { return s.Stats().Sockets == 2 })

	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	low := limit
	highest := highestDescriptor(t) + 1
	setLimit(&low.Cur, highest)
	fillers := fill(t, highest)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	port := uint16(0)
	if addr, err := net.ResolveTCPAddr("tcp", s.addr); err == nil {
		port = uint16(addr.Port)
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}})
	n, readErr := unix.Read(fd, make([]byte, 1))
	restoreErr := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	for _, f := range fillers {
		_ = unix.Close(f)
	}
	if err != nil || restoreErr != nil {
		t.Fatal(err, restoreErr)
	}
	if n > 0 {
		t.Errorf("read %d bytes, %v, want the end", n, readErr)
	}
	if got := s.Stats().Refused["emfile"]; got == 0 || got > 5 {
		t.Errorf("counted %d, want a few", got)
	}
	s.open(t)
}

// setLimit knows both types that systems have for it.
func setLimit[T int64 | uint64](limit *T, n int) { *limit = T(n) }

func highestDescriptor(t *testing.T) int {
	t.Helper()
	entries, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) + 64
}

// fill takes all descriptors below limit.
func fill(t *testing.T, limit int) []int {
	t.Helper()
	var fds []int
	for {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if fds = append(fds, fd); fd >= limit {
			return fds
		}
	}
}
