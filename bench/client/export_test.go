package client

import (
	"bufio"
	"io"
)

const (
	MaxMessage = maxMessage
	OpText     = opText
)

// ErrQueue is what a client that nobody reads ends with.
var ErrQueue = errQueue

// ReadHeader is readHeader: head is 0 when b is too short.
func ReadHeader(b []byte) (op byte, fin bool, head, size int, err error) {
	h, err := readHeader(b)
	return h.op, h.fin, h.head, h.size, err
}

// Seal is a client's frame around payload.
func Seal(op byte, payload []byte) []byte {
	f := newFrame()
	defer f.free()
	f.b = append(f.b, payload...)
	return append([]byte(nil), f.seal(op)...)
}

// ReadAnswer reads one answer of the HTTP API.
func ReadAnswer(r *bufio.Reader) (status int, body []byte, closes bool, err error) {
	a := answer{keep: true}
	err = a.read(r)
	return a.status, a.body, a.closes, err
}

// NewAnswerReader has the buffer that a Publisher's connection has.
func NewAnswerReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, answerBuffer) }

var (
	ParseEvent   = parseEvent
	Field        = field
	AppendQuoted = appendQuoted
)
