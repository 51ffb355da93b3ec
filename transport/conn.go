package transport

import (
	"net/netip"

	"reverb/outbound"
)

// Conn is one connection of a client. All methods may be called from any goroutine, under any lock of the caller, and
// never wait.
type Conn interface {
	// Encoding is how the connection takes its messages. It does not change.
	Encoding() *outbound.Encoding

	// Send sends one or more whole messages in the connection's encoding. encoded is not copied and must never change.
	// After Close it is dropped.
	Send(encoded []byte)

	// Answer is Send for the answer to a message of the client. A client can ask without end, so its next message is
	// not handed over while too many bytes of answers wait.
	Answer(encoded []byte)

	// Room reports whether more answers may wait. An answer that is not sent within Receiver.Message must ask. If there
	// is no room, later is called on another goroutine when there is, or when nothing is sent any more.
	Room(later func()) bool

	// Ping asks the client for a sign of life that needs no message: the answer to it is a call of Receiver.Control.
	Ping()

	// Close sends the bytes that wait and then tells the client why, and gives it a bounded time to leave. Code 0 is
	// without a word. Messages that still arrive are dropped.
	Close(code uint16, reason string)

	// Kill cuts the connection at once. The bytes that wait are dropped.
	Kill(reason Reason)

	// SetMaxMessage bounds the size of a message from the client in bytes. 0 is 16 MiB, and more than 1 GiB is 1 GiB.
	SetMaxMessage(n int64)

	// RemoteAddr is the client's address, also behind proxies that are trusted.
	RemoteAddr() netip.AddrPort

	// Waiting is how many bytes wait for the client, each Send counted with its place in the queue.
	Waiting() int64

	// Pace says how the client takes its frames.
	Pace() Pace
}

// Pace says how a client takes its frames.
type Pace uint8

const (
	KeepsUp Pace = iota // next to nothing waits for it
	Behind              // much waits for it, and it takes some all the time
	Stalled             // much waits for it, and it takes nothing, or too little
	Pressed             // so much waits for it that it would soon be cut, and it takes that as fast as it can
)

// Request is the head of an accepted request for a connection. Valid until Open returns.
type Request struct {
	Path, Query  string // raw, as the client sent them; Query is without the question mark
	Host, Origin string // Origin is empty when the client sent none
	RemoteAddr   netip.AddrPort
	TLS          bool
}
