package api

import (
	"crypto/md5" // its size; the protocol wants it
	"sync"

	"reverb/config"
	"reverb/protocol"
)

// call is one request of a back end, from its body on. All that it holds is valid until the handler returns, and so is
// each text that was read in its query or its body: a text that is kept for longer must be copied.
type call struct {
	app   *config.App
	query protocol.Query
	body  []byte

	// mustNotWait makes a handler that would have to wait write nothing and do nothing.
	mustNotWait bool

	// Memory that the next call has again.
	digest [md5HexLen]byte
	buffer []byte   // of a body that was read from a connection of net/http
	text   []byte   // of strings that have escapes in the body
	names  []string // of channels
	batch  []event
}

const md5HexLen = 2 * md5.Size

// calls are reused for their memory.
var calls = sync.Pool{New: func() any { return new(call) }}

// The memory that a call may have to be reused: one large request must not be paid for ever.
const (
	keepBody  = 64 << 10 // bytes of a buffer
	keepNames = 1024
	keepBatch = 128 // events
)

// release gives c back; it must not be used after that.
func (c *call) release() {
	if c.reset() {
		calls.Put(c)
	}
}

// reset forgets everything but the memory, and reports whether that may be kept.
func (c *call) reset() bool {
	clear(c.names)
	clear(c.batch)
	c.query.Reset()
	*c = call{query: c.query, buffer: c.buffer[:0], text: c.text[:0], names: c.names[:0], batch: c.batch[:0]}
	return cap(c.buffer) <= keepBody && cap(c.text) <= keepBody && cap(c.names) <= keepNames && cap(c.batch) <= keepBatch
}
