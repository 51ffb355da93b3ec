package poller

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"unsafe"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// fakeSocket is a transport that takes room bytes.
type fakeSocket struct {
	room              int
	got               []byte
	armed, ended, cut bool

	conn  *conn
	sends int
}

func (s *fakeSocket) send(b []byte) (int, error) {
	s.sends++
	n := min(len(b), s.room)
	s.got = append(s.got, b[:n]...)
	s.room -= n
	if n < len(b) {
		return n, unix.EAGAIN
	}
	return n, nil
}

func (s *fakeSocket) arm() { s.armed = true }
func (s *fakeSocket) flush() {
	var all []byte
	for _, f := range s.conn.outbox.peek(make([][]byte, 0, 1000)) {
		all = append(all, f...)
	}
	n, _ := s.send(all)
	s.conn.popLocked(n)
	s.armed = n < len(all)
}
func (s *fakeSocket) flushed()                   { s.ended = true }
func (s *fakeSocket) hangUp()                    { s.cut = true }
func (s *fakeSocket) detach()                    {}
func (s *fakeSocket) netConn() (net.Conn, error) { return nil, net.ErrClosed }
func (s *fakeSocket) release(bool)               {}

type fakeReceiver struct{ messages int }

func (r *fakeReceiver) Message([]byte, bool) { r.messages++ }
func (r *fakeReceiver) Control(ControlOp)    {}
func (r *fakeReceiver) Closed(Reason)        {}

// fakeConn returns an open connection on s.
func fakeConn(s *fakeSocket, outbox, total int64) *conn {
	p := &Poller{cfg: withDefaults(Config{OutboxBytes: outbox, TotalOutboxBytes: total})}
	c := new(conn)
	s.conn = c
	c.init(s, &table{poller: p}, netip.MustParseAddrPort("192.0.2.1:443"))
	p.conns.Add(1)
	c.table.add(c, 0)
	c.table.settle(c)
	c.state.Store(stateOpen)
	return c
}

// flushSome does what a loop does when the socket takes room bytes.
func (s *fakeSocket) flushSome(c *conn, room int) {
	s.room = room
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.outbox != nil && s.room > 0 {
		for _, f := range c.outbox.peek(make([][]byte, 0, 3)) {
			n, _ := s.send(f)
			c.popLocked(n)
			if n < len(f) {
				break
			}
		}
	}
}

// Random frames through a socket with random room come out in order, and the counts fit.
func TestOutboxAgainstModel(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s := new(fakeSocket)
		c := fakeConn(s, 1<<20, 1<<20)
		var want []byte
		for range 300 {
			if rnd.IntN(3) > 0 {
				f := bytes.Repeat([]byte{byte(rnd.Uint32())}, 1+rnd.IntN(50))
				want = append(want, f...)
				c.Send(f)
			} else {
				s.flushSome(c, rnd.IntN(120))
			}
			waits := int64(0)
			if c.outbox != nil {
				waits = c.outbox.bytes - int64(len(c.outbox.frames)-c.outbox.first)*frameCost
			}
			if int64(len(want)-len(s.got)) != waits {
				t.Fatalf("seed %d: %d bytes wait, want %d", seed, waits, len(want)-len(s.got))
			}
		}
		s.flushSome(c, len(want))
		if !bytes.Equal(s.got, want) || c.outbox != nil || c.table.poller.outboxBytes.Load() != 0 {
			t.Fatalf("seed %d: got %d bytes, want %d; outbox %v", seed, len(s.got), len(want), c.outbox)
		}
	}
}

// Send over the bound marks and shuts down; it never closes, calls the receiver or grows.
func TestSendOverBound(t *testing.T) {
	for _, tt := range []struct {
		name          string
		outbox, total int64
		want          Reason
	}{
		{"one", 100, 1000, ReasonSlowConsumer},
		{"all", 1000, 100, ReasonOutboxTotal},
	} {
		s := new(fakeSocket)
		c := fakeConn(s, tt.outbox, tt.total)
		for range 5 {
			c.Send(make([]byte, 40))
		}
		if !s.cut || c.reason != tt.want || c.outbox != nil || c.table.poller.outboxBytes.Load() != 0 {
			t.Errorf("%s: cut %v for %v, outbox %v, want cut for %v", tt.name, s.cut, c.reason, c.outbox, tt.want)
		}
	}
}

