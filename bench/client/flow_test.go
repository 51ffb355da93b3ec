package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reverb/bench/client"
)

// TestLargeMessages: messages beyond every buffer come whole, and what follows them too.
func TestLargeMessages(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		sizes := []int{100, 4_000, 65_500, 65_536, 70_000, 300_000, 3 << 20, 10}
		target := listen(t, secure, func(p *peer) {
			p.open()
			for _, n := range sizes {
				p.write(text(`{"event":"e","channel":"c","data":"` + strings.Repeat("x", n) + `"}`))
			}
			half := strings.Repeat("y", 1<<20)
			p.write(frame(0x01, []byte(`{"event":"e","data":"`)))
			p.write(frame(0x00, []byte(half)))
			p.write(frame(0x00, []byte(half)))
			p.write(frame(0x80, []byte(`"}`)))
			_ = p.drain()
		})
		f, r := newFleet(t, client.Options{Target: target}), newRecorder()
		f.Dial(r)
		r.want(t, connected{"1.2"})
		for _, n := range sizes {
			if got, want := r.next(t), (event{"e", "c", `"` + strings.Repeat("x", n) + `"`}); got != want {
				t.Fatalf("message of %d bytes is another one", n)
			}
		}
		if got, want := r.next(t), (event{"e", "", `"` + strings.Repeat("y", 2<<20) + `"`}); got != want {
			t.Fatal("fragmented message is another one")
		}
	})
}

func TestViolations(t *testing.T) {
	cases := map[string]struct {
		bytes []byte
		want  string
	}{
		"masked":              {append([]byte{0x81, 0x82}, make([]byte, 6)...), "masked frame"},
		"reserved bit":        {frame(0xc1, []byte("{}")), "frame with a reserved bit"},
		"opcode 3":            {frame(0x83, nil), "frame with an unknown opcode"},
		"opcode 11":           {frame(0x8b, nil), "frame with an unknown opcode"},
		"fragmented ping":     {frame(0x09, nil), "fragmented control frame"},
		"long ping":           {frame(0x89, make([]byte, 126)), "control frame of more than 125 bytes"},
		"padded 16 bits":      {[]byte{0x81, 126, 0, 125}, "frame length in more bytes than it needs"},
		"padded 64 bits":      {[]byte{0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, "frame length in more bytes than it needs"},
		"endless":             {[]byte{0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0}, "frame of more than 16 MiB"},
		"binary":              {frame(0x82, []byte("{}")), "binary message"},
		"continues nothing":   {frame(0x80, []byte("{}")), "continuation of nothing"},
		"begins inside":       {append(frame(0x01, []byte("{")), frame(0x81, []byte("{}"))...), "new message inside of a fragmented one"},
		"not UTF-8":           {frame(0x81, []byte("{\"event\":\"\xff\"}")), "text is not UTF-8"},
		"not JSON":            {text("hello"), "message is not a JSON object with an event"},
		"without event":       {text(`{"data":1}`), "message is not a JSON object with an event"},
		"event is a number":   {text(`{"event":1}`), "message is not a JSON object with an event"},
		"close of one byte":   {frame(0x88, []byte{3}), "close frame of one byte"},
		"close with 1005":     {frame(0x88, []byte{3, 0xed}), "close code that may not be sent"},
		"close reason is not": {frame(0x88, []byte{3, 0xe8, 0xff}), "close reason is not UTF-8"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			f, r := newFleet(t, client.Options{Target: listen(t, false, func(p *peer) {
				p.open()
				p.write(test.bytes)
				_ = p.drain()
			})}), newRecorder()
			f.Dial(r)
			r.want(t, connected{"1.2"})
			r.want(t, closed{&client.ProtocolError{What: test.want}})
		})
	}
}

func TestCloseFrameWithoutCode(t *testing.T) {
	f, r := newFleet(t, client.Options{Target: listen(t, false, func(p *peer) {
		p.open()
		p.write(frame(0x88, nil))
		p.want(8, "")
	})}), newRecorder()
	f.Dial(r)
	r.want(t, connected{"1.2"})
	r.want(t, closed{&client.CloseError{Code: 1005}})
}

// TestCloseBeforeConnected: nothing is heard but the end.
func TestCloseBeforeConnected(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		target := listen(t, secure, func(p *peer) { _ = p.drain() })
		f := newFleet(t, client.Options{Target: target})
		for _, end := range []func(*client.Client){(*client.Client).Close, (*client.Client).Kill} {
			r := newRecorder()
			end(f.Dial(r))
			r.want(t, closed{client.ErrClosed})
			r.silent(t)
		}
	})
}

func TestKillResets(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		ended := make(chan error, 1)
		target := listen(t, secure, func(p *peer) {
			p.open()
			ended <- p.drain()
		})
		f, r := newFleet(t, client.Options{Target: target}), newRecorder()
		c := f.Dial(r)
		r.want(t, connected{"1.2"})
		c.Kill()
		r.want(t, closed{client.ErrClosed})
		if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("server read %v, want a reset", err)
		}
	})
}

