package protocol

import (
	"strconv"

	"reverb/outbound"
)

// Error is a refusal that a client may see, as pusher:error and, for the codes that end a
// connection, as WebSocket close code. Values are immutable: one must not be copied to change it.
//
// The hundreds tell pusher-js what to do next: 4000-4099 stay away, 4100-4199 come back after a
// second, 4200-4299 come back at once, 4300 and above stay away when closed, else carry on.
type Error struct {
	Code    int
	Message string

	// Finished messages of the errors below, so that a client that is refused over and over costs no
	// memory; zero for an Error made elsewhere.
	text, object outbound.Message
}

// The refusals of the protocol. Codes and messages are Reverb's where Reverb has them
// (4001, 4004, 4009, 4200, 4201, 4301), else Pusher's.
var (
	ErrUnknownApp         = newError(4001, "Application does not exist")
	ErrAppDisabled        = newError(4003, "Application is disabled")
	ErrOverQuota          = newError(4004, "Application is over connection quota")
	ErrBadVersion         = newError(4006, "Invalid version string format")
	ErrUnsupportedVersion = newError(4007, "Unsupported protocol version")
	ErrNoVersion          = newError(4008, "No protocol version supplied")

	ErrOriginNotAllowed = newError(4009, "Origin not allowed")
	ErrUnauthorized     = newError(4009, "Connection is unauthorized")
	ErrNotMember        = newError(4009, "The client is not a member of the specified channel.")

	ErrOverCapacity = newError(4100, "Server is over capacity")

	ErrInvalidFormat = newError(4200, "Invalid message format")
	ErrDraining      = newError(4200, "Server is restarting")
	ErrRestarting    = newError(4100, "Server is restarting")
	ErrPongTimeout   = newError(4201, "Pong reply not received in time")

	ErrClientEventsDisabled = newError(4301, "The app does not have client messaging enabled.")
	ErrRateLimit            = newError(4301, "Rate limit exceeded")
)

func newError(code int, message string) *Error {
	e := &Error{Code: code, Message: message}
	e.text = outbound.New(e.appendEvent(nil, false))
	e.object = outbound.New(e.appendEvent(nil, true))
	return e
}

// Error returns the message and its code, for the log.
func (e *Error) Error() string { return e.Message + " (" + strconv.Itoa(e.Code) + ")" }

// appendEvent appends the pusher:error event; see ErrorMessage for objectData.
func (e *Error) appendEvent(dst []byte, objectData bool) []byte {
	data := make([]byte, 0, 32+len(e.Message))
	data = append(data, `{"code":`...)
	data = strconv.AppendInt(data, int64(e.Code), 10)
	data = append(data, `,"message":`...)
	data = AppendQuote(data, e.Message)
	data = append(data, '}')

	dst = append(dst, `{"event":"`+EventError+`","data":`...)
	if objectData {
		dst = append(dst, data...)
	} else {
		dst = appendQuoteBytes(dst, data)
	}
	return append(dst, '}')
}

// RefusalMessage returns the pusher:error event of a refused subscribe as Pusher sends it: its code is null, because the connection is well, and
// a client that is told 4009 may take it for the end of the connection.
func RefusalMessage(message string) outbound.Message {
	b := outbound.Begin(envelope + len(EventError) + quotedSize(message))
	b = append(b, `{"event":"`+EventError+`","data":{"code":null,"message":`...)
	b = AppendQuote(b, message)
	return outbound.End(append(b, "}}"...))
}

// EventErrorMessage returns the pusher:error event of a client event as Pusher sends it: it names the channel, by which a client finds whose
// event it was.
func EventErrorMessage(e *Error, channel string) outbound.Message {
	b := outbound.Begin(2*envelope + quotedSize(e.Message) + quotedSize(channel))
	b = e.appendEvent(b, true)
	return outbound.End(append(appendChannel(b[:len(b)-1], channel), '}'))
}

// ErrorMessage returns the pusher:error event of e. With objectData its data is an object, as Pusher
// sends it; without, a string holding that object, as Reverb sends it.
func ErrorMessage(e *Error, objectData bool) outbound.Message {
	m := e.text
	if objectData {
		m = e.object
	}
	if m.IsZero() {
		m = outbound.End(e.appendEvent(outbound.Begin(96+len(e.Message)), objectData))
	}
	return m
}
