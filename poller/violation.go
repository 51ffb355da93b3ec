package poller

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"reverb/transport"
)

// violation is a rule of RFC 6455 that a client broke: the words of its close frame, and the name we count it by.
type violation struct {
	code   uint16
	text   string
	reason transport.Reason
}

// The codes are Reverb's, and so is the text of a message that is too big, which people search for.
var (
	violationTooBig       = &violation{1009, "Maximum message size exceeded", transport.ReasonTooBig}
	violationUTF8         = &violation{1007, "Text message is not valid UTF-8", transport.ReasonInvalidUTF8}
	violationCloseUTF8    = &violation{1007, "Close reason is not valid UTF-8", transport.ReasonInvalidUTF8}
	violationLength       = &violation{1002, "Frame length is out of range", transport.ReasonProtocolError}
	violationReservedBits = &violation{1002, "Reserved bits are set without an extension", transport.ReasonProtocolError}
	violationUnmasked     = &violation{1002, "Client frames must be masked", transport.ReasonProtocolError}
	violationControl      = &violation{1002, "Control frames must be unfragmented and at most 125 bytes", transport.ReasonProtocolError}
	violationOpCode       = &violation{1002, "Unknown opcode", transport.ReasonProtocolError}
	violationNotBegun     = &violation{1002, "Continuation of a message that was not begun", transport.ReasonProtocolError}
	violationNotFinished  = &violation{1002, "New message before the last one was finished", transport.ReasonProtocolError}
	violationCloseCode    = &violation{1002, "Close frame with an invalid code", transport.ReasonProtocolError}
)

// headerViolation says what a refusal by ws.CheckHeader means for the client.
func headerViolation(err error) *violation {
	switch {
	case errors.Is(err, ws.ErrProtocolOpCodeReserved):
		return violationOpCode
	case errors.Is(err, ws.ErrProtocolControlPayloadOverflow), errors.Is(err, ws.ErrProtocolControlNotFinal):
		return violationControl
	case errors.Is(err, ws.ErrProtocolNonZeroRsv):
		return violationReservedBits
	case errors.Is(err, ws.ErrProtocolMaskRequired):
		return violationUnmasked
	case errors.Is(err, ws.ErrProtocolContinuationExpected):
		return violationNotFinished
	default:
		return violationNotBegun
	}
}

// checkClose judges the payload of a client's close frame (RFC 6455 5.5.1 and 7.4; Reverb allows the same codes).
func checkClose(payload []byte) *violation {
	if len(payload) == 0 {
		return nil
	}
	if len(payload) == 1 || !closeCodeAllowed(binary.BigEndian.Uint16(payload)) {
		return violationCloseCode
	}
	if !utf8.Valid(payload[2:]) {
		return violationCloseUTF8
	}
	return nil
}

// closeCodeAllowed reports whether a client may send code. 1004 has no meaning, 1005, 1006 and 1015 are
// never on the wire, the rest below 3000 is not handed out.
func closeCodeAllowed(code uint16) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1011:
		return true
	default:
		return code >= 3000 && code <= 4999
	}
}
