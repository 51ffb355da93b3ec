package handover

import "net"

// WireForTest is one end of a link.
type WireForTest struct{ w wire }

// NewWireForTest makes one of a connection.
func NewWireForTest(conn *net.UnixConn) *WireForTest {
	t := new(WireForTest)
	t.w.conn = conn
	return t
}

// Send sends a message of this kind with a text and descriptors.
func (t *WireForTest) Send(kind, text string, fds ...int) error {
	return t.w.send(message{Kind: kind, Text: text}, fds...)
}

// Receive waits for a message.
func (t *WireForTest) Receive() (kind, text string, fds []int, err error) {
	m, fds, err := t.w.receive()
	return m.Kind, m.Text, fds, err
}
