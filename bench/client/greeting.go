package client

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// greeting handles the first message: connection_established, or the error that stands in its place.
func (c *Client) greeting(name, data []byte, now int64) error {
	if string(name) == "pusher:error" {
		return refusal(data)
	}
	if string(name) != "pusher:connection_established" {
		return &ProtocolError{fmt.Sprintf("first message is %q", name)}
	}
	id, _ := unquote(field(data, "socket_id"))
	if len(id) == 0 {
		return &ProtocolError{"connection_established without socket_id"}
	}
	if seconds, err := strconv.ParseUint(string(field(data, "activity_timeout")), 10, 16); err == nil {
		c.activity = uint16(seconds)
	}
	c.mu.Lock()
	c.id = string(plain(id))
	c.mu.Unlock()
	if c.advance(stateGreeting, stateOpen) {
		c.opened = true
		c.fleet.count.connecting.Add(-1)
		c.fleet.count.open.Add(1)
		c.via.established()
		c.handler.Connected(c, now)
	}
	return nil
}

// leaveCount takes the client out of the fleet's Stats.
func (c *Client) leaveCount() {
	if c.opened {
		c.fleet.count.open.Add(-1)
	} else {
		c.fleet.count.connecting.Add(-1)
	}
}

// ping asks a silent server for a sign of life, as pusher-js does after its activity_timeout.
func (c *Client) ping() {
	c.pinged = true
	c.Send([]byte(`{"event":"pusher:ping","data":{}}`))
}

func refusal(data []byte) error {
	e := &RefusedError{}
	e.Code, _ = strconv.Atoi(string(field(data, "code"))) // 0 for servers whose error has none
	if raw := field(data, "message"); raw != nil {
		if json.Unmarshal(raw, &e.Message) != nil {
			e.Message = string(raw)
		}
	}
	return e
}

// field is the raw value of one member of data, which is an object or, as Pusher has it, a string that holds one; nil when there
// is none.
func field(data []byte, name string) []byte {
	if text, ok := unquote(data); ok {
		data = plain(text)
	}
	c := cursor{b: data}
	if !c.open() {
		return nil
	}
	var found []byte
	for first := true; ; first = false {
		key, value, ok := c.member(first)
		if !ok || key == nil {
			return found
		}
		if string(plain(key)) == name {
			found = value
		}
	}
}
