package poller_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"reverb/poller"
	"reverb/transport"
)

func TestCloseReachesClient(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{}, h, secure)
		c := s.open(t)
		se := h.next(t)
		se.Send(text("last"))
		se.Close(4001, "Application does not exist")
		se.Send(text("too late"))
		se.Close(4009, "again")
		c.expect(ws.OpText, "last")
		c.expectClose(4001, "Application does not exist")
		c.expectEnd()
		c.write(message(ws.OpClose, ws.NewCloseFrameBody(4001, "")))
		se.expectClosed(t, transport.ReasonServerClose)
	})
}

// A refused connection is closed while it is opened, and what it already sent is not handed out.
func TestCloseInOpen(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		h.opened = func(s *session) {
			s.Send(text("error"))
			s.Close(4004, "over quota")
		}
		h.message = func(s *session, payload []byte, binary bool) { t.Error("message after Close") }
		s := start(t, poller.Config{}, h, secure)
		c := s.dial(t)
		c.write(append([]byte(upgradeHead), message(ws.OpText, []byte("subscribe"))...))
		c.accepted()
		c.expect(ws.OpText, "error")
		c.expectClose(4004, "over quota")
		c.expectEnd()
		c.Close()
		h.next(t).expectClosed(t, transport.ReasonServerClose)
	})
}

func TestCloseWithoutFrame(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{}, h, secure)
		c := s.open(t)
		se := h.next(t)
		se.Send(text("last"))
		se.Close(0, "")
		c.expect(ws.OpText, "last")
		c.expectEnd()
		c.Close()
		se.expectClosed(t, transport.ReasonServerClose)
	})
}

// The client keeps its side open: it is cut after CloseTimeout.
func TestCloseTimeout(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{CloseTimeout: 50 * time.Millisecond}, h, secure)
		c := s.open(t)
		se := h.next(t)
		se.Close(1000, "")
		c.expectClose(1000, "")
		se.expectClosed(t, transport.ReasonServerClose)
	})
}

func TestKill(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{}, h, secure)
		c := s.open(t)
		se := h.next(t)
		se.Kill(transport.ReasonSlowConsumer)
		se.Kill(transport.ReasonIO)
		se.expectClosed(t, transport.ReasonSlowConsumer)
		c.expectCut()
	})
}

func TestClientCloses(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{}, h, secure)
		for _, tt := range []struct {
			body []byte
			want uint16
		}{{nil, 1000}, {ws.NewCloseFrameBody(1001, "bye"), 1001}, {ws.NewCloseFrameBody(4100, ""), 4100}} {
			c := s.open(t)
			se := h.next(t)
			c.write(append(message(ws.OpClose, tt.body), message(ws.OpText, []byte("ignored"))...))
			reason := ""
			if len(tt.body) > 2 {
				reason = string(tt.body[2:])
			}
			c.expectClose(tt.want, reason)
			c.expectCut()
			se.expectClosed(t, transport.ReasonClientClose)
			if op := <-se.control; op != transport.ControlClose {
				t.Errorf("told of %v, want close", op)
			}
		}
	})
}

func TestPingPong(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{}, h, secure)
		c := s.open(t)
		se := h.next(t)
		c.write(message(ws.OpPing, []byte("are you there")))
		c.expect(ws.OpPong, "are you there")
		se.Ping()
		c.expect(ws.OpPing, "")
		c.write(message(ws.OpPong, nil))
		for _, want := range []transport.ControlOp{transport.ControlPing, transport.ControlPong} {
			if op := <-se.control; op != want {
				t.Errorf("told of %v, want %v", op, want)
			}
		}
	})
}

