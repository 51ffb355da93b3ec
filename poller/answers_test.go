package poller_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"reverb/poller"
	"reverb/transport"
)

// asking is a handler that answers each message with size bytes, the message first.
func asking(size int) *handler {
	h := newHandler()
	h.message = func(s *session, payload []byte, _ bool) {
		s.Answer(text(string(payload) + strings.Repeat("x", size-len(payload))))
	}
	return h
}

// questions are n messages, all different.
func questions(n int) []byte {
	var all bytes.Buffer
	for i := range n {
		all.Write(message(ws.OpText, fmt.Appendf(nil, "%06d", i)))
	}
	return all.Bytes()
}

// A client may ask at once for much more than may wait for it, and has it all, in order, when it reads: it is not listened to while too
// many of its answers wait, which never are more than a few.
func TestAnswersWaitForTheClient(t *testing.T) {
	const asked, size, most = 200, 300_000, 512<<10 + 2*300_000
	transports(t, func(t *testing.T, secure bool) {
		h := asking(size)
		s := start(t, poller.Config{OutboxBytes: 2 << 20, OutboxTimeout: time.Minute}, h, secure)
		c := s.slow(t)
		h.next(t)
		c.write(questions(asked))
		eventually(t, "answers wait", func() bool { return s.Stats().OutboxBytes > 512<<10 })
		for i := range asked {
			c.expect(ws.OpText, fmt.Sprintf("%06d", i)+strings.Repeat("x", size-6))
			if waits := s.Stats().OutboxBytes; waits > most {
				t.Fatalf("%d bytes wait, want at most %d", waits, most)
			}
		}
	})
}

// A client that asks without end and never reads is cut, and holds little until then.
func TestQuestionsWithoutEndAreNotKept(t *testing.T) {
	const most = 2 << 20
	transports(t, func(t *testing.T, secure bool) {
		h := asking(100)
		s := start(t, poller.Config{OutboxTimeout: time.Second}, h, secure)
		c := s.slow(t)
		se := h.next(t)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for all := questions(1000); ; {
				if _, err := c.Write(all); err != nil {
					return
				}
			}
		}()
		for len(se.closed) == 0 {
			if waits := s.Stats().OutboxBytes; waits > most {
				t.Errorf("%d bytes wait, want at most %d", waits, most)
				break
			}
		}
		se.expectClosed(t, transport.ReasonSlowConsumer)
		<-ended
	})
}

// What a client says behind its questions is heard though it hangs up without reading the answers.
func TestLastWordsBehindAnswersAreHeard(t *testing.T) {
	h := newHandler()
	heard := make(chan string, 10)
	h.message = func(s *session, payload []byte, _ bool) {
		heard <- string(payload)
		if string(payload) != "bye" {
			s.Answer(text(strings.Repeat("x", 8<<20)))
		}
	}
	s := start(t, poller.Config{}, h, false)
	c := s.slow(t)
	se := h.next(t)
	c.write(append(questions(1), message(ws.OpText, []byte("bye"))...))
	eventually(t, "answers wait", func() bool { return s.Stats().OutboxBytes > 512<<10 })
	c.Close()
	se.expectClosed(t, transport.ReasonHangup)
	close(heard)
	last := ""
	for text := range heard {
		last = text
	}
	if last != "bye" {
		t.Errorf("the last words are %q", last)
	}
}

// An answer that comes by another way is told when there is room for it, or when the connection has ended.
func TestRoomForAnswers(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		for name, end := range map[string]func(c *client, se *session){
			"read":   func(c *client, _ *session) { _, _ = io.CopyN(io.Discard, c.br, 8<<20) },
			"closed": func(_ *client, se *session) { se.Close(4200, "") },
			"killed": func(_ *client, se *session) { se.Kill(transport.ReasonShutdown) },
		} {
			t.Run(name, func(t *testing.T) {
				h := newHandler()
				s := start(t, poller.Config{}, h, secure)
				c := s.slow(t)
				se := h.next(t)
				if !se.Room(func() { t.Error("called though there was room") }) {
					t.Error("no room in an empty outbox")
				}
				se.Answer(text(strings.Repeat("x", 10<<20)))
				called := make(chan int, 3)
				for i := range cap(called) {
					if se.Room(func() { called <- i }) {
						t.Fatal("room behind 10 MiB")
					}
				}
				end(c, se)
				if name == "read" {
					_, _ = io.CopyN(io.Discard, c.br, 2<<20)
				}
				for i := range cap(called) {
					if got := <-called; got != i {
						t.Errorf("call %d came as number %d", got, i)
					}
				}
			})
		}
	})
}
