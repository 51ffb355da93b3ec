package poller

import (
	"crypto/tls"
	"errors"
	"io"
	"strconv"
	"time"

	"reverb/transport"
)

const (
	// mismatchLinger and mismatchRest bound the wait for a client to read why it was refused, and the bytes that are read of it meanwhile:
	// a socket that is closed over unread bytes is reset, and the answer is lost.
	mismatchLinger = time.Second
	mismatchRest   = 64 << 10
)

// tlsHandshake is the first byte of what a TLS client says (RFC 8446 5.1: ContentType handshake). No request begins with it.
const tlsHandshake = 0x16

// tlsAlert refuses a TLS client in its own words, which are plain before the handshake: a fatal protocol_version (RFC 8446 6). Without it the
// client would wait for an answer until HandshakeTimeout.
var tlsAlert = []byte{0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 70}

const plainHTTP = "This port speaks TLS: use https:// and wss://, or end TLS at a proxy and leave [server.tls] out.\n"

// plainAnswer refuses a request without TLS on a TLS port, of an API caller and of a WebSocket client alike.
var plainAnswer = []byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n" +
	"X-Content-Type-Options: nosniff\r\nContent-Length: " + strconv.Itoa(len(plainHTTP)) + "\r\n\r\n" + plainHTTP)

// refuseTLS answers a client that speaks TLS to a plain port.
func (c *conn) refuseTLS() {
	c.table.poller.refuse(refusedTLSOnPlain, c.RemoteAddr())
	c.deaf, c.unread = true, nil
	c.close(tlsAlert, transport.ReasonProtocolError)
}

// refuse ends a handshake that failed. A client whose first bytes were no TLS gets an answer, if they can be HTTP.
func (s *stream) refuse(err error) {
	p := s.table.poller
	var header tls.RecordHeaderError
	if !errors.As(err, &header) || header.Conn == nil || !startsRequest(header.RecordHeader) {
		p.refused.add(refusedTLS)
		return
	}
	p.refuse(refusedPlainOnTLS, s.RemoteAddr())
	_ = s.raw.SetDeadline(time.Now().Add(mismatchLinger))
	if _, err := s.raw.Write(plainAnswer); err != nil {
		return
	}
	_ = s.raw.CloseWrite()
	_, _ = io.CopyN(io.Discard, s.raw, mismatchRest)
}

// startsRequest reports whether the beginning of a connection can be that of an HTTP request: a method, of capital letters, then a space and
// any target.
func startsRequest(b [5]byte) bool {
	for i, ch := range b {
		switch {
		case 'A' <= ch && ch <= 'Z':
		case ch == ' ':
			return i >= len("GET")
		default:
			return false
		}
	}
	return true
}
