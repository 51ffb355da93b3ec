package transport

// Reason is why a connection ended: one of a closed list, so that it can be a metric's label.
type Reason uint8

const (
	ReasonClientClose      Reason = iota // the client sent a close frame
	ReasonHangup                         // the client left without one
	ReasonHandshakeTimeout               // no whole request head, or no TLS, in time
	ReasonProtocolError                  // broke RFC 6455; closed with 1002
	ReasonTooBig                         // a message over the limit; closed with 1009
	ReasonInvalidUTF8                    // text that is not UTF-8; closed with 1007
	ReasonSlowConsumer                   // more waited for it than may wait for one connection, or for longer
	ReasonOutboxTotal                    // more waited for all connections together than may
	ReasonServerClose                    // Conn.Close was called
	ReasonPanic                          // its handler panicked
	ReasonShutdown                       // the poller was shut down
	ReasonIO                             // reading or writing failed

	Reasons = int(ReasonIO) + 1 // how many there are, for arrays indexed by Reason
)

var reasonLabels = [Reasons]string{
	ReasonClientClose:      "client_close",
	ReasonHangup:           "hangup",
	ReasonHandshakeTimeout: "handshake_timeout",
	ReasonProtocolError:    "protocol_error",
	ReasonTooBig:           "too_big",
	ReasonInvalidUTF8:      "invalid_utf8",
	ReasonSlowConsumer:     "slow_consumer",
	ReasonOutboxTotal:      "outbox_total",
	ReasonServerClose:      "server_close",
	ReasonPanic:            "panic",
	ReasonShutdown:         "shutdown",
	ReasonIO:               "io_error",
}

// String returns the label of r: lower-case words joined by underscores.
func (r Reason) String() string {
	if int(r) < Reasons {
		return reasonLabels[r]
	}
	return "unknown"
}
