package poller_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"reverb/poller"
	"reverb/transport"
)

func TestMain(m *testing.M) {
	if runIdleClient() {
		return
	}
	// netpoll's own pollers run until the process ends.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/cloudwego/netpoll.(*defaultPoll).Wait"))
}

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

const upgradeHead = "GET /app/key?protocol=7&client=js HTTP/1.1\r\nHost: example.com\r\nUpgrade: WebSocket\r\n" +
	"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
	"Sec-WebSocket-Version: 13\r\nOrigin: http://site.test\r\nSec-WebSocket-Protocol: pusher\r\n" +
	"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"

// server is a Poller behind a real socket, with net/http behind it.
type server struct {
	*poller.Poller
	addr string
	tls  *tls.Config // the client's; nil for plain
	http *http.Server
}

// transports runs body over both.
func transports(t *testing.T, body func(t *testing.T, secure bool)) {
	t.Helper()
	t.Run("plain", func(t *testing.T) { body(t, false) })
	t.Run("tls", func(t *testing.T) { body(t, true) })
}

// start serves until the test ends, and then checks that nothing is left.
func start(t *testing.T, cfg poller.Config, h transport.Handler, secure bool) *server {
	t.Helper()
	return startBefore(t, cfg, h, api, secure)
}

// startBefore is start with another HTTP handler.
func startBefore(t *testing.T, cfg poller.Config, h transport.Handler, requests http.HandlerFunc, secure bool) *server {
	t.Helper()
	cfg.Upgrade = func(path []byte) bool { return strings.HasPrefix(string(path), "/app/") }
	cfg.ServedBy = "Laravel Reverb"
	p, err := poller.New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Poller: p, addr: ln.Addr().String()}
	var tc *tls.Config
	if secure {
		tc, s.tls = certificate(t)
	}
	if err := p.Serve(ln.(*net.TCPListener), tc); err != nil {
		t.Fatal(err)
	}
	s.http = &http.Server{Handler: requests}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.http.Serve(p.HTTPListener())
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		_ = s.http.Close()
		<-served
		eventually(t, "sockets closed", func() bool { return p.Stats().Sockets == 0 })
		if st := p.Stats(); st.Connections != 0 || st.OutboxBytes != 0 {
			t.Errorf("after Shutdown: %+v", st)
		}
	})
	return s
}

// api stands for package api.
func api(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if strings.HasPrefix(r.URL.Path, "/app/") {
		w.WriteHeader(http.StatusUpgradeRequired)
	}
	fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
}

func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: roots}
}

// client is one end of a WebSocket as a test sees it.
type client struct {
	net.Conn
	t   *testing.T
	raw net.Conn // under TLS
	br  *bufio.Reader
}

// dial connects without any handshake but that of TLS.
func (s *server) dial(t *testing.T) *client {
	t.Helper()
	raw, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{Conn: raw, raw: raw, t: t}
	if s.tls != nil {
		tc := s.tls.Clone()
		tc.ServerName = "127.0.0.1"
		c.Conn = tls.Client(raw, tc)
	}
	c.br = bufio.NewReader(c.Conn)
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { raw.Close() })
	return c
}

// open connects and upgrades.
func (s *server) open(t *testing.T) *client {
	t.Helper()
	c := s.dial(t)
	c.write([]byte(upgradeHead))
	c.accepted()
	return c
}

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

func (c *client) accepted() {
	c.t.Helper()
	resp := c.response()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		c.t.Fatalf("status %d, want 101", resp.StatusCode)
	}
	if got := resp.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		c.t.Errorf("Sec-WebSocket-Accept %q", got)
	}
	if got := resp.Header.Get("X-Powered-By"); got != "Laravel Reverb" {
		c.t.Errorf("X-Powered-By %q", got)
	}
	for _, name := range []string{"Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"} {
		if got := resp.Header.Get(name); got != "" {
			c.t.Errorf("%s %q, want none", name, got)
		}
	}
}

func (c *client) response() *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.br, nil)
	if err != nil {
		c.t.Fatalf("read response: %v", err)
	}
	return resp
}