func TestViolations(t *testing.T) {
	unmasked := ws.MustCompileFrame(ws.NewTextFrame([]byte("x")))
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		h.opened = func(s *session) { s.SetMaxMessage(100) }
		h.message = func(*session, []byte, bool) { t.Error("message from a broken frame") }
		s := start(t, poller.Config{}, h, secure)
		for _, tt := range []struct {
			name   string
			bytes  []byte
			code   ws.StatusCode
			reason transport.Reason
		}{
			{"unmasked", unmasked, 1002, transport.ReasonProtocolError},
			{"too big", message(ws.OpText, make([]byte, 101)), 1009, transport.ReasonTooBig},
			{"not utf-8", message(ws.OpText, []byte{0xff}), 1007, transport.ReasonInvalidUTF8},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := s.open(t)
				c.write(append(tt.bytes, message(ws.OpText, []byte("ignored"))...))
				f, err := ws.ReadFrame(c.br)
				if err != nil {
					t.Fatal(err)
				}
				if code, _ := ws.ParseCloseFrameData(f.Payload); f.Header.OpCode != ws.OpClose || code != tt.code {
					t.Errorf("got opcode %d code %d, want close %d", f.Header.OpCode, code, tt.code)
				}
				c.expectEnd()
				c.Close()
				h.next(t).expectClosed(t, tt.reason)
			})
		}
	})
}

func TestClientVanishes(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{}, h, secure)
		c := s.open(t)
		se := h.next(t)
		if err := c.raw.(interface{ SetLinger(int) error }).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		c.raw.Close() // a reset
		se.expectClosed(t, transport.ReasonHangup)
		se.Send(text("nobody"))
		se.Close(1000, "")
		se.Kill(transport.ReasonIO)
	})
}

// Messages that came before the FIN are delivered before Closed, also when it is more than one turn of the loop reads.
func TestHalfClose(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		hold := make(chan struct{})
		got := make(chan int, 1000)
		h.message = func(s *session, payload []byte, _ bool) {
			<-hold
			got <- len(payload)
		}
		s := start(t, poller.Config{}, h, secure)
		c := s.open(t)
		se := h.next(t)
		const messages, size = 20, 50_000
		for range messages {
			c.write(message(ws.OpBinary, make([]byte, size)))
		}
		half := c.Conn.(interface{ CloseWrite() error })
		if err := half.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		close(hold)
		se.expectClosed(t, transport.ReasonHangup)
		if len(got) != messages {
			t.Errorf("%d messages, want %d", len(got), messages)
		}
		c.expectCut()
	})
}

func TestPanicCostsOneConnection(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		h.message = func(s *session, payload []byte, binary bool) {
			if strings.HasPrefix(string(payload), "panic") {
				panic("handler is broken")
			}
			echo(s, payload, binary)
		}
		s := start(t, poller.Config{}, h, secure)
		bystander := s.open(t)
		h.next(t)
		c := s.open(t)
		se := h.next(t)
		c.send("panic")
		c.expectClose(1011, "")
		c.expectEnd()
		c.Close()
		se.expectClosed(t, transport.ReasonPanic)
		bystander.send("fine")
		bystander.expect(ws.OpText, "fine")
		if st := s.Stats(); st.Panics != 1 || st.Closed["panic"] != 1 {
			t.Errorf("counted %+v", st)
		}
	})
}

func TestPanicInOpen(t *testing.T) {
	h := newHandler()
	h.opened = func(*session) { panic("open is broken") }
	s := start(t, poller.Config{}, h, false)
	c := s.open(t)
	c.expectClose(1011, "")
	c.expectEnd()
	c.Close()
	eventually(t, "closed", func() bool { st := s.Stats(); return st.Connections == 0 && st.Sockets == 0 })
}

func TestShutdownSaysGoodbye(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		h := newHandler()
		s := start(t, poller.Config{}, h, secure)
		c := s.open(t)
		silent := s.dial(t) // in its handshake
		first := "G"        // of a request
		if secure {
			first = "\x16" // of TLS
		}
		_, _ = silent.raw.Write([]byte(first))
		se := h.next(t)
		eventually(t, "both accepted", func() bool { return s.Stats().Sockets == 2 })
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		c.expectClose(1001, "")
		c.expectEnd()
		select {
		case err := <-done:
			t.Fatalf("Shutdown did not wait: %v", err)
		default:
		}
		c.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		se.expectClosed(t, transport.ReasonShutdown)
		if _, err := silent.raw.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && err == nil {
			t.Error("handshake was not cut")
		}
	})
}
