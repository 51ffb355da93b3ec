package client_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"reverb/bench/client"
)

func sign(text string) string {
	m := hmac.New(sha256.New, []byte("secret"))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// TestLife is one client from its first byte to its last.
func TestLife(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		target := listen(t, secure, func(p *peer) {
			r, accept := p.request()
			if r == nil {
				return
			}
			if got := r.URL.Path; got != "/ws/app/key" {
				t.Errorf("path %q", got)
			}
			if got := r.Header.Get("Origin"); got != "https://site" {
				t.Errorf("origin %q", got)
			}
			p.write([]byte(accept))
			p.write(greeting(30))
			p.want(1, `{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"key:`+sign("1.2:private-a")+`"}}`)
			p.write(text(`{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"private-a"}`))
			p.write(frame(0x89, []byte("are you there")))
			p.want(10, "are you there")
			p.write(text(`{"event":"pusher:ping"}`))
			p.want(1, `{"event":"pusher:pong","data":{}}`)
			p.write(text(`{"event":"news","channel":"private-a","data":"{\"a\":1}"}`))
			p.want(8, "\x03\xe8")
		})
		target.Prefix, target.Origin = "ws/", "https://site"
		f, r := newFleet(t, client.Options{Target: target}), newRecorder()
		c := f.Dial(r)
		r.want(t, connected{"1.2"})
		if c.Began() <= 0 || c.Began() > client.Now() {
			t.Errorf("began at %d", c.Began())
		}
		c.Subscribe("private-a", "")
		r.want(t, subscribed{"private-a"})
		r.want(t, event{"news", "private-a", `"{\"a\":1}"`})
		if s := f.Stats(); s.Open != 1 || s.Connecting != 0 {
			t.Errorf("stats %+v", s)
		}
		c.Close()
		c.Close()
		r.want(t, closed{client.ErrClosed})
		c.Send([]byte("dropped"))
		c.Kill()
		f.Close()
		s := f.Stats()
		if s.Open != 0 || s.Connecting != 0 || s.Frames != 4 || s.BytesIn == 0 || s.BytesOut == 0 || s.Wakeups == 0 || s.BusyNs <= 0 {
			t.Errorf("stats %+v", s)
		}
		r.silent(t)
	})
}

func TestWhatIsSent(t *testing.T) {
	data := `{"user_id":"1","user_info":{"name":"Zo\u00eb \"Z\""}}`
	quoted := `"{\"user_id\":\"1\",\"user_info\":{\"name\":\"Zo\\u00eb \\\"Z\\\"\"}}"`
	cases := map[string]struct {
		send func(c *client.Client)
		want string
	}{
		"public":      {func(c *client.Client) { c.Subscribe("a", "") }, `{"event":"pusher:subscribe","data":{"channel":"a"}}`},
		"presence":    {func(c *client.Client) { c.Subscribe("presence-a", data) }, `{"event":"pusher:subscribe","data":{"channel":"presence-a","auth":"key:` + sign("1.2:presence-a:"+data) + `","channel_data":` + quoted + `}}`},
		"unsubscribe": {func(c *client.Client) { c.Unsubscribe("a\n") }, `{"event":"pusher:unsubscribe","data":{"channel":"a\u000a"}}`},
		"trigger":     {func(c *client.Client) { c.Trigger("client-x", "private-a", `[1]`) }, `{"event":"client-x","channel":"private-a","data":[1]}`},
		"text":        {func(c *client.Client) { c.Send([]byte("anything")) }, "anything"},
		"long text":   {func(c *client.Client) { c.Send(make([]byte, 70_000)) }, string(make([]byte, 70_000))},
		"200 bytes":   {func(c *client.Client) { c.Send(make([]byte, 200)) }, string(make([]byte, 200))},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			done := make(chan struct{})
			f := newFleet(t, client.Options{Target: listen(t, false, func(p *peer) {
				p.open()
				p.want(1, test.want)
				close(done)
			})})
			r := newRecorder()
			c := f.Dial(r)
			r.want(t, connected{"1.2"})
			test.send(c)
			<-done
		})
	}
}

