package transport

// Handler is told of each new connection. It may Send and Close at once.
type Handler interface {
	Open(c Conn, r *Request) Receiver
}

// Receiver is told of the events of one connection. doc.go has the contract.
type Receiver interface {
	// Message gets one whole text or binary message. payload is valid until Message returns and may be modified.
	Message(payload []byte, binary bool)

	// Control tells of a ping, pong or close frame, which is already answered.
	Control(op ControlOp)

	// Closed is the last call.
	Closed(reason Reason)
}

// ControlOp names the control frame a client sent.
type ControlOp uint8

const (
	ControlPing ControlOp = iota
	ControlPong
	ControlClose
)
