package client_test

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reverb/bench/client"
)

// call is one request as the server read it.
type call struct {
	*http.Request
	body string
}

// read reads one request of a publisher; nil at the end.
func (p *peer) call() *call {
	r, err := http.ReadRequest(p.r)
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	return &call{r, string(body)}
}

const accepted = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

// TestSignatures are checked as Pusher's "HTTP API: Authentication" says.
func TestSignatures(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		calls := make(chan *call, 1)
		target := listen(t, secure, func(p *peer) {
			for c := p.call(); c != nil; c = p.call() {
				calls <- c
				p.write([]byte(accepted))
			}
		})
		target.Prefix = "/ws"
		p := client.NewPublisher(target, 1, true)
		defer p.Close()
		cases := map[string]struct {
			do           func() (int, error)
			method, path string
			query, body  string
		}{
			"publish": {func() (int, error) { return p.Publish([]byte(`{"a":1}`)) }, "POST", "/apps/7/events", "", `{"a":1}`},
			"batch":   {func() (int, error) { return p.PublishBatch([]byte(`{"batch":[]}`)) }, "POST", "/apps/7/batch_events", "", `{"batch":[]}`},
			"get": {func() (int, error) {
				status, body, err := p.Get("/channels", "filter_by_prefix=presence-&info=user_count")
				if string(body) != "{}" {
					t.Errorf("body %q", body)
				}
				return status, err
			}, "GET", "/apps/7/channels", "filter_by_prefix=presence-&info=user_count", ""},
		}
		for name, test := range cases {
			t.Run(name, func(t *testing.T) {
				status, err := test.do()
				if status != 200 || err != nil {
					t.Fatalf("status %d, %v", status, err)
				}
				c := <-calls
				if c.Method != test.method || c.URL.Path != "/ws"+test.path || c.body != test.body || c.Host != target.Addr {
					t.Errorf("got %s %s of %s with %q", c.Method, c.URL.Path, c.Host, c.body)
				}
				checkSignature(t, c, test.path)
				want, _ := url.ParseQuery(test.query)
				for name := range want {
					if got := c.URL.Query().Get(name); got != want.Get(name) {
						t.Errorf("%s is %q", name, got)
					}
				}
			})
		}
	})
}

func checkSignature(t *testing.T, c *call, path string) {
	t.Helper()
	q := c.URL.Query()
	if q.Get("auth_key") != "key" || q.Get("auth_version") != "1.0" {
		t.Errorf("query %q", c.URL.RawQuery)
	}
	sum := md5.Sum([]byte(c.body))
	if got := q.Get("body_md5"); c.body != "" && got != hex.EncodeToString(sum[:]) || c.body == "" && got != "" {
		t.Errorf("body_md5 %q", got)
	}
	var at int64
	if _, err := fmt.Sscan(q.Get("auth_timestamp"), &at); err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
		t.Errorf("auth_timestamp %q", q.Get("auth_timestamp"))
	}
	got := q.Get("auth_signature")
	q.Del("auth_signature") // Encode sorts
	sorted, _ := url.QueryUnescape(q.Encode())
	if want := sign(c.Method + "\n" + path + "\n" + sorted); got != want {
		t.Errorf("auth_signature %q, want %q over %q", got, want, sorted)
	}
}

