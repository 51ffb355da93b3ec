package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

// More may be published at once than may wait for a client. Some clients are always a little ahead of the others, and those that are behind
// for a moment are not cut for it: publishers wait, or have a 503.
func TestBurstOverTheBoundCutsNobodyWhoReads(t *testing.T) {
	s := start(t, "max_request_size = 3000000", "")
	for _, r := range newReaders(t, s, 5, "burst") {
		go func() { _, _ = io.Copy(io.Discard, r.conn) }() // ahead, for it does not look at what it reads; ends with the connection
	}
	readers := newReaders(t, s, 15, "burst")
	var all sync.WaitGroup
	for _, r := range readers {
		all.Go(func() { r.readUntil("last") })
	}
	app := firstApp(s)
	requests := make([]string, 50) // six times what may wait
	for i := range requests {
		body := fmt.Sprintf(`{"name":"e%d","channel":"burst","data":%q}`, i, strings.Repeat("x", 2_000_000))
		requests[i] = "POST " + app.Sign(http.MethodPost, "/apps/"+app.ID+"/events", nil, body) +
			" HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\nConnection: close\r\n\r\n" + body
	}
	var taken atomic.Int64
	var publishers sync.WaitGroup
	for _, request := range requests {
		publishers.Go(func() {
			switch answer := exchange(t, s.Addr, request); {
			case strings.HasPrefix(answer, "HTTP/1.1 200 "):
				taken.Add(1)
			case !strings.HasPrefix(answer, "HTTP/1.1 503 "):
				t.Errorf("answered %.200q", answer)
			}
		})
	}
	publishers.Wait()
	for app.Post(t, "/events", `{"name":"last","channel":"burst","data":"x"}`).Status != http.StatusOK && !t.Failed() {
	}
	all.Wait()
	wantSame(t, readers, int(taken.Load())+1)
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

// A reload that lets events be larger lets as much more wait for a client.
func TestReloadRaisesWhatMayWait(t *testing.T) {
	const events, size = 5, 1_900_000
	table := func(most int) string { return fmt.Sprintf("1 k s\nmax_message_size = %d", most) }
	const limits = "[server.limits]\noutbox_bytes = 65536"
	s := testclient.Start(t, bin, testclient.Options{Config: apps("port = 0\n"+limits, table(10_000))})
	configure(t, s, apps("port = 0\n"+limits, table(2_000_000)))
	if out, err := reloadCommand(s); err != nil {
		t.Fatal(err, out)
	}
	r := newReaderOf(t, s, "k", "s", "private-room")
	w := testclient.Connect(t, s.Addr, "k")
	w.Join("s", "private-room", "")
	for i := range events {
		w.Send(fmt.Sprintf(`{"event":"client-e%d","channel":"private-room","data":{"x":%q}}`, i, strings.Repeat("x", size)))
	}
	w.Quiet() // all are taken
	r.read(events)
	if r.failed != nil {
		t.Error(r.failed)
	}
}

// reader is a client that reads as fast as it can and notes which events came.
type reader struct {
	*testclient.Client
	conn   net.Conn
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
	return newReaderOf(t, s, key, secret, channel)
}

func newReaderOf(t *testing.T, s *testclient.Server, key, secret, channel string) *reader {
	t.Helper()
	var d net.Dialer
	r := new(reader)
	r.Client = testclient.Dial(t, s.Addr, key, testclient.DialOptions{Dialer: &ws.Dialer{
		NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := d.DialContext(ctx, network, addr)
			if tcp, ok := conn.(*net.TCPConn); ok {
				err = tcp.SetReadBuffer(64 << 10)
			}
			r.conn = conn
			return conn, err
		},
	}})
	r.Established()
	r.Join(secret, channel, "")
	return r
}

// read reads n events.
func (r *reader) read(n int) {
	r.readWhile(func() bool { return len(r.got) < n })
}

// readUntil reads up to the event of that name.
func (r *reader) readUntil(last string) {
	r.readWhile(func() bool { return len(r.got) == 0 || r.got[len(r.got)-1] != last })
}

func (r *reader) readWhile(more func() bool) {
	for more() && r.failed == nil {
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

// exchange sends one request over a connection of its own and returns all that comes back.
func exchange(t *testing.T, addr, request string) string {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Error(err)
		return ""
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Error(err)
	}
	return string(answer)
}

// sameForAll demands that every reader gets n different events in the same order.
func sameForAll(t *testing.T, readers []*reader, n int) {
	t.Helper()
	var all sync.WaitGroup
	for _, r := range readers {
		all.Go(func() { r.read(n) })
	}
	all.Wait()
	wantSame(t, readers, n)
}

// wantSame demands that every reader has got n different events in the same order.
func wantSame(t *testing.T, readers []*reader, n int) {
	t.Helper()
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