// TestPieces: the bytes of the server may come in pieces of any size, from the first to the last.
func TestPieces(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		for _, size := range []int{1, 2, 3, 7, 50, 10_000} {
			target := listen(t, secure, func(p *peer) {
				r, accept := p.request()
				if r == nil {
					return
				}
				all := append([]byte(accept), greeting(30)...)
				all = append(all, text(`{"event":"a","channel":"b","data":"1"}`)...)
				all = append(all, frame(0x01, []byte(`{"event":"c",`))...)
				all = append(all, frame(0x89, nil)...)
				all = append(all, frame(0x00, []byte(`"channel":"d"`))...)
				all = append(all, frame(0x80, []byte(`,"data":{"e":2}}`))...)
				all = append(all, frame(0x88, []byte("\x0f\xa1bye"))...)
				for i := 0; i < len(all); i += size {
					p.write(all[i:min(i+size, len(all))])
				}
				p.want(10, "")
				p.want(8, "\x0f\xa1")
			})
			f, r := newFleet(t, client.Options{Target: target}), newRecorder()
			f.Dial(r)
			r.want(t, connected{"1.2"})
			r.want(t, event{"a", "b", `"1"`})
			r.want(t, event{"c", "d", `{"e":2}`})
			r.want(t, closed{&client.CloseError{Code: 4001, Reason: "bye"}})
			f.Close()
			r.silent(t)
		}
	})
}

func TestConnectFailures(t *testing.T) {
	answer := func(s string) func(p *peer) {
		return func(p *peer) {
			_, _ = p.request()
			p.write([]byte(s))
		}
	}
	first := func(message string) func(p *peer) {
		return func(p *peer) {
			_, accept := p.request()
			p.write(append([]byte(accept), text(message)...))
		}
	}
	cases := map[string]struct {
		serve func(p *peer)
		want  error
	}{
		"not found":      {answer("HTTP/1.1 404 Not Found\r\n\r\n"), &client.UpgradeError{Status: 404, What: `"HTTP/1.1 404 Not Found"`}},
		"other protocol": {answer("SSH-2.0\r\n\r\n"), &client.UpgradeError{What: `"SSH-2.0"`}},
		"wrong accept": {answer("HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n"),
			&client.UpgradeError{Status: 101, What: "wrong Sec-WebSocket-Accept"}},
		"extension": {answer("HTTP/1.1 101 OK\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
			&client.UpgradeError{Status: 101, What: "an extension that was not offered"}},
		"endless head": {answer("HTTP/1.1 101 OK\r\n" + string(make([]byte, 20_000))), &client.UpgradeError{What: "head of more than 16 KiB"}},
		"no answer":    {answer(""), io.EOF},
		"refused": {first(`{"event":"pusher:error","data":"{\"code\":4001,\"message\":\"no such \\\"app\\\"\"}"}`),
			&client.RefusedError{Code: 4001, Message: `no such "app"`}},
		"refused, data as object": {first(`{"event":"pusher:error","data":{"code":4004,"message":"full"}}`), &client.RefusedError{Code: 4004, Message: "full"}},
		"other first message":     {first(`{"event":"hello"}`), &client.ProtocolError{What: `first message is "hello"`}},
		"no socket id":            {first(`{"event":"pusher:connection_established"}`), &client.ProtocolError{What: "connection_established without socket_id"}},
	}
	transports(t, func(t *testing.T, secure bool) {
		for name, test := range cases {
			t.Run(name, func(t *testing.T) {
				f, r := newFleet(t, client.Options{Target: listen(t, secure, test.serve)}), newRecorder()
				f.Dial(r)
				r.want(t, closed{test.want})
				if s := f.Stats(); s.Open != 0 || s.Connecting != 0 {
					t.Errorf("stats %+v", s)
				}
			})
		}
	})
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	transports(t, func(t *testing.T, secure bool) {
		f, r := newFleet(t, client.Options{Target: client.Target{Addr: l.Addr().String(), TLS: secure}}), newRecorder()
		f.Dial(r)
		r.want(t, closed{syscall.ECONNREFUSED})
	})
}

func TestConnectTimeout(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		target := listen(t, secure, func(p *peer) { _ = p.drain() })
		f, r := newFleet(t, client.Options{Target: target, ConnectTimeout: 100 * time.Millisecond}), newRecorder()
		f.Dial(r)
		r.want(t, closed{client.ErrTimeout})
	})
}