// Who is cut when too much waits for all together is who has more waiting than others may, not who comes last.
func TestTotalIsSharedFairly(t *testing.T) {
	const total = 4000
	greedy, meek := fakeConn(new(fakeSocket), 1<<20, total), fakeConn(new(fakeSocket), 1<<20, total)
	p := greedy.table.poller
	meek.table.poller = p
	p.open.Store(2)
	for range 62 {
		greedy.Send(make([]byte, 40))
		if waits := p.outboxBytes.Load(); waits > total {
			t.Fatalf("%d bytes wait, bound %d", waits, total)
		}
	}
	meek.Send(make([]byte, 40))
	if meek.state.Load() != stateOpen {
		t.Errorf("a client for which one frame waits was cut for %v", meek.reason)
	}
	if greedy.state.Load() != stateCut || greedy.reason != ReasonOutboxTotal {
		t.Errorf("the client for which the most waits is in state %d for %v, want cut for %v", greedy.state.Load(), greedy.reason, ReasonOutboxTotal)
	}
}

// What answers the messages of one read goes out together, and early enough that the answers do not look like a backlog.
func TestAnswersOfOneReadGoTogether(t *testing.T) {
	s := &fakeSocket{room: 1 << 30}
	c := fakeConn(s, 1000, 1<<20)
	c.receiver = new(fakeReceiver)
	c.input(bytes.Repeat(ws.MustCompileFrame(ws.MaskFrame(ws.NewPingFrame([]byte("p")))), 500))
	if want := strings.Repeat("\x8a\x01p", 500); string(s.got) != want || s.cut {
		t.Errorf("sent %d bytes, cut %v, want %d bytes", len(s.got), s.cut, len(want))
	}
	if s.sends > 50 {
		t.Errorf("%d system calls for 500 pongs in one read", s.sends)
	}
}

// An operator may allow messages above the default.
func TestSetMaxMessage(t *testing.T) {
	c := fakeConn(new(fakeSocket), 1000, 1000)
	for _, tt := range []struct{ set, want int64 }{
		{0, 16 << 20}, {1, 1}, {64 << 20, 64 << 20}, {1 << 30, 1 << 30}, {1 << 40, 1 << 30},
	} {
		c.SetMaxMessage(tt.set)
		if got := int64(c.limit.Load()); got != tt.want {
			t.Errorf("SetMaxMessage(%d): limit %d, want %d", tt.set, got, tt.want)
		}
	}
}

func TestCloseWaitsForOutbox(t *testing.T) {
	s := new(fakeSocket)
	c := fakeConn(s, 1000, 1000)
	c.Send([]byte("waits"))
	c.Close(1000, "")
	if s.ended {
		t.Fatal("half-closed before the outbox was sent")
	}
	s.flushSome(c, 1000)
	if want := "waits\x88\x02\x03\xe8"; string(s.got) != want {
		t.Errorf("sent %q, want %q", s.got, want)
	}
}

// A message in and a frame out allocate nothing.
func TestAllocations(t *testing.T) {
	s := &fakeSocket{got: make([]byte, 0, 1<<20)}
	c := fakeConn(s, 1<<20, 1<<20)
	r := new(fakeReceiver)
	c.receiver = r
	frame := ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(`{"event":"pusher:ping"}`))))
	in := make([]byte, len(frame))
	if n := testing.AllocsPerRun(100, func() {
		copy(in, frame)
		c.input(in)
	}); n != 0 {
		t.Errorf("message: %v allocations, want 0", n)
	}
	if r.messages != 101 {
		t.Errorf("%d messages, want 101", r.messages)
	}
	if n := testing.AllocsPerRun(100, func() {
		s.got, s.room = s.got[:0], len(frame)
		c.Send(frame)
	}); n != 0 {
		t.Errorf("Send: %v allocations, want 0", n)
	}
}

// A million connections cost a million of these.
func TestConnIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(loopConn{}); size > 160 {
		t.Errorf("loopConn has %d bytes, want at most 160", size)
	}
}
