package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

// request is one call of the HTTP API.
type request struct {
	method, path, query string
	body                []byte
	keep                bool // the body of the answer is wanted
}

// wire is one connection of a publisher, or the place of one. The call that took it out of Publisher.idle owns it.
type wire struct {
	p     *Publisher
	tcp   net.Conn // nil when there is no connection
	conn  net.Conn // what is read and written: tcp, or TLS over it
	peek  *peeker
	in    *bufio.Reader
	out   []byte
	mac   *mac
	armed int64 // when the deadline was set
	used  int64 // when the last call ended
	lost  int   // connections in a row that were kept and gone when they were needed
}

const (
	peekAfter = int64(time.Millisecond) // a connection that was idle for less is taken on trust
	maxLost   = 3                       // then the server does not keep connections, whatever it says
)

func newWire(p *Publisher) *wire {
	return &wire{p: p, mac: newMAC(p.target), in: bufio.NewReaderSize(nil, answerBuffer)}
}

// exchange sends r and reads the answer. A connection that the server closed since it was last used is replaced.
func (w *wire) exchange(r request) (int, []byte, error) {
	if w.tcp != nil && Now()-w.used > peekAfter && w.peek.gone() {
		w.hangUp()
	}
	kept := w.tcp != nil
	w.compose(r)
	a, err := w.try(r.keep)
	switch {
	case !kept:
	case err == nil:
		w.lost = 0
	case !a.begun && lost(err): // closed while the request was on its way
		w.hangUp()
		w.lost++
		w.p.resent.Add(1)
		a, err = w.try(r.keep)
	}
	if err != nil || a.closes || !w.p.keepAlive || w.lost >= maxLost {
		w.hangUp()
	}
	w.used = Now()
	return a.status, a.body, err
}

// try sends what compose made, over a new connection if there is none.
func (w *wire) try(keep bool) (answer, error) {
	if err := w.connect(); err != nil {
		return answer{}, err
	}
	if err := w.arm(); err != nil {
		return answer{}, fmt.Errorf("request: %w", err)
	}
	if _, err := w.conn.Write(w.out); err != nil {
		return answer{}, fmt.Errorf("request: %w", timely(err))
	}
	a := answer{keep: keep}
	if err := a.read(w.in); err != nil {
		return answer{begun: a.begun}, fmt.Errorf("answer: %w", timely(err))
	}
	return a, nil
}

// compose writes the whole request to w.out.
func (w *wire) compose(r request) {
	t := &w.p.target
	b := append(append(w.out[:0], r.method...), ' ')
	b = append(b, t.prefix()...)
	b = w.p.signer.appendPath(w.mac, b, r.method, r.path, r.query, r.body, time.Now().Unix())
	b = append(append(b, " HTTP/1.1\r\nHost: "...), t.Addr...)
	if r.method == "POST" {
		b = append(b, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(r.body)), 10)
	}
	if !w.p.keepAlive {
		b = append(b, "\r\nConnection: close"...)
	}
	w.out = append(append(b, "\r\n\r\n"...), r.body...)
}

func (w *wire) connect() error {
	if w.tcp != nil {
		return nil
	}
	tcp, err := w.p.dial()
	if err != nil {
		return err
	}
	w.tcp, w.conn = tcp, tcp
	w.armed = 0
	if w.p.tls != nil {
		secure := tls.Client(tcp, w.p.tls)
		w.conn = secure
		ctx, cancel := context.WithTimeout(w.p.ctx, w.p.Timeout)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("handshake of TLS: %w", err)
		}
	}
	w.peek = newPeeker(tcp, w.p.tls != nil)
	w.in.Reset(w.conn)
	return nil
}

func (w *wire) hangUp() {
	if w.tcp != nil {
		w.p.hangUp(w.tcp)
		w.tcp, w.conn, w.peek = nil, nil, nil
	}
}

// arm sets the deadline, which is a timer in the runtime: not for each request, but so that each has Timeout, or up to a quarter
// and a second more.
func (w *wire) arm() error {
	now, slack := Now(), min(w.p.Timeout/4, time.Second)
	if w.armed != 0 && now-w.armed <= int64(slack) {
		return nil
	}
	w.armed = now
	return w.conn.SetDeadline(time.Now().Add(w.p.Timeout + slack))
}

// lost reports whether err is the end of the connection, and not a deadline or an answer that is none.
func lost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// timely gives a deadline that has passed a name of ours.
func timely(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrNoAnswer
	}
	return err
}
