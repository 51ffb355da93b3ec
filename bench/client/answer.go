package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
)

const (
	answerBuffer  = 4 << 10  // bytes: the longest line of an answer
	maxAnswerHead = 64 << 10 // bytes of all lines of an answer: head, interim answers, chunk sizes without chunks, trailers
	maxAnswerBody = 64 << 20 // bytes: the list of all channels of a large server
	answerStep    = 64 << 10 // bytes by which a body that is kept grows before it has come
)

// answer is an HTTP/1 response (RFC 9112). Only what a caller of the API needs of it is understood; what would be ambiguous is an
// error, because the next answer begins where this one ends.
type answer struct {
	keep bool // body is wanted

	status int
	body   []byte
	begun  bool // some of it came
	closes bool // the connection is of no more use

	// While it is read.
	lines   int // bytes of lines so far
	length  int // -1 when it has none
	chunked bool
}

// read reads one whole answer, behind any interim ones.
func (a *answer) read(r *bufio.Reader) error {
	if _, err := r.Peek(1); err != nil {
		return err
	}
	a.begun = true
	for {
		if err := a.head(r); err != nil {
			return whole(err)
		}
		if a.status == 101 {
			return &ProtocolError{"upgrade that was not asked for"}
		}
		if a.status >= 200 {
			break
		}
	}
	if err := a.content(r); err != nil {
		return whole(err)
	}
	a.closes = a.closes || r.Buffered() > 0 // more than was asked for
	return nil
}

// head reads the status line and the fields.
func (a *answer) head(r *bufio.Reader) error {
	line, err := a.line(r)
	if err != nil {
		return err
	}
	if a.status = parseStatus(line); a.status == 0 {
		return &ProtocolError{"answer without a status"}
	}
	old := bytes.HasPrefix(line, []byte("HTTP/1.0"))
	a.closes = old
	a.length, a.chunked = -1, false
	for {
		line, err := a.line(r)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		if err := a.field(line); err != nil {
			return err
		}
	}
	if old && a.chunked { // RFC 9112 section 6.1: faulty
		return &ProtocolError{"chunks in HTTP/1.0"}
	}
	return nil
}

func (a *answer) field(line []byte) error {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return &ProtocolError{"header field without a colon"}
	}
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		n, ok := parseLength(value)
		if !ok || a.length >= 0 && a.length != n {
			return &ProtocolError{"Content-Length that is none"}
		}
		a.length = n
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		if !bytes.EqualFold(value, []byte("chunked")) || a.chunked {
			return &ProtocolError{"transfer coding that was not asked for"}
		}
		a.chunked = true
	case bytes.EqualFold(name, []byte("Connection")):
		for token := range bytes.SplitSeq(value, []byte(",")) {
			token = bytes.TrimSpace(token)
			if bytes.EqualFold(token, []byte("close")) {
				a.closes = true
			} else if bytes.EqualFold(token, []byte("keep-alive")) {
				a.closes = false
			}
		}
	}
	return nil
}

// content reads the body, whose end is told in one of four ways.
func (a *answer) content(r *bufio.Reader) error {
	switch {
	case a.status == 204 || a.status == 304:
		return nil
	case a.chunked: // and not the length beside it (RFC 9112 section 6.3)
		return a.chunks(r)
	case a.length >= 0:
		return a.take(r, a.length)
	}
	a.closes = true
	for {
		if _, err := r.Peek(1); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := a.take(r, r.Buffered()); err != nil {
			return err
		}
	}
}

func (a *answer) chunks(r *bufio.Reader) error {
	for {
		line, err := a.line(r)
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 31)
		if err != nil {
			return &ProtocolError{"chunk without a size"}
		}
		if n == 0 {
			break
		}
		if err := a.take(r, int(n)); err != nil {
			return err
		}
		a.lines = 0 // bounded by the bytes of the chunk
		if line, err = a.line(r); err != nil {
			return err
		}
		if len(line) > 0 {
			return &ProtocolError{"chunk longer than its size"}
		}
	}
	for { // trailers
		if line, err := a.line(r); err != nil || len(line) == 0 {
			return err
		}
	}
}

// take reads n bytes of the body.
func (a *answer) take(r *bufio.Reader, n int) error {
	if !a.keep {
		_, err := r.Discard(n)
		return err
	}
	if len(a.body)+n > maxAnswerBody {
		return &ProtocolError{"answer of more than 64 MiB"}
	}
	for n > 0 {
		step := min(n, answerStep)
		a.body = slices.Grow(a.body, step)
		begin := len(a.body)
		a.body = a.body[:begin+step]
		if _, err := io.ReadFull(r, a.body[begin:]); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// line reads one line without its end; it is valid until the next read.
func (a *answer) line(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, &ProtocolError{"line of more than 4 KiB"}
	}
	if err != nil {
		return nil, err
	}
	if a.lines += len(line); a.lines > maxAnswerHead {
		return nil, &ProtocolError{"head of more than 64 KiB"}
	}
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, nil
}

// parseLength is a Content-Length: digits and nothing else.
func parseLength(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 10 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// whole says that what began did not end.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
