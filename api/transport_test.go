package api_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"reverb/api"
	"reverb/config"
)

// pipeListener is a listener whose connections are pipes of this process.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

// bubble is a world in a time of its own, behind a real http.Server over pipes.
type bubble struct {
	*testing.T
	node *node
	dial func() net.Conn
}

func served(t *testing.T, edit func(*config.Config), f func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, edit)
		srv := api.NewHTTPServer(w.cfg, w.handler, slog.New(slog.DiscardHandler))
		l := newPipeListener()
		ended := make(chan error, 1)
		go func() { ended <- srv.Serve(w.api(slog.New(slog.DiscardHandler)).PlainErrors(l)) }()
		f(&bubble{t, w.node, l.dial})
		if err := srv.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		<-ended
	})
}

// send writes in the background: a pipe has no buffer, and the server may answer before it has read all.
func send(c net.Conn, request string) { go func() { _, _ = io.WriteString(c, request) }() }

func answer(t *testing.T, br *bufio.Reader) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	_ = res.Body.Close()
	return res, string(body)
}

func nothing(*config.Config) {}

func post(path, body string) string {
	return fmt.Sprintf("POST %s?%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s",
		path, signedQuery(http.MethodPost, path, "", body), len(body), body)
}

// chunked is a publish whose length is not told.
func chunked(chunks ...string) string {
	const path = eventsPath
	body := strings.Join(chunks, "")
	var b strings.Builder
	fmt.Fprintf(&b, "POST %s?%s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", path, signedQuery(http.MethodPost, path, "", body))
	for _, c := range chunks {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(c), c)
	}
	return b.String() + "0\r\n\r\n"
}

// bodyOf is an event whose JSON is n bytes long.
func bodyOf(n int) string {
	head, tail := `{"name":"E","channel":"a","data":"`, `"}`
	return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
}

func TestKeepAlive(t *testing.T) {
	served(t, nothing, func(b *bubble) {
		c := b.dial()
		br := bufio.NewReader(c)
		for range 3 {
			send(c, post(eventsPath, eventBody))
			if res, body := answer(b.T, br); res.StatusCode != http.StatusOK || body != `{}` || res.Close {
				b.Errorf("got %d %s, close %v", res.StatusCode, body, res.Close)
			}
		}
		if len(b.node.published) != 3 {
			b.Errorf("published %d, want 3", len(b.node.published))
		}
	})
}

func TestBodyLimit(t *testing.T) {
	half := len(bodyOf(10_000)) / 2
	tests := []struct {
		name    string
		request func() string // made in the bubble, for the timestamp
		status  int
	}{
		{"exactly the limit", func() string { return post(eventsPath, bodyOf(10_000)) }, 200},
		{"one more", func() string { return post(eventsPath, bodyOf(10_001)) }, 413},
		{"one more on a query", func() string { return strings.Replace(post(appPath("/channels"), bodyOf(10_001)), "POST", "GET", 1) }, 413},
		{"one more for an unknown app", func() string { return post("/apps/zzz/events", bodyOf(10_001)) }, 413},
		{"chunked, the limit", func() string { return chunked(bodyOf(10_000)[:half], bodyOf(10_000)[half:]) }, 200},
		{"chunked, one more", func() string { return chunked(bodyOf(10_001)[:half], bodyOf(10_001)[half:]) }, 413},
		{"chunked, malformed", func() string { return strings.Replace(chunked(eventBody), "\r\n\r\n", "\r\n\r\nzz\r\n", 1) }, 400},
		{"both lengths", func() string {
			return strings.Replace(chunked(eventBody), "Host: a\r\n", "Host: a\r\nContent-Length: x\r\n", 1)
		}, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			served(t, nothing, func(b *bubble) {
				c := b.dial()
				send(c, tt.request())
				res, body := answer(b.T, bufio.NewReader(c))
				if res.StatusCode != tt.status {
					b.Errorf("got %d %s, want %d", res.StatusCode, body, tt.status)
				}
				if tt.status == 413 && (body != "Payload too large." || !res.Close) {
					b.Errorf("got %q, close %v, want the connection closed", body, res.Close)
				}
				_ = c.Close()
			})
		})
	}
}

func TestLargeBodyInPieces(t *testing.T) {
	served(t, func(c *config.Config) { c.Server.MaxRequestSize = 200_000 }, func(b *bubble) {
		c := b.dial()
		request := post(eventsPath, bodyOf(150_000))
		go func() {
			for len(request) > 0 {
				n := min(len(request), 4000)
				if _, err := io.WriteString(c, request[:n]); err != nil {
					return
				}
				request = request[n:]
			}
		}()
		if res, body := answer(b.T, bufio.NewReader(c)); res.StatusCode != http.StatusOK || len(b.node.published) != 1 {
			b.Errorf("got %d %s", res.StatusCode, body)
		}
	})
}