func (c *client) body(resp *http.Response) string {
	c.t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("read body: %v", err)
	}
	return string(b)
}

// message makes a masked frame, as a client sends it.
func message(op ws.OpCode, payload []byte) []byte {
	return ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(op, true, payload)))
}

func (c *client) send(text string) {
	c.t.Helper()
	c.write(message(ws.OpText, []byte(text)))
}

func (c *client) expect(op ws.OpCode, want string) {
	c.t.Helper()
	f, err := ws.ReadFrame(c.br)
	if err != nil {
		c.t.Fatalf("read frame: %v, want %q", err, abridge(want))
	}
	if f.Header.OpCode != op || string(f.Payload) != want {
		c.t.Fatalf("got opcode %d %q, want %d %q", f.Header.OpCode, abridge(string(f.Payload)), op, abridge(want))
	}
}

func (c *client) expectClose(code uint16, reason string) {
	c.t.Helper()
	c.expect(ws.OpClose, string(ws.NewCloseFrameBody(ws.StatusCode(code), reason)))
}

// expectEnd reads until the server has closed its direction.
func (c *client) expectEnd() {
	c.t.Helper()
	n, err := io.Copy(io.Discard, c.br)
	if n > 0 || err != nil {
		c.t.Fatalf("got %d bytes and %v, want end of stream", n, err)
	}
}

// expectCut reads until the connection ends in any way but a time-out.
func (c *client) expectCut() {
	c.t.Helper()
	var timeout net.Error
	if _, err := io.Copy(io.Discard, c.br); errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Fatal("connection was not cut")
	}
}

func abridge(s string) string { return s[:min(len(s), 80)] }

// handler makes a session for each WebSocket. Its fields are called if set.
type handler struct {
	opened  func(s *session)
	message func(s *session, payload []byte, binary bool)

	sessions chan *session // every session, in order of Open; nil is not wanted
}

// session checks the contract of Receiver.
type session struct {
	transport.Conn
	h       *handler
	request transport.Request
	control chan transport.ControlOp
	closed  chan transport.Reason

	mu sync.Mutex // TryLock finds calls at the same time
}

func newHandler() *handler { return &handler{sessions: make(chan *session, 10000)} }

func (h *handler) Open(c transport.Conn, r *transport.Request) transport.Receiver {
	s := &session{
		Conn: c, h: h, request: *r,
		control: make(chan transport.ControlOp, 16), closed: make(chan transport.Reason, 1),
	}
	s.serial()
	defer s.mu.Unlock()
	h.sessions <- s
	if h.opened != nil {
		h.opened(s)
	}
	return s
}

func (s *session) serial() {
	if !s.mu.TryLock() {
		panic("two calls at once")
	}
	if len(s.closed) > 0 {
		panic("call after Closed")
	}
}

func (s *session) Message(payload []byte, binary bool) {
	s.serial()
	defer s.mu.Unlock()
	if s.h.message != nil {
		s.h.message(s, payload, binary)
	}
}

func (s *session) Control(op transport.ControlOp) {
	s.serial()
	defer s.mu.Unlock()
	s.control <- op
}

func (s *session) Closed(reason transport.Reason) {
	s.serial()
	defer s.mu.Unlock()
	s.closed <- reason
}

// echo answers each message with itself.
func echo(s *session, payload []byte, binary bool) {
	op := ws.OpText
	if binary {
		op = ws.OpBinary
	}
	s.Send(ws.MustCompileFrame(ws.NewFrame(op, true, append([]byte(nil), payload...))))
}

func text(s string) []byte { return ws.MustCompileFrame(ws.NewTextFrame([]byte(s))) }

// next returns the next session.
func (h *handler) next(t *testing.T) *session {
	t.Helper()
	select {
	case s := <-h.sessions:
		return s
	case <-time.After(patience):
		t.Fatal("no connection was opened")
		return nil
	}
}

func (s *session) expectClosed(t *testing.T, want transport.Reason) {
	t.Helper()
	select {
	case got := <-s.closed:
		s.closed <- got
		if got != want {
			t.Fatalf("closed with %v, want %v", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("not closed, want %v", want)
	}
}

// eventually waits for what another goroutine is about to do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}
