package protocol

import "encoding/binary"

// Frame is one or more finished, unmasked server WebSocket frames, header and payload together. It
// is immutable and shared by all its receivers: whoever holds one may write it, nobody may change it.
type Frame []byte

// RFC 6455 section 5.2. The header is written by hand: gobwas/ws writes it to an io.Writer, which
// would put the header and the payload of every event into two pieces of memory.
const (
	textFrame   = 0x81 // FIN, opcode text
	length16    = 126  // the length follows in 2 bytes
	length64    = 127  // the length follows in 8 bytes
	maxLength7  = 125
	maxLength16 = 1<<16 - 1

	frameRoom = 10 // bytes of the longest header without mask
)

// TextFrame returns a text frame with a copy of json as its payload, in one allocation.
func TextFrame(json []byte) Frame {
	n := headerSize(len(json))
	f := make([]byte, n+len(json))
	putHeader(f, len(json))
	copy(f[n:], json)
	return f
}

// BeginFrame returns a buffer that has room for a frame header in front; append the payload, about
// size bytes of it, and hand the result to EndFrame. When size was enough, the frame is one
// allocation and nothing is copied.
func BeginFrame(size int) []byte { return make([]byte, frameRoom, frameRoom+size) }

// EndFrame makes the buffer of a BeginFrame, with the payload appended, a text frame. It takes
// over buf.
func EndFrame(buf []byte) Frame {
	length := len(buf) - frameRoom
	f := buf[frameRoom-headerSize(length):]
	putHeader(f, length)
	return Frame(f)
}

// Payload returns the JSON of a Frame that is a single one: a part of it.
func (f Frame) Payload() []byte {
	switch f[1] {
	case length16:
		return f[4:]
	case length64:
		return f[10:]
	}
	return f[2:]
}

func headerSize(length int) int {
	switch {
	case length <= maxLength7:
		return 2
	case length <= maxLength16:
		return 4
	}
	return 10
}

// putHeader writes the header of a text frame with length bytes of payload to the start of f.
func putHeader(f []byte, length int) {
	f[0] = textFrame
	switch {
	case length <= maxLength7:
		f[1] = byte(length)
	case length <= maxLength16:
		f[1] = length16
		binary.BigEndian.PutUint16(f[2:], uint16(length))
	default:
		f[1] = length64
		binary.BigEndian.PutUint64(f[2:], uint64(length))
	}
}
