package outbound

import "encoding/binary"

// Room is how many bytes stand free in front of the JSON of a message: as many as the longest header of a server's
// frame has.
const Room = 10

// RFC 6455 section 5.2. The header is written by hand: gobwas/ws writes it to an io.Writer, which would put the header
// and the payload of every event into two pieces of memory.
const (
	textFrame   = 0x81 // FIN, opcode text
	length16    = 126  // the length follows in 2 bytes
	length64    = 127  // the length follows in 8 bytes
	maxLength7  = 125
	maxLength16 = 1<<16 - 1
)

// Message is one message to clients: its JSON and, in the same memory, the header that makes it a WebSocket text frame.
// It is immutable and shared by all its receivers. The zero value is no message.
type Message struct{ frame []byte }

// New returns a message with a copy of json.
func New[T string | []byte](json T) Message { return End(append(Begin(len(json)), json...)) }

// Begin returns a buffer with Room bytes in front; append the JSON, about size bytes of it, and hand the result to End.
// When size was enough, the message is one allocation and nothing is copied.
func Begin(size int) []byte { return make([]byte, Room, Room+size) }

// End makes a message of the buffer of a Begin with the JSON appended. It takes over buf.
func End(buf []byte) Message { return At(buf, Room) }

// At makes a message of the JSON that is buf[start:]; start is Room or more. It takes over buf and writes into the
// bytes in front of the JSON.
func At(buf []byte, start int) Message {
	length := len(buf) - start
	frame := buf[start-headerSize(length):]
	putHeader(frame, length)
	return Message{frame}
}

// IsZero reports whether m is no message.
func (m Message) IsZero() bool { return m.frame == nil }

// Size is how many bytes m has as a text frame.
func (m Message) Size() int { return len(m.frame) }

// JSON returns the text of m, a part of it that must not be changed; nil of no message.
func (m Message) JSON() []byte {
	if m.frame == nil {
		return nil
	}
	switch m.frame[1] {
	case length16:
		return m.frame[4:]
	case length64:
		return m.frame[10:]
	}
	return m.frame[2:]
}

// In returns m in an encoding. A text frame is there already; any other is made by each call.
func (m Message) In(e *Encoding) []byte {
	if e == TextFrame {
		return m.frame
	}
	return e.appendMessage(nil, m)
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
