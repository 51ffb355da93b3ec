package client

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// turn is what a loop counts between two waits.
type turn struct {
	now    int64 // of the last read
	frames int64
}

// input takes what was read: b begins where the last call stopped. It handles every whole frame in place and returns how many
// bytes are done with, and how many the unfinished rest will have when it is whole, 0 when that cannot be known yet.
func (c *Client) input(b []byte, t *turn) (used, need int, err error) {
	if c.state.Load() == stateUpgrading {
		used, err = readAnswer(b, c.fleet.accept)
		if used == 0 || err != nil {
			return 0, 0, err
		}
		c.advance(stateUpgrading, stateGreeting)
	}
	for c.state.Load() < stateLeaving {
		h, err := readHeader(b[used:])
		if err != nil {
			return used, 0, err
		}
		if h.head == 0 {
			return used, 0, nil
		}
		end := used + h.head + h.size
		if end > len(b) {
			return used, h.head + h.size, nil
		}
		if err := c.frame(h, b[used+h.head:end], t); err != nil {
			return end, 0, err
		}
		used = end
	}
	return len(b), 0, nil
}

// advance moves from one state to another unless the client was closed meanwhile.
func (c *Client) advance(from, to int32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.CompareAndSwap(from, to)
}

// frame handles one whole frame; a close frame of the server is a *CloseError.
func (c *Client) frame(h header, payload []byte, t *turn) error {
	switch h.op {
	case opText:
		if c.partial != nil {
			return &ProtocolError{"new message inside of a fragmented one"}
		}
		if h.fin {
			return c.message(payload, t)
		}
		c.partial = append(make([]byte, 0, 2*len(payload)+1), payload...)
	case opContinuation:
		return c.continuation(h, payload, t)
	case opBinary:
		return &ProtocolError{"binary message"}
	case opPing:
		c.reply(payload, opPong)
	case opClose:
		return c.closed(payload)
	}
	return nil
}

func (c *Client) continuation(h header, payload []byte, t *turn) error {
	if c.partial == nil {
		return &ProtocolError{"continuation of nothing"}
	}
	if len(c.partial)+len(payload) > maxMessage {
		return &ProtocolError{"message of more than 16 MiB"}
	}
	c.partial = append(c.partial, payload...)
	if !h.fin {
		return nil
	}
	whole := c.partial
	c.partial = nil
	return c.message(whole, t)
}

// reply sends a control frame in any state in which frames may be sent.
func (c *Client) reply(payload []byte, op byte) {
	f := newFrame()
	f.b = append(f.b, payload...)
	frame := f.seal(op)
	c.mu.Lock()
	if s := c.state.Load(); s == stateGreeting || s == stateOpen {
		c.via.sendLocked(frame)
	}
	c.mu.Unlock()
	f.free()
}

// closed answers the server's close frame with the same code (RFC 6455 section 5.5.1).
func (c *Client) closed(payload []byte) error {
	if len(payload) == 0 {
		c.reply(nil, opClose)
		return &CloseError{Code: 1005}
	}
	if len(payload) == 1 {
		return &ProtocolError{"close frame of one byte"}
	}
	code := int(binary.BigEndian.Uint16(payload))
	if code < 1000 || code >= 5000 || code >= 1004 && code <= 1006 || code >= 1016 && code < 3000 {
		return &ProtocolError{"close code that may not be sent"}
	}
	if !utf8.Valid(payload[2:]) {
		return &ProtocolError{"close reason is not UTF-8"}
	}
	c.reply(payload[:2], opClose)
	return &CloseError{Code: code, Reason: string(payload[2:])}
}

// message handles one whole text. Messages that the fleet answers itself are not shown to the handler.
func (c *Client) message(text []byte, t *turn) error {
	t.frames++
	if !utf8.Valid(text) {
		return &ProtocolError{"text is not UTF-8"}
	}
	e, ok := parseEvent(text)
	if !ok {
		return &ProtocolError{"message is not a JSON object with an event"}
	}
	name := plain(e.Name)
	switch {
	case c.state.Load() == stateGreeting:
		return c.greeting(name, e.Data, t.now)
	case !bytes.HasPrefix(name, []byte("pusher")): // nearly all
		c.handler.Event(c, e, t.now)
	case string(name) == "pusher_internal:subscription_succeeded":
		c.handler.Subscribed(c, e.Channel, t.now)
	case string(name) == "pusher:ping":
		c.Send([]byte(`{"event":"pusher:pong","data":{}}`))
	case string(name) == "pusher:pong" && c.pinged:
		c.pinged = false
	default:
		c.handler.Event(c, e, t.now)
	}
	return nil
}
