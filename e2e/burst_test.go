package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"reverb/internal/testclient"
)

// residentMax is what the server may have resident at its peak during a burst, bytes.
const residentMax = 100 << 20

// Publishes that come all at once are slower to deliver than to take. Clients that read as fast as they can are not slow; here they begin
// when all is published, so that they are behind on a fast machine too.
func TestBurstsOfLargeEventsCutNobody(t *testing.T) {
	for _, tt := range []struct{ events, size int }{{100, 100_000}, {20, 500_000}, {10, 900_000}, {5, 2_000_000}} {
		t.Run(fmt.Sprintf("%d of %d bytes", tt.events, tt.size), func(t *testing.T) {
			s := start(t, "max_request_size = 3000000", "")
			readers := newReaders(t, s, 20, "burst")
			publishAtOnce(t, s, "burst", tt.events, tt.size)
			sameForAll(t, readers, tt.events)
			if peak := peakResident(t, s.PID()); peak > residentMax {
				t.Errorf("%d MB resident at the peak, want at most %d", peak>>20, residentMax>>20)
			}
		})
	}
}

// A publisher may be faster than all readers: its answers wait, its events do not get lost, and nobody is closed for it. The
// bench finds lost, doubled and reordered events itself.
func TestPublishersThatOutrunEverybodyAreSlowed(t *testing.T) {
	for _, ahead := range []int{256, 4096} {
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			s := start(t, "", "")
			out, err := exec.Command(bin, "bench", "broadcast", "--addr", s.Addr, "--app-id", "123456", "--key", key, "--secret", secret,
				"--subscribers", "200", "--rate", "0", "--inflight", "32", "--ahead", strconv.Itoa(ahead), "--size", "9000",
				"--warmup", "0s", "--duration", "4s").CombinedOutput()
			if err != nil {
				t.Errorf("bench: %v\n%s", err, out)
			}
			if peak := peakResident(t, s.PID()); peak > residentMax {
				t.Errorf("%d MB resident at the peak, want at most %d", peak>>20, residentMax>>20)
			}
		})
	}
}

// reader is a client that reads as fast as it can and notes which events came.
type reader struct {
	*testclient.Client
	got    []string
	failed error
}

func newReaders(t *testing.T, s *testclient.Server, n int, channel string) []*reader {
	t.Helper()
	all := make([]*reader, n)
	for i := range all {
		all[i] = newReader(t, s, channel)
	}
	return all
}

// newReader joins the channel with a socket whose kernel keeps little of what is not read.
func newReader(t *testing.T, s *testclient.Server, channel string) *reader {
	t.Helper()
	var d net.Dialer
	r := &reader{Client: testclient.Dial(t, s.Addr, key, testclient.DialOptions{Dialer: &ws.Dialer{
		NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := d.DialContext(ctx, network, addr)
			if tcp, ok := conn.(*net.TCPConn); ok {
				err = tcp.SetReadBuffer(64 << 10)
			}
			return conn, err
		},
	}})}
	r.Established()
	r.Join(secret, channel, "")
	return r
}

// read reads n events.
func (r *reader) read(n int) {
	for len(r.got) < n && r.failed == nil {
		op, payload, err := r.Frame()
		switch {
		case err != nil:
			r.failed = fmt.Errorf("after %d events: %w", len(r.got), err)
		case op == ws.OpText:
			name, _, _ := strings.Cut(strings.TrimPrefix(string(payload[:min(40, len(payload))]), `{"event":"`), `"`)
			r.got = append(r.got, name)
		}
	}
}

// publishAtOnce publishes events e0, e1, … of size bytes, each with a request of its own, and demands that all are taken.
func publishAtOnce(t *testing.T, s *testclient.Server, channel string, events, size int) {
	t.Helper()
	app := firstApp(s)
	app.Client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxConnsPerHost: events}}
	defer app.Client.CloseIdleConnections()
	data := strings.Repeat("x", size)
	var all sync.WaitGroup
	for i := range events {
		body := fmt.Sprintf(`{"name":"e%d","channel":%q,"data":%q}`, i, channel, data)
		all.Go(func() { app.Post(t, "/events", body).Expect(t, http.StatusOK, "{}") })
	}
	all.Wait()
}

// sameForAll demands that every reader gets n different events in the same order.
func sameForAll(t *testing.T, readers []*reader, n int) {
	t.Helper()
	var all sync.WaitGroup
	for _, r := range readers {
		all.Go(func() { r.read(n) })
	}
	all.Wait()
	want := strings.Join(readers[0].got, " ")
	for i, r := range readers {
		if r.failed != nil {
			t.Errorf("reader %d: %v", i, r.failed)
			continue
		}
		if got := strings.Join(r.got, " "); got != want {
			t.Errorf("reader %d got another order than reader 0:\n%s\n%s", i, got, want)
		}
	}
	different := make(map[string]bool)
	for _, name := range readers[0].got {
		different[name] = true
	}
	if len(different) != n {
		t.Errorf("%d different events, want %d", len(different), n)
	}
}

// peakResident is the most that a process has had resident, bytes.
func peakResident(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, " kB")
	n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}