// TestAnswers: the part of an answer that is read, and whether the connection is used again.
func TestAnswers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	cases := map[string]struct {
		answer string
		status int
		body   string
		kept   bool
		fails  string
	}{
		"length":           {accepted, 200, "{}", true, ""},
		"chunked":          {head + "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: 1\r\n\r\n", 200, "hello!", true, ""},
		"no body":          {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true, ""},
		"continue":         {"HTTP/1.1 100 Continue\r\n\r\n" + accepted, 200, "{}", true, ""},
		"refused":          {"HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\n\r\nnope", 401, "nope", true, ""},
		"lines without CR": {"HTTP/1.1 200 OK\nContent-Length: 1\n\n{", 200, "{", true, ""},
		"says close":       {head + "Connection: Close\r\nContent-Length: 1\r\n\r\n{", 200, "{", false, ""},
		"HTTP/1.0":         {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n{", 200, "{", false, ""},
		"HTTP/1.0 kept":    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n{", 200, "{", true, ""},
		"more than asked":  {accepted + "HTTP/1.1 200 OK\r\n", 200, "{}", false, ""},
		"until the end":    {"HTTP/1.1 404 Not Found\r\n\r\nNot found.", 404, "Not found.", false, ""},
		"not HTTP":         {"SSH-2.0\r\n\r\n", 0, "", false, "server broke the protocol: answer without a status"},
		"two lengths":      {head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 0, "", false, "server broke the protocol: Content-Length that is none"},
		"negative length":  {head + "Content-Length: -1\r\n\r\n", 0, "", false, "server broke the protocol: Content-Length that is none"},
		"gzip":             {head + "Transfer-Encoding: gzip\r\n\r\n", 0, "", false, "server broke the protocol: transfer coding that was not asked for"},
		"endless line":     {head + strings.Repeat("x", 5000), 0, "", false, "server broke the protocol: line of more than 4 KiB"},
		"endless head":     {head + strings.Repeat("X-A: "+strings.Repeat("x", 1000)+"\r\n", 70), 0, "", false, "server broke the protocol: head of more than 64 KiB"},
		"cut in the head":  {"HTTP/1.1 200", 0, "", false, io.ErrUnexpectedEOF.Error()},
		"cut in the body":  {head + "Content-Length: 5\r\n\r\n{", 0, "", false, io.ErrUnexpectedEOF.Error()},
		"cut in a chunk":   {head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhe", 0, "", false, io.ErrUnexpectedEOF.Error()},
		"no answer":        {"", 0, "", false, io.EOF.Error()},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int64
			p := client.NewPublisher(listen(t, false, func(p *peer) {
				connections.Add(1)
				for c := p.call(); c != nil; c = p.call() {
					p.write([]byte(test.answer))
					if !test.kept && test.status == 404 || test.fails != "" {
						return
					}
				}
			}), 1, true)
			defer p.Close()
			for range 2 {
				status, body, err := p.Get("/channels", "")
				if test.fails != "" && (err == nil || err.Error() != "answer: "+test.fails) || test.fails == "" && err != nil {
					t.Errorf("error %v, want %q", err, test.fails)
				}
				if err == nil && (status != test.status || string(body) != test.body) {
					t.Errorf("got %d %q, want %d %q", status, body, test.status, test.body)
				}
			}
			if got := connections.Load(); (got == 1) != test.kept {
				t.Errorf("%d connections, kept %t", got, test.kept)
			}
			if p.Resent() != 0 {
				t.Errorf("sent %d again", p.Resent())
			}
		})
	}
}

// TestIdleConnectionEnds: the end of an unused connection is noticed before a request is written to it.
func TestIdleConnectionEnds(t *testing.T) {
	var connections atomic.Int64
	gone := make(chan struct{}, 10)
	p := client.NewPublisher(listen(t, false, func(p *peer) {
		connections.Add(1)
		if p.call() != nil {
			p.write([]byte(accepted))
		}
		_ = p.Close()
		gone <- struct{}{}
	}), 1, true)
	defer p.Close()
	for range 5 {
		if status, err := p.Publish([]byte("{}")); status != 200 || err != nil {
			t.Fatalf("status %d, %v", status, err)
		}
		<-gone
		<-time.After(5 * time.Millisecond) // idle for long enough to be looked at
	}
	if connections.Load() != 5 || p.Resent() != 0 {
		t.Errorf("%d connections and %d sent again, want 5 and none", connections.Load(), p.Resent())
	}
}

// TestUnannouncedEnd: a server that ends each connection after one answer, without saying so, is understood soon.
func TestUnannouncedEnd(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		p := client.NewPublisher(listen(t, secure, func(p *peer) {
			if p.call() != nil {
				p.write([]byte(accepted))
			}
		}), 1, true)
		defer p.Close()
		for range 50 {
			if status, err := p.Publish([]byte("{}")); status != 200 || err != nil {
				t.Fatalf("status %d, %v", status, err)
			}
		}
		if p.Resent() > 3 {
			t.Errorf("%d sent again, want 3 at most", p.Resent())
		}
	})
}

func TestConnectionPerRequest(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		var connections, closing atomic.Int64
		p := client.NewPublisher(listen(t, secure, func(p *peer) {
			connections.Add(1)
			for c := p.call(); c != nil; c = p.call() {
				if c.Close {
					closing.Add(1)
				}
				p.write([]byte(accepted))
			}
		}), 2, false)
		for range 10 {
			if status, err := p.Publish([]byte("{}")); status != 200 || err != nil {
				t.Fatalf("status %d, %v", status, err)
			}
		}
		p.Close()
		if connections.Load() != 10 || closing.Load() != 10 {
			t.Errorf("%d connections, %d said close, want 10", connections.Load(), closing.Load())
		}
	})
}

