package handover_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"reverb/node/handover"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ends are two connected Unix sockets.
func ends(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var both [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "end")
		conn, err := net.FileConn(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		both[i] = conn.(*net.UnixConn)
	}
	return both[0], both[1]
}

func TestWireCarriesTextAndDescriptors(t *testing.T) {
	a, b := ends(t)
	from, to := handover.NewWireForTest(a), handover.NewWireForTest(b)
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if err := from.Send("ready", "", int(file.Fd()), int(file.Fd())); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("line\n\"quoted\" ", 1000)
	sent := make(chan error, 1)
	go func() { sent <- from.Send("failed", long) }()
	kind, _, fds, err := to.Receive()
	if err != nil || kind != "ready" || len(fds) != 2 {
		t.Fatalf("%s, %d descriptors, %v", kind, len(fds), err)
	}
	for _, fd := range fds {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d would leak into other programs: %v", fd, err)
		}
		_ = unix.Close(fd)
	}
	if kind, text, fds, err := to.Receive(); err != nil || kind != "failed" || text != long || len(fds) != 0 {
		t.Errorf("%s %d bytes, %d descriptors, %v", kind, len(text), len(fds), err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	_ = a.Close()
	if _, _, _, err := to.Receive(); err == nil {
		t.Error("a message of an end that is closed")
	}
}

// Whatever comes, it is bounded and ends in an error.
func FuzzWire(f *testing.F) {
	f.Add([]byte("{\"kind\":\"ready\",\"sockets\":[{\"name\":\"server\",\"address\":\"a\"}]}\n"))
	f.Add([]byte("\n\n{}"))
	f.Add(bytes.Repeat([]byte("x"), 70<<10))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, b := ends(t)
		written := make(chan struct{})
		go func() {
			defer close(written)
			_, _ = a.Write(data)
			_ = a.Close()
		}()
		w := handover.NewWireForTest(b)
		for {
			if _, _, _, err := w.Receive(); err != nil {
				break
			}
		}
		_ = b.Close()
		<-written
	})
}

func TestSocketsStayOpenUntilGivenUp(t *testing.T) {
	s := new(handover.Sockets)
	found, err := s.Listen(handover.Server, "a", func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") })
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	addr := found[0].Addr().String()
	_ = found[0].Close()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("the next process would find a closed port: %v", err)
	}
	_ = conn.Close()
	s.Close()
	if conn, err := net.Dial("tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("the port is still open")
	}
	if s.Activated(handover.Server) {
		t.Error("the socket is said to be the service manager's")
	}
}

func TestInheritWithoutAnything(t *testing.T) {
	for name, environ := range map[string][]string{
		"nothing":         {"A=b"},
		"another process": {"LISTEN_PID=1", "LISTEN_FDS=2"},
		"no pid":          {"LISTEN_FDS=2"},
	} {
		s, link, err := handover.Inherit(environ)
		if err != nil || link != nil {
			t.Errorf("%s: link %v, %v", name, link, err)
			continue
		}
		if s.Activated(handover.Server) {
			t.Errorf("%s: a socket from nowhere", name)
		}
	}
	for _, value := range []string{"", "1", "{", `{"sockets":[` + strings.Repeat(`{},`, 100) + `{}]}`} {
		if _, _, err := handover.Inherit([]string{"REVERB_HANDOVER=" + value}); err == nil {
			t.Errorf("REVERB_HANDOVER=%s is taken", value)
		}
	}
}

func TestCleanTakesOutWhatIsForOneProcess(t *testing.T) {
	got := handover.Clean([]string{"A=1", "LISTEN_FDS=1", "NOTIFY_SOCKET=/n", "WATCHDOG_USEC=1", "REVERB_HANDOVER={}", "REVERB_HOST=h", "LISTEN_PID=1"})
	if want := []string{"A=1", "REVERB_HOST=h"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The name that the program was called by wins over the file that it is, so that a link which is moved later leads to
// the next version.
func TestSelfFollowsTheName(t *testing.T) {
	running, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link, other := filepath.Join(dir, "reverb"), filepath.Join(dir, "other")
	if err := os.Symlink(running, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, tc := range []struct{ called, want string }{
		{link, link},
		{"./reverb", link},
		{other, running},
		{"no-such-program", running},
	} {
		p, err := handover.Self([]string{tc.called, "start"}, []string{"PWD=" + dir})
		if err != nil || p.Path != tc.want || p.Dir != dir {
			t.Errorf("called as %s: %s in %s, %v; want %s", tc.called, p.Path, p.Dir, err, tc.want)
		}
	}
	if p, _ := handover.Self(nil, []string{"PWD=/"}); p.Dir != "" {
		t.Errorf("a PWD of somewhere else is believed: %s", p.Dir)
	}
}

// A first process has nobody to ask, and takes what the service manager gives only when it can be used.
func TestFirstProcess(t *testing.T) {
	p, err := handover.NewProcess([]string{"reverb"}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if !p.First() || p.Signals() != nil || p.Orphaned() != nil || p.Watchdog() != 0 {
		t.Error("a process without environment is not the first one")
	}
	wrong := filepath.Join(t.TempDir(), "s")
	_, err = p.Listen(handover.Metrics, wrong, func() (net.Listener, error) { return net.Listen("unix", wrong) })
	if err == nil || !strings.Contains(err.Error(), "want a TCP socket") {
		t.Errorf("a Unix socket for the metrics: %v", err)
	}
	found, err := p.Listen(handover.Server, "", func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") })
	if err != nil || len(found) != 1 {
		t.Fatalf("%d listeners, %v", len(found), err)
	}
	if err := p.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
	p.End(errors.New("not told to anybody"))
	_ = found[0].Close()
	p.GiveUp()
}

func TestStops(t *testing.T) {
	for sig, want := range map[os.Signal]bool{os.Interrupt: true, syscall.SIGTERM: true, syscall.SIGHUP: false, syscall.SIGPIPE: false} {
		if got := handover.Stops(sig); got != want {
			t.Errorf("%v: %v, want %v", sig, got, want)
		}
	}
}