// TestConnecting: no more clients than Options.Connecting are on their way at once, and all arrive.
func TestConnecting(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		const clients, limit = 40, 3
		var now, most atomic.Int64
		target := listen(t, secure, func(p *peer) {
			n := now.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			_, accept := p.request()
			now.Add(-1)
			p.write(append([]byte(accept), greeting(30)...))
			_ = p.drain()
		})
		f, r := newFleet(t, client.Options{Target: target, Connecting: limit}), newRecorder()
		for range clients {
			f.Dial(r)
		}
		for range clients {
			r.want(t, connected{"1.2"})
		}
		if most.Load() > limit {
			t.Errorf("%d at once, want %d at most", most.Load(), limit)
		}
		if s := f.Stats(); s.Open != clients || s.Connecting != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestFleetClose ends clients in every state: waiting, connecting, open; and none begins afterwards.
func TestFleetClose(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		target := listen(t, secure, func(p *peer) {
			p.open()
			_ = p.drain()
		})
		const clients = 60
		f, r := newFleet(t, client.Options{Target: target, Loops: 2, Connecting: 4}), newRecorder()
		for range clients {
			f.Dial(r)
		}
		r.want(t, connected{"1.2"})
		f.Close()
		f.Close()
		f.Dial(r)
		ended := 0
		for range len(r.heard) {
			if c, ok := r.next(t).(closed); ok {
				ended++
				if !errors.Is(c.err, client.ErrClosed) {
					t.Errorf("closed with %v", c.err)
				}
			}
		}
		if ended != clients+1 {
			t.Errorf("%d closed, want %d", ended, clients+1)
		}
		if s := f.Stats(); s.Open != 0 || s.Connecting != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// again is a handler that dials again until it was closed often enough.
type again struct {
	fleet  *client.Fleet
	left   int
	done   chan struct{}
	forget sync.Once
}

func (a *again) Connected(c *client.Client, _ int64)       { c.Kill() }
func (a *again) Subscribed(*client.Client, []byte, int64)  {}
func (a *again) Event(*client.Client, client.Event, int64) {}
func (a *again) Closed(*client.Client, error) {
	if a.left--; a.left > 0 {
		a.fleet.Dial(a)
		return
	}
	a.forget.Do(func() { close(a.done) })
}

func TestDialFromHandler(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		f := newFleet(t, client.Options{Target: listen(t, secure, func(p *peer) {
			p.open()
			_ = p.drain()
		})})
		a := &again{fleet: f, left: 20, done: make(chan struct{})}
		f.Dial(a)
		<-a.done
	})
}

// TestSources: without a word about it, a fleet on loopback comes from several addresses.
func TestSources(t *testing.T) {
	var mu sync.Mutex
	from := map[string]bool{}
	f, r := newFleet(t, client.Options{Target: listen(t, false, func(p *peer) {
		host, _, _ := net.SplitHostPort(p.RemoteAddr().String())
		mu.Lock()
		from[host] = true
		mu.Unlock()
		p.open()
	})}), newRecorder()
	for range 16 {
		f.Dial(r)
		r.want(t, connected{"1.2"})
		r.want(t, closed{io.EOF})
	}
	mu.Lock()
	defer mu.Unlock()
	if len(from) != 8 && len(from) != 1 { // 1 where the system has no others
		t.Errorf("came from %v", from)
	}
}
