package chaos_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// Very many members come to one channel on two nodes, and go. Everybody who watches sees each come and go once, and Redis is what it was.
func TestManyMembers(t *testing.T) {
	t.Parallel()
	members, wave := 400, 100
	if *long {
		members, wave = 10_000, 500 // 50 million announcements: minutes
	}
	redis, b := single(t, native)
	s := newSite(t, b)
	memory := memoryOf(t, redis)
	var watchers []*watcher
	for slot := range slots {
		watchers = append(watchers, watch(t, s, slot, dens[0], firstWatcher-1-slot))
	}
	var conns []net.Conn
	began := time.Now()
	for first := 0; first < members; first += wave {
		for i := range wave {
			conns = append(conns, crowd(t, s, (first+i)%2, firstWatcher+first+i))
		}
		for _, w := range watchers {
			if !redistest.Eventually(5*time.Minute, func() bool { return len(w.present()) == slots+first+wave }) {
				for slot := range slots {
					t.Logf("slot %d: %d connections of clients that were slow have ended, %d connections to Redis", slot,
						s.gauge(slot, "reverb_sockets_closed_total"), s.gauge(slot, "reverb_relay_disconnects_total"))
				}
				s.fatal("after %d members: slot %d sees %d", first+wave, w.slot, len(w.present()))
			}
		}
	}
	took := time.Since(began)
	t.Logf("%d members after %v, %.0f joins/s; Redis holds %d bytes for each", members, took.Round(time.Millisecond),
		float64(members)/took.Seconds(), (memoryOf(t, redis)-memory)/members)
	for slot := range slots {
		if n := len(s.users(slot, dens[0])); n != members+slots {
			t.Errorf("slot %d knows %d users", slot, n)
		}
	}
	began = time.Now()
	for _, c := range conns {
		_ = c.Close()
	}
	for _, w := range watchers {
		s.await(time.Minute, "all have left", func() bool { return len(w.present()) == slots })
	}
	for _, w := range watchers { // each sees the others leave, too
		if wrong, _ := w.mistakes(); len(wrong) > 0 {
			t.Errorf("slot %d: %d mistakes, the first %s", w.slot, len(wrong), wrong[0])
		}
		w.c.Close()
	}
	took = time.Since(began)
	t.Logf("they have left after %v, %.0f leaves/s", took.Round(time.Millisecond), float64(members)/took.Seconds())
	empty(t, s, false)
	after := 0
	if !redistest.Eventually(10*time.Second, func() bool { after = memoryOf(t, redis); return after < memory+1<<20 }) {
		t.Errorf("Redis holds %d bytes, it was %d when nobody had come", after, memory)
	}
}

// crowd is a member that does not look at what it is sent.
func crowd(t *testing.T, s *site, slot, id int) net.Conn {
	t.Helper()
	c, buffered, _, err := ws.Dial(context.Background(), "ws://"+s.node(slot).Addr+"/app/"+key+"?protocol=7")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	var in io.Reader = c
	if buffered != nil {
		in = buffered
	}
	frame, err := ws.ReadFrame(in)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(frame.Payload), `socket_id\":\"`)
	socket, _, _ := strings.Cut(rest, `\`)
	auth := (&testclient.Client{SocketID: socket}).Auth(secret, dens[0], member(id))
	text := fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q,"channel_data":%q}}`, dens[0], auth, member(id))
	if err := ws.WriteFrame(c, ws.MaskFrame(ws.NewTextFrame([]byte(text)))); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, in) }()
	return c
}

func memoryOf(t *testing.T, redis *redistest.Server) int {
	t.Helper()
	info, _ := redis.Do("INFO", "memory").(string)
	_, rest, _ := strings.Cut(info, "used_memory:")
	text, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("memory: %q", info)
	}
	return n
}

// A node that has no subscriber of a channel has no work with it: Redis does not even send it what is published.
func TestNoInterestNoWork(t *testing.T) {
	t.Parallel()
	batches := 200
	if *long {
		batches = 5000
	}
	redis, b := single(t, native)
	s := newSite(t, b)
	const from, to, idle = 0, 1, 2
	l := listen(t, s, to, rooms[0])
	before := cpuOf(t, s.node(idle))
	began := time.Now()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	const size = 10
	for i := range batches {
		var events []string
		for j := range size {
			events = append(events, fmt.Sprintf(`{"name":"e","channel":%q,"data":"0/%d"}`, rooms[0], size*i+j))
		}
		body := `{"batch":[` + strings.Join(events, ",") + `]}`
		s.node(from).app(client).Post(t, "/batch_events", body).Expect(t, http.StatusOK, `{"batch":{}}`)
	}
	s.await(10*time.Second, "the last event has come", func() bool { return l.latest(0) == size*batches-1 })
	took := time.Since(began)
	t.Logf("%d events in %v: the node without interest took %v of CPU, that with it %v", size*batches, took.Round(time.Millisecond),
		cpuOf(t, s.node(idle))-before, cpuOf(t, s.node(to)))
	if n := redis.Subscribers("reverb:{1/" + rooms[0] + "}"); n != 1 {
		t.Errorf("%d nodes have subscribed to the channel", n)
	}
	for _, name := range []string{"reverb_relay_received_total", "reverb_relay_ignored_total"} {
		if n := s.gauge(idle, name); n != 0 {
			t.Errorf("the node without interest has %s %d", name, n)
		}
	}
	if len(l.wrong) > 0 {
		t.Error(slices.Compact(l.wrong))
	}
}

// cpuOf is the CPU time that a node has used.
func cpuOf(t *testing.T, n *node) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.PID()))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