func TestExpectContinue(t *testing.T) {
	served(t, nothing, func(b *bubble) {
		head := func(request string) (string, string) {
			h, body, _ := strings.Cut(request, "\r\n\r\n")
			return h + "\r\nExpect: 100-continue\r\n\r\n", body
		}
		c := b.dial()
		br := bufio.NewReader(c)
		h, body := head(post(eventsPath, eventBody))
		send(c, h)
		if res, _ := answer(b.T, br); res.StatusCode != http.StatusContinue {
			b.Fatalf("got %d, want 100", res.StatusCode)
		}
		send(c, body)
		if res, _ := answer(b.T, br); res.StatusCode != http.StatusOK {
			b.Errorf("got %d, want 200", res.StatusCode)
		}
		c = b.dial()
		h, _ = head(post(eventsPath, bodyOf(20_000)))
		send(c, h)
		if res, _ := answer(b.T, bufio.NewReader(c)); res.StatusCode != http.StatusRequestEntityTooLarge {
			b.Errorf("got %d, want 413 before the body is asked for", res.StatusCode)
		}
	})
}

func TestTimeouts(t *testing.T) {
	tests := []struct {
		name   string
		sent   func() string
		atMost time.Duration
		status int // 0: closed without an answer
	}{
		{"silence", func() string { return "" }, 10 * time.Second, 0},
		{"half a head", func() string { return "GET /up HTTP/1.1\r\nHost: a\r\n" }, 10 * time.Second, 0},
		{"half a body", func() string { return strings.TrimSuffix(post(eventsPath, eventBody), `"a"}`) }, 30 * time.Second, 408},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			served(t, nothing, func(b *bubble) {
				start := time.Now()
				c := b.dial()
				send(c, tt.sent())
				br := bufio.NewReader(c)
				if tt.status != 0 {
					if res, body := answer(b.T, br); res.StatusCode != tt.status || body != "Request timeout." {
						b.Errorf("got %d %s, want %d", res.StatusCode, body, tt.status)
					}
				}
				if rest, _ := io.ReadAll(br); len(rest) > 0 {
					b.Errorf("more was sent: %q", rest)
				}
				if took := time.Since(start); took < tt.atMost || took > tt.atMost+time.Second {
					b.Errorf("took %v, want about %v", took, tt.atMost)
				}
			})
		})
	}
}

// Of two requests, one of which a proxy in front may take for the body of the other, only the first is answered.
func TestChunkedBodyEndsTheConnection(t *testing.T) {
	served(t, nothing, func(b *bubble) {
		c := b.dial()
		send(c, "POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /up HTTP/1.1\r\nHost: a\r\n\r\n")
		br := bufio.NewReader(c)
		if res, _ := answer(b.T, br); res.StatusCode != http.StatusNotFound || !res.Close {
			b.Errorf("got %d, close: %v", res.StatusCode, res.Close)
		}
		if rest, _ := io.ReadAll(br); len(rest) > 0 {
			b.Errorf("more was answered: %q", rest)
		}
	})
}

func TestIdleTimeout(t *testing.T) {
	served(t, nothing, func(b *bubble) {
		c := b.dial()
		br := bufio.NewReader(c)
		send(c, "GET /up HTTP/1.1\r\nHost: a\r\n\r\n")
		answer(b.T, br)
		start := time.Now()
		if _, err := br.ReadByte(); err == nil || time.Since(start).Round(time.Second) != 60*time.Second {
			b.Errorf("got %v after %v, want the end after a minute", err, time.Since(start))
		}
	})
}

func TestUpgradeRefusalCloses(t *testing.T) {
	served(t, nothing, func(b *bubble) {
		c := b.dial()
		br := bufio.NewReader(c)
		send(c, "GET /app/key HTTP/1.1\r\nHost: a\r\n\r\n")
		if res, _ := answer(b.T, br); res.StatusCode != http.StatusUpgradeRequired || !res.Close {
			b.Errorf("got %d, close %v", res.StatusCode, res.Close)
		}
		if _, err := br.ReadByte(); err == nil {
			b.Error("the connection is open")
		}
	})
}

// net/http answers a request that it cannot read without asking the handler.
func TestUnreadableRequests(t *testing.T) {
	for name, request := range map[string]string{
		"no HTTP":     "hello\r\n\r\n",
		"bad escape":  "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
		"no host":     "GET /up HTTP/1.1\r\n\r\n",
		"two hosts":   "GET /up HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"bad length":  "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
		"header name": "GET /up HTTP/1.1\r\nHost: a\r\nx y: c\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			served(t, nothing, func(b *bubble) {
				c := b.dial()
				send(c, request)
				res, body := answer(b.T, bufio.NewReader(c))
				if res.Status != "400 Bad Request" || body != "Bad request." || !res.Close {
					b.Errorf("got %s %q, close %v", res.Status, body, res.Close)
				}
			})
		})
	}
}

func TestServerWideOptions(t *testing.T) {
	served(t, nothing, func(b *bubble) {
		c := b.dial()
		send(c, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
		if res, body := answer(b.T, bufio.NewReader(c)); res.StatusCode != http.StatusNotFound || body != "Not found." {
			b.Errorf("got %d %s", res.StatusCode, body)
		}
	})
}
