// Package transporttest has connections without sockets, for the tests of packages that talk over a transport.Conn.
package transporttest

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"reverb/outbound"
	"reverb/transport"
)

// PingSent stands for a control frame ping among the messages of a Conn.
const PingSent = "<ping>"

// Conn is a transport.Conn that keeps what it is sent. The zero value is ready; all methods may be called from any
// goroutine.
type Conn struct {
	// Constant while the Conn is used.
	Addr    netip.AddrPort // the client's
	Backlog int64          // bytes, the answer of Waiting

	// Guarded by mu.
	mu         sync.Mutex
	messages   []string
	late       int
	closed     string
	maxMessage int64
	pace       transport.Pace
	shut       bool
	later      []func()
}

// Encoding implements transport.Conn.
func (*Conn) Encoding() *outbound.Encoding { return outbound.TextFrame }

// Send implements transport.Conn. Like the real one it drops what comes after Close.
func (c *Conn) Send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(frame) > 0 {
		var text string
		text, frame = cutFrame(frame)
		c.keepLocked(text)
	}
}

func (c *Conn) keepLocked(text string) {
	if c.closed != "" {
		c.late++
		return
	}
	c.messages = append(c.messages, text)
}

// Answer implements transport.Conn.
func (c *Conn) Answer(frame []byte) { c.Send(frame) }

// Room implements transport.Conn. While a test has shut the Conn there is none.
func (c *Conn) Room(later func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		c.later = append(c.later, later)
	}
	return !c.shut
}

// SetRoom says whether there is room from now on, and calls what waits for it.
func (c *Conn) SetRoom(room bool) {
	c.mu.Lock()
	c.shut = !room
	var later []func()
	if room {
		later, c.later = c.later, nil
	}
	c.mu.Unlock()
	for _, call := range later {
		call()
	}
}

// Ping implements transport.Conn.
func (c *Conn) Ping() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keepLocked(PingSent)
}

// Close implements transport.Conn: the first call counts.
func (c *Conn) Close(code uint16, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed == "" {
		c.closed = strings.TrimSpace(fmt.Sprint(code, " ", reason))
	}
}

// Kill implements transport.Conn.
func (c *Conn) Kill(reason transport.Reason) { c.Close(0, reason.String()) }

// SetMaxMessage implements transport.Conn.
func (c *Conn) SetMaxMessage(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.maxMessage = n
}

// RemoteAddr implements transport.Conn.
func (c *Conn) RemoteAddr() netip.AddrPort { return c.Addr }

// Waiting implements transport.Conn.
func (c *Conn) Waiting() int64 { return c.Backlog }

// Pace implements transport.Conn.
func (c *Conn) Pace() transport.Pace {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pace
}

// SetPace says what Pace answers from now on.
func (c *Conn) SetPace(pace transport.Pace) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pace = pace
}

// Take returns the messages that came since the last call, in order.
func (c *Conn) Take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	messages := c.messages
	c.messages = nil
	return messages
}

// Closed is the code and the reason of the first Close, a space between them; empty before it.
func (c *Conn) Closed() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Late is how many messages were sent after Close.
func (c *Conn) Late() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.late
}

// MaxMessage is the bound that was set last.
func (c *Conn) MaxMessage() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.maxMessage
}

// cutFrame takes the first text frame of a server off (RFC 6455 5.2).
func cutFrame(b []byte) (text string, rest []byte) {
	if b[0] != 0x81 {
		panic(fmt.Sprintf("frame begins with %#x", b[0]))
	}
	n, at := int(b[1]), 2
	switch n {
	case 126:
		n, at = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		n, at = int(binary.BigEndian.Uint64(b[2:])), 10
	}
	return string(b[at : at+n]), b[at+n:]
}

// Discard is a transport.Conn that keeps nothing, for benchmarks and counts of allocations.
type Discard struct{}

// Encoding implements transport.Conn.
func (Discard) Encoding() *outbound.Encoding { return outbound.TextFrame }

// Send implements transport.Conn.
func (Discard) Send([]byte) {}

// Answer implements transport.Conn.
func (Discard) Answer([]byte) {}

// Room implements transport.Conn.
func (Discard) Room(func()) bool { return true }

// Ping implements transport.Conn.
func (Discard) Ping() {}

// Close implements transport.Conn.
func (Discard) Close(uint16, string) {}

// Kill implements transport.Conn.
func (Discard) Kill(transport.Reason) {}

// SetMaxMessage implements transport.Conn.
func (Discard) SetMaxMessage(int64) {}

// RemoteAddr implements transport.Conn.
func (Discard) RemoteAddr() netip.AddrPort { return netip.AddrPort{} }

// Waiting implements transport.Conn.
func (Discard) Waiting() int64 { return 0 }

// Pace implements transport.Conn.
func (Discard) Pace() transport.Pace { return transport.KeepsUp }
