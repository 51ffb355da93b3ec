package client_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"reverb/bench/client"
)

const patience = 20 * time.Second // until a test gives up

// transports are the two drivers: plain sockets go through the loops where there are any, TLS through streams.
func transports(t *testing.T, test func(t *testing.T, secure bool)) {
	t.Run("plain", func(t *testing.T) { test(t, false) })
	t.Run("tls", func(t *testing.T) { test(t, true) })
}

// peer is the server's end of one connection.
type peer struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

// listen serves every connection by serve, and waits for all of them when the test ends.
func listen(t *testing.T, secure bool, serve func(p *peer)) client.Target {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := client.Target{Addr: l.Addr().String(), AppID: "7", Key: "key", Secret: "secret", TLS: secure}
	if secure {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				serve(&peer{Conn: conn, t: t, r: bufio.NewReader(conn)})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return target
}

// certificate is one that nobody vouches for.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// request reads the upgrade and returns it with the answer that accepts it.
func (p *peer) request() (*http.Request, string) {
	r, err := http.ReadRequest(p.r)
	if err != nil {
		return nil, ""
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return r, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}

func greeting(activity int) []byte {
	return text(fmt.Sprintf(`{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":%d}"}`, activity))
}

// open upgrades and greets, and reports whether there was someone.
func (p *peer) open() bool {
	r, accept := p.request()
	if r == nil {
		return false
	}
	p.write(append([]byte(accept), greeting(30)...))
	return true
}

func (p *peer) write(b []byte) { _, _ = p.Write(b) }

// frame is a server's frame.
func frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

func text(s string) []byte { return frame(0x81, []byte(s)) }

// next reads one frame of the client, which must be masked.
func (p *peer) next() (op byte, payload string, err error) {
	var head [2]byte
	if _, err := io.ReadFull(p.r, head[:]); err != nil {
		return 0, "", err
	}
	if head[0]&0xf0 != 0x80 || head[1]&0x80 == 0 {
		return 0, "", fmt.Errorf("frame begins with % x", head)
	}
	size := uint64(head[1] & 0x7f)
	if size >= 126 {
		wide := make([]byte, 2+6*(size-126))
		if _, err := io.ReadFull(p.r, wide); err != nil {
			return 0, "", err
		}
		size = binary.BigEndian.Uint64(append(make([]byte, 8-len(wide)), wide...))
	}
	b := make([]byte, 4+size)
	if _, err := io.ReadFull(p.r, b); err != nil {
		return 0, "", err
	}
	for i := range b[4:] {
		b[4+i] ^= b[i&3]
	}
	return head[0] & 0x0f, string(b[4:]), nil
}

// want fails the test unless the next frame is this.
func (p *peer) want(op byte, payload string) {
	gotOp, got, err := p.next()
	if err != nil || gotOp != op || got != payload {
		p.t.Errorf("server got opcode %d %q %v, want %d %q", gotOp, got, err, op, payload)
	}
}

// drain reads until the client ends the connection.
func (p *peer) drain() error {
	_, err := io.Copy(io.Discard, p.r)
	return err
}

// recorder is a Handler that writes down what it hears.
type recorder struct{ heard chan any }

type (
	connected  struct{ id string }
	subscribed struct{ channel string }
	event      struct{ name, channel, data string }
	closed     struct{ err error }
)

func newRecorder() *recorder { return &recorder{heard: make(chan any, 1<<16)} }

func (r *recorder) Connected(c *client.Client, now int64) { r.heard <- connected{c.SocketID()} }

func (r *recorder) Subscribed(_ *client.Client, channel []byte, _ int64) {
	r.heard <- subscribed{string(channel)}
}

func (r *recorder) Event(_ *client.Client, e client.Event, _ int64) {
	r.heard <- event{string(e.Name), string(e.Channel), string(e.Data)}
}

func (r *recorder) Closed(_ *client.Client, err error) { r.heard <- closed{err} }

// next is what was heard next.
func (r *recorder) next(t *testing.T) any {
	t.Helper()
	select {
	case v := <-r.heard:
		return v
	case <-time.After(patience):
		t.Fatal("nothing was heard")
		return nil
	}
}

func (r *recorder) want(t *testing.T, want any) {
	t.Helper()
	got := r.next(t)
	if c, ok := got.(closed); ok {
		if w, ok := want.(closed); ok && (errors.Is(c.err, w.err) || c.err.Error() == w.err.Error()) {
			return
		}
	}
	if got != want {
		t.Fatalf("heard %+v, want %+v", got, want)
	}
}

// silent fails the test if anything else was heard. It is for after Fleet.Close.
func (r *recorder) silent(t *testing.T) {
	t.Helper()
	select {
	case v := <-r.heard:
		t.Errorf("heard %#v after the end", v)
	default:
	}
}

// newFleet is closed when the test ends, before the server is.
func newFleet(t *testing.T, o client.Options) *client.Fleet {
	t.Helper()
	f, err := client.NewFleet(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}
