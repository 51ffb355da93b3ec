package poller

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"reverb/transport"
)

// fakeSocket is a socket that takes room bytes.
type fakeSocket struct {
	room              int
	got               []byte
	armed, ended, cut bool

	conn    *conn
	sends   int
	reliefs int // calls of relieved
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
func (s *fakeSocket) relieved()                  { s.reliefs++ }

type fakeReceiver struct{ messages int }

func (r *fakeReceiver) Message([]byte, bool)        { r.messages++ }
func (r *fakeReceiver) Control(transport.ControlOp) {}
func (r *fakeReceiver) Closed(transport.Reason)     {}

// fakeConn returns an open connection on s.
func fakeConn(s *fakeSocket, outbox, total int64) *conn {
	p := &Poller{cfg: withDefaults(Config{TotalOutboxBytes: total}), start: time.Now()}
	p.SetOutboxBytes(outbox)
	p.holdings.init()
	p.tables = []*table{{poller: p}}
	return fakeConnOf(p, s)
}

// fakeConnOf returns one more of p.
func fakeConnOf(p *Poller, s *fakeSocket) *conn {
	c := new(conn)
	s.conn = c
	c.init(s, p.tables[0], netip.MustParseAddrPort("192.0.2.1:443"))
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
		if !bytes.Equal(s.got, want) || c.outbox != nil || c.table.poller.holdings.bytes.Load() != 0 {
			t.Fatalf("seed %d: got %d bytes, want %d; outbox %v", seed, len(s.got), len(want), c.outbox)
		}
	}
}

// Send over the bound marks and shuts down; it never closes, calls the receiver or grows.
func TestSendOverBound(t *testing.T) {
	for _, tt := range []struct {
		name          string
		outbox, total int64
		want          transport.Reason
	}{
		{"one", 100, 1000, transport.ReasonSlowConsumer},
		{"all", 1000, 100, transport.ReasonOutboxTotal},
	} {
		s := new(fakeSocket)
		c := fakeConn(s, tt.outbox, tt.total)
		for range 5 {
			c.Send(make([]byte, 40))
		}
		if !s.cut || c.reason != tt.want || c.outbox != nil || c.table.poller.holdings.bytes.Load() != 0 {
			t.Errorf("%s: cut %v for %v, outbox %v, want cut for %v", tt.name, s.cut, c.reason, c.outbox, tt.want)
		}
	}
}

// The six clients that never read hold the room, so they go, and not the slow one whose frame was too much.
func TestShortageCutsThoseThatDoNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 64 << 10
		p := fakeConn(new(fakeSocket), 1<<20, total).table.poller
		var silent [6]*conn
		for i := range silent {
			silent[i] = fakeConnOf(p, new(fakeSocket))
		}
		slow := new(fakeSocket)
		honest := fakeConnOf(p, slow)
		for range 200 {
			for _, c := range append(silent[:], honest) {
				c.Send(make([]byte, 100)) // a frame for each alone
			}
			if waits := p.holdings.bytes.Load(); waits > total {
				t.Fatalf("%d bytes wait, bound %d", waits, total)
			}
			time.Sleep(20 * time.Millisecond)
			slow.flushSome(honest, 60)
		}
		if honest.state.Load() != stateOpen {
			t.Errorf("the client that reads was cut for %v", honest.reason)
		}
		cut := 0
		for i, c := range silent {
			if c.state.Load() == stateOpen {
				continue
			}
			if cut++; c.reason != transport.ReasonOutboxTotal {
				t.Errorf("silent client %d was cut for %v, want %v", i, c.reason, transport.ReasonOutboxTotal)
			}
		}
		if cut == 0 {
			t.Error("nobody was cut; the test is too small")
		}
	})
}

// Of those that do not read, the one that waits longest and holds most goes first.
func TestShortageBeginsWithTheWorst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fakeConn(new(fakeSocket), 1<<20, 10_000).table.poller
		small, late, worst := fakeConnOf(p, new(fakeSocket)), fakeConnOf(p, new(fakeSocket)), fakeConnOf(p, new(fakeSocket))
		small.Send(make([]byte, 100))
		worst.Send(make([]byte, 5000))
		time.Sleep(5 * time.Second)
		late.Send(make([]byte, 4700))
		time.Sleep(time.Second)
		small.Send(make([]byte, 500))
		if small.state.Load() != stateOpen || late.state.Load() != stateOpen || worst.state.Load() != stateCut {
			t.Errorf("small %d, late %d, worst %d, want only the last cut", small.state.Load(), late.state.Load(), worst.state.Load())
		}
	})
}

// A frame that waits for many is held once, until the last of them has it.
func TestSharedFrameCountsOnce(t *testing.T) {
	const receivers, size = 50, 4000
	p := fakeConn(new(fakeSocket), 1<<20, 1<<20).table.poller
	frame := make([]byte, size)
	var sockets [receivers]fakeSocket
	for i := range sockets {
		fakeConnOf(p, &sockets[i]).Send(frame)
	}
	for i := range sockets {
		left := int64(receivers - i)
		if got, want := p.holdings.bytes.Load(), size+left*frameCost; got != want {
			t.Fatalf("%d outboxes hold %d bytes, want %d", left, got, want)
		}
		sockets[i].flushSome(sockets[i].conn, size)
	}
	if got := p.holdings.bytes.Load(); got != 0 {
		t.Errorf("%d bytes are held by nobody", got)
	}
}

// A client that takes a byte now and then is not behind for a moment: frames cannot be held for it for ever.
func TestOldestByteHasATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trickle, steady := new(fakeSocket), new(fakeSocket)
		slow := fakeConn(trickle, 1<<20, 1<<20)
		p := slow.table.poller
		fast := fakeConnOf(p, steady)
		begun := time.Now()
		for slow.state.Load() == stateOpen {
			slow.Send(make([]byte, 1000))
			fast.Send(make([]byte, 1000))
			time.Sleep(500 * time.Millisecond)
			trickle.flushSome(slow, 1)
			steady.flushSome(fast, 900)
			p.sweepOnce()
			if time.Since(begun) > time.Minute {
				t.Fatal("the trickler is still here")
			}
		}
		if took := time.Since(begun); slow.reason != transport.ReasonSlowConsumer || took < p.cfg.OutboxTimeout {
			t.Errorf("cut for %v after %v, want %v after %v", slow.reason, took, transport.ReasonSlowConsumer, p.cfg.OutboxTimeout)
		}
		if fast.state.Load() != stateOpen {
			t.Errorf("a client that is behind and makes progress was cut for %v", fast.reason)
		}
		if fast.outbox == nil {
			t.Error("nothing waits for the other; the test is too small")
		}
	})
}

// The answers to the messages of one read go out together, and early enough that the answers do not look like a backlog.
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
