package poller_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"reverb/poller"
	"reverb/transport"
)

// The client of TestIdleMemory is this program again, because both ends do not fit into one process's file limit.
const idleClientEnv, idleCountEnv = "POLLER_IDLE_CLIENT", "POLLER_IDLE"

// TestIdleMemory reports what an idle WebSocket costs, e.g. POLLER_IDLE=10000. POLLER_PROFILE names a file
// for a heap profile.
func TestIdleMemory(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv(idleCountEnv))
	if err != nil {
		t.Skipf("set %s to a number of connections", idleCountEnv)
	}
	h := &idleHandler{answer: text(`{"event":"pusher:pong"}`)}
	s := start(t, poller.Config{}, h, false)
	rss, heap, objects := memory(t)
	goroutines := runtime.NumGoroutine()

	client := exec.Command(os.Args[0])
	client.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", idleClientEnv, s.addr, count))
	client.Stderr = os.Stderr
	stdin, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("client said %q, %v", line, err)
	}
	rss2, heap2, objects2 := memory(t)
	n := int64(count)
	t.Logf("%d connections: %d B resident, %d B heap, %.1f objects each; %d goroutines more",
		s.Stats().Connections, (rss2-rss)/n, (heap2-heap)/n, float64(objects2-objects)/float64(n), runtime.NumGoroutine()-goroutines)
	if name := os.Getenv("POLLER_PROFILE"); name != "" {
		profile(t, name)
	}
	stdin.Close()
	if err := client.Wait(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all gone", func() bool { return s.Stats().Connections == 0 })
}

// idleHandler keeps nothing, so that the poller's own memory is measured.
type idleHandler struct{ answer []byte }

type idleReceiver struct {
	h *idleHandler
	c transport.Conn
}

func (h *idleHandler) Open(c transport.Conn, _ *transport.Request) transport.Receiver {
	c.Send(h.answer)
	return &idleReceiver{h, c}
}

func (r *idleReceiver) Message([]byte, bool)        { r.c.Send(r.h.answer) }
func (r *idleReceiver) Control(transport.ControlOp) {}
func (r *idleReceiver) Closed(transport.Reason)     {}

func memory(t *testing.T) (rss, heap, objects int64) {
	t.Helper()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	if _, err := fmt.Sscan(rest, &rss); err != nil {
		t.Fatal(err)
	}
	return rss << 10, int64(m.HeapAlloc), int64(m.HeapObjects)
}

func profile(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := pprof.Lookup("heap").WriteTo(f, 0); err != nil {
		t.Fatal(err)
	}
}

// runIdleClient is the client's main. It reports whether this process is one.
func runIdleClient() bool {
	var addr string
	var count int
	if _, err := fmt.Sscan(os.Getenv(idleClientEnv), &addr, &count); err != nil {
		return false
	}
	frame := message(ws.OpText, []byte(`{"event":"pusher:ping","data":{}}`))
	conns := make([]net.Conn, count)
	for i := range conns {
		// Half the ports of one address are found at once, the others slowly.
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i/8000))}}
		c, err := idleOpen(d, addr, frame)
		if err != nil {
			fmt.Fprintln(os.Stderr, "connection", i, err)
			os.Exit(1)
		}
		conns[i] = c
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range conns {
		c.Close()
	}
	return true
}

// idleOpen upgrades, takes the greeting, sends one message and takes the answer.
func idleOpen(d net.Dialer, addr string, frame []byte) (net.Conn, error) {
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(append([]byte(upgradeHead), frame...)); err != nil {
		return nil, err
	}
	br := bufio.NewReaderSize(c, 512)
	if _, err := http.ReadResponse(br, nil); err != nil {
		return nil, err
	}
	for range 2 {
		if _, err := ws.ReadFrame(br); err != nil {
			return nil, err
		}
	}
	return c, nil
}