// TestManyCallers share a few connections, and each gets the answer to its own request.
func TestManyCallers(t *testing.T) {
	var connections atomic.Int64
	p := client.NewPublisher(listen(t, false, func(p *peer) {
		connections.Add(1)
		for c := p.call(); c != nil; c = p.call() {
			q := c.URL.Query().Get("info")
			p.write(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(q), q))
		}
	}), 3, true)
	var wg sync.WaitGroup
	for caller := range 16 {
		wg.Go(func() {
			for n := range 100 {
				want := fmt.Sprintf("%d.%d", caller, n)
				if _, body, err := p.Get("/channels", "info="+want); err != nil || string(body) != want {
					t.Errorf("got %q %v, want %q", body, err, want)
				}
			}
		})
	}
	wg.Wait()
	p.Close()
	if n := connections.Load(); n > 3 {
		t.Errorf("%d connections, want 3 at most", n)
	}
}

func TestRequestTimeout(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		var calls atomic.Int64
		p := client.NewPublisher(listen(t, secure, func(p *peer) {
			for c := p.call(); c != nil; c = p.call() {
				if calls.Add(1) != 2 {
					p.write([]byte(accepted))
				}
			}
		}), 1, true)
		p.Timeout = 150 * time.Millisecond
		defer p.Close()
		for n, want := range []error{nil, client.ErrNoAnswer, nil} {
			if _, err := p.Publish([]byte("{}")); !errors.Is(err, want) {
				t.Errorf("call %d: %v, want %v", n, err, want)
			}
		}
		if p.Resent() != 0 {
			t.Error("sent again after a timeout")
		}
	})
}

// TestPublisherClose ends calls under way and those that wait for a connection.
func TestPublisherClose(t *testing.T) {
	transports(t, func(t *testing.T, secure bool) {
		asked := make(chan struct{}, 10)
		p := client.NewPublisher(listen(t, secure, func(p *peer) {
			for c := p.call(); c != nil; c = p.call() {
				asked <- struct{}{}
			}
		}), 1, true)
		errs := make(chan error)
		for range 3 {
			go func() {
				_, err := p.Publish([]byte("{}"))
				errs <- err
			}()
		}
		<-asked
		p.Close()
		for range 3 {
			if err := <-errs; !errors.Is(err, client.ErrClosed) {
				t.Errorf("got %v", err)
			}
		}
		if _, err := p.Publish(nil); !errors.Is(err, client.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// TestPublisherTarget: a target that cannot be is the error of the calls.
func TestPublisherTarget(t *testing.T) {
	p := client.NewPublisher(client.Target{Addr: "no port"}, 1, true)
	defer p.Close()
	if _, err := p.Publish(nil); err == nil || !strings.Contains(err.Error(), "no port") {
		t.Errorf("got %v", err)
	}
}

// TestPublishAllocates nothing: its garbage would be taken for the server's latency.
func TestPublishAllocates(t *testing.T) {
	answer := []byte(accepted)
	p := client.NewPublisher(listen(t, false, func(p *peer) {
		r := bufio.NewReader(p.Conn)
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) == 2 { // the end of the head; the body is one line
				if _, err := r.ReadSlice('\n'); err != nil {
					return
				}
				p.write(answer)
			}
		}
	}), 1, true)
	defer p.Close()
	body := []byte("{\"name\":\"x\",\"channel\":\"c\",\"data\":\"d\"}\n")
	if n := testing.AllocsPerRun(200, func() {
		if status, err := p.Publish(body); status != 200 || err != nil {
			t.Fatalf("status %d, %v", status, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
