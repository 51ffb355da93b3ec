package poller_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"reverb/poller"
	"reverb/transport"
)

// slow returns a client that takes next to nothing until it reads.
func (s *server) slow(t *testing.T) *client {
	t.Helper()
	c := s.open(t)
	if err := c.raw.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSlowReaderIsKilled(t *testing.T) {
	const bound = 256 << 10
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{OutboxBytes: bound}, h, secure)
		s.slow(t)
		se := h.next(t)
		const size = 8 << 10
		for len(se.closed) == 0 {
			se.Send(text(strings.Repeat("x", size)))
			if waits := s.Stats().OutboxBytes; waits > bound+size { // of the first frame a part may be sent
				t.Fatalf("%d bytes wait, bound %d", waits, bound)
			}
		}
		se.expectClosed(t, transport.ReasonSlowConsumer)
		if st := s.Stats(); st.OutboxBytes != 0 || st.Closed["slow_consumer"] != 1 {
			t.Errorf("after the kill: %+v", st)
		}
	})
}

// A bound that is raised holds for the connections that there are.
func TestOutboxBoundIsRaised(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{OutboxBytes: 256 << 10}, h, secure)
		s.slow(t)
		se := h.next(t)
		s.SetOutboxBytes(64 << 20)
		for s.Stats().OutboxBytes < 8<<20 {
			se.Send(text(strings.Repeat("x", 64<<10)))
			if len(se.closed) > 0 {
				t.Fatal("closed over the former bound")
			}
		}
		s.SetOutboxBytes(256 << 10)
		se.Send(text("x"))
		se.expectClosed(t, transport.ReasonSlowConsumer)
	})
}

// A client that does not read is closed when its oldest byte has waited long enough, though next to nothing waits. For TLS, too, progress is
// what the socket took, and not what is being written.
func TestSilentReaderIsKilledInTime(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{OutboxTimeout: 200 * time.Millisecond, OutboxBytes: 64 << 20}, h, secure)
		s.slow(t)
		se := h.next(t)
		for len(se.closed) == 0 {
			if s.Stats().OutboxBytes == 0 {
				se.Send(text(strings.Repeat("x", 8<<10)))
			}
		}
		se.expectClosed(t, transport.ReasonSlowConsumer)
	})
}

func TestTotalOutboxIsBounded(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{OutboxBytes: 64 << 20, TotalOutboxBytes: 1 << 20}, h, secure)
		s.slow(t)
		se := h.next(t)
		for len(se.closed) == 0 {
			se.Send(text(strings.Repeat("x", 8<<10)))
		}
		se.expectClosed(t, transport.ReasonOutboxTotal)
	})
}

// A backlog arrives whole and in order once the client reads, and the close frame is last.
func TestBacklogKeepsOrder(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{OutboxBytes: 64 << 20}, h, secure)
		c := s.slow(t)
		se := h.next(t)
		const senders, each = 4, 500
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				for j := range each {
					body := bytes.Repeat([]byte{byte('a' + i)}, 4000)
					body[0], body[1] = byte('0'+j/100), byte('0'+j%100)
					se.Send(ws.MustCompileFrame(ws.NewBinaryFrame(body)))
				}
			})
		}
		all.Wait()
		if s.Stats().OutboxBytes == 0 {
			t.Error("nothing waits; the test is too small")
		}
		se.Close(4200, "")
		var next [senders]int
		for range senders * each {
			f, err := ws.ReadFrame(c.br)
			if err != nil {
				t.Fatal(err)
			}
			i := f.Payload[2] - 'a'
			if got := int(f.Payload[0]-'0')*100 + int(f.Payload[1]-'0'); got != next[i] {
				t.Fatalf("sender %d: got frame %d, want %d", i, got, next[i])
			}
			next[i]++
		}
		c.expectClose(4200, "")
		c.expectEnd()
		c.Close()
		se.expectClosed(t, transport.ReasonServerClose)
		if waits := s.Stats().OutboxBytes; waits != 0 {
			t.Errorf("%d bytes wait", waits)
		}
	})
}

// One frame may be larger than the bound, because it need not wait for others.
func TestFrameOverBound(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{OutboxBytes: 1 << 10}, h, secure)
		c := s.open(t)
		big := strings.Repeat("y", 8<<20)
		h.next(t).Send(text(big))
		c.expect(ws.OpText, big)
	})
}

// A client that never reads does not keep Shutdown from ending.
func TestShutdownCutsAtDeadline(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{OutboxBytes: 64 << 20}, h, secure)
		s.slow(t)
		se := h.next(t)
		for s.Stats().OutboxBytes < 8<<20 {
			se.Send(text(strings.Repeat("x", 64<<10)))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: %v, want %v", err, context.Canceled)
		}
		se.expectClosed(t, transport.ReasonShutdown)
	})
}