// TestServerIsSilent: after activity_timeout the client asks, as pusher-js does.
func TestServerIsSilent(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		target := listen(t, secure, func(p *peer) {
			_, accept := p.request()
			p.write(append([]byte(accept), greeting(1)...))
			p.want(1, `{"event":"pusher:ping","data":{}}`)
			p.write(text(`{"event":"pusher:pong","data":"{}"}`))
			p.write(text(`{"event":"pusher:pong"}`)) // not asked for: shown
			_ = p.drain()
		})
		f, r := newFleet(t, client.Options{Target: target}), newRecorder()
		f.Dial(r)
		r.want(t, connected{"1.2"})
		r.want(t, event{name: "pusher:pong"})
	})
}

// TestPause: a client that does not read stops the server, and hears everything later.
func TestPause(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		const messages = 20_000
		release, stuck := make(chan struct{}), make(chan struct{})
		target := listen(t, secure, func(p *peer) {
			p.open()
			<-release
			var all []byte
			for i := range messages {
				all = append(all, text(fmt.Sprintf(`{"event":"%d","data":"%s"}`, i, strings.Repeat("x", 1000)))...)
			}
			if secure { // a write of TLS that runs into its deadline cannot go on: so nothing is cut here
				go func() { <-time.After(300 * time.Millisecond); close(stuck) }()
				p.write(all)
				_ = p.drain()
				return
			}
			for len(all) > 0 {
				_ = p.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
				n, err := p.Write(all)
				all = all[n:]
				if errors.Is(err, os.ErrDeadlineExceeded) {
					close(stuck)
					_ = p.SetWriteDeadline(time.Now().Add(patience))
					p.write(all)
					all = nil
				}
			}
			_ = p.drain()
		})
		f, r := newFleet(t, client.Options{Target: target}), newRecorder()
		c := f.Dial(r)
		r.want(t, connected{"1.2"})
		c.Pause()
		close(release)
		<-stuck
		if n := len(r.heard); n > 1000 {
			t.Errorf("heard %d while paused", n)
		}
		c.Resume()
		want := `"` + strings.Repeat("x", 1000) + `"`
		for i := range messages {
			if got := r.next(t); got != (event{strconv.Itoa(i), "", want}) {
				t.Fatalf("message %d is another one", i)
			}
		}
	})
}

// TestServerDoesNotRead: bytes that the socket does not take wait, in order, up to a bound.
func TestServerDoesNotRead(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		release := make(chan struct{})
		target := listen(t, secure, func(p *peer) {
			p.open()
			<-release
			if p.r.Buffered() == 0 {
				_ = p.drain()
			}
		})
		f, r := newFleet(t, client.Options{Target: target}), newRecorder()
		c := f.Dial(r)
		r.want(t, connected{"1.2"})
		sent := 0
		for part := bytes.Repeat([]byte("z"), 256<<10); len(r.heard) == 0; sent += len(part) {
			if sent > 256<<20 {
				t.Fatal("took 256 MiB that nobody reads")
			}
			c.Send(part)
		}
		r.want(t, closed{client.ErrQueue})
		close(release)
	})
}

// TestManySenders: frames of many goroutines come whole and in the order of each, through a full socket too.
func TestManySenders(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		const senders, each = 8, 300
		done := make(chan struct{})
		target := listen(t, secure, func(p *peer) {
			defer close(done)
			p.open()
			var next [senders]int
			for range senders * each {
				_, got, err := p.next()
				var sender, n int
				if _, scanErr := fmt.Sscanf(got, "%d %d", &sender, &n); err != nil || scanErr != nil || next[sender] != n {
					t.Errorf("got %.20q %v, want number %d", got, err, next[sender])
					return
				}
				next[sender]++
			}
		})
		f, r := newFleet(t, client.Options{Target: target}), newRecorder()
		c := f.Dial(r)
		r.want(t, connected{"1.2"})
		var wg sync.WaitGroup
		for sender := range senders {
			wg.Go(func() {
				for n := range each {
					c.Send(fmt.Appendf(nil, "%d %d %s", sender, n, strings.Repeat("p", 300)))
				}
			})
		}
		wg.Wait()
		<-done
	})
}

// TestMany: two loops, all clients, every message.
func TestMany(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		clients, each := 300, 50
		if secure {
			clients = 40
		}
		target := listen(t, secure, func(p *peer) {
			if !p.open() {
				return
			}
			for i := range each {
				p.write(text(fmt.Sprintf(`{"event":"%d"}`, i)))
			}
			_ = p.drain()
		})
		f := newFleet(t, client.Options{Target: target, Loops: 2})
		all := make([]*recorder, clients)
		for i := range all {
			all[i] = &recorder{heard: make(chan any, each+2)}
			f.Dial(all[i])
		}
		for _, r := range all {
			r.want(t, connected{"1.2"})
			for i := range each {
				r.want(t, event{name: strconv.Itoa(i)})
			}
		}
		f.Close()
		for _, r := range all {
			r.want(t, closed{client.ErrClosed})
			r.silent(t)
		}
		if s := f.Stats(); s.Frames != int64(clients*(each+1)) {
			t.Errorf("%d frames, want %d", s.Frames, clients*(each+1))
		}
	})
}

func TestOptions(t *testing.T) {
	if _, err := client.NewFleet(client.Options{Target: client.Target{Addr: "no port"}}); err == nil {
		t.Error("took an address without a port")
	}
	o := client.Options{Target: client.Target{Addr: "127.0.0.1:1"}}
	o.Sources = []netip.Addr{netip.IPv6Loopback()}
	if _, err := client.NewFleet(o); err == nil {
		t.Error("took a source of another family")
	}
}
