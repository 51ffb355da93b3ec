package poller

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// maxCloseReason is what a control frame's 125 bytes leave beside the two of the close code.
const maxCloseReason = ws.MaxControlFramePayloadSize - 2

// finBit marks a frame as the last, here always the only one, of its message.
const finBit = 0x80

// pingFrame is a ping without payload, shared by all connections.
var pingFrame = controlFrame(ws.OpPing, nil)

// pongFrame answers a ping: the same payload, copied (RFC 6455 5.5.3).
func pongFrame(payload []byte) []byte { return controlFrame(ws.OpPong, payload) }

// closeReply answers a client's close frame, whose payload the decoder has checked. The code and reason
// are echoed; an empty one is answered with 1000 (Reverb: the same).
func closeReply(payload []byte) []byte {
	if len(payload) == 0 {
		return closeFrame(uint16(ws.StatusNormalClosure), "")
	}
	return controlFrame(ws.OpClose, payload)
}

// closeFrame tells the client why it is being left. Bytes of reason that are not UTF-8 are replaced, and a part that does
// not fit is cut between two runes: a client must fail on half of one.
func closeFrame(code uint16, reason string) []byte {
	reason = strings.ToValidUTF8(reason, string(utf8.RuneError))
	if len(reason) > maxCloseReason {
		end := maxCloseReason
		for !utf8.RuneStart(reason[end]) {
			end--
		}
		reason = reason[:end]
	}
	f := make([]byte, 4, 4+len(reason))
	f[0] = finBit | byte(ws.OpClose)
	f[1] = byte(2 + len(reason))
	binary.BigEndian.PutUint16(f[2:], code)
	return append(f, reason...)
}

// controlFrame copies payload, at most 125 bytes, into a frame of its own.
func controlFrame(op ws.OpCode, payload []byte) []byte {
	f := make([]byte, 2, 2+len(payload))
	f[0] = finBit | byte(op)
	f[1] = byte(len(payload))
	return append(f, payload...)
}
