package client

import (
	"bytes"
	"encoding/json"
)

// cursor walks over the members of one JSON object without building anything. It finds where values begin and end; what stands
// inside of strings, numbers and nested values is not judged.
type cursor struct {
	b []byte
	i int
}

// space moves to the next byte that is not white space and returns it, 0 at the end.
func (c *cursor) space() byte {
	for c.i < len(c.b) {
		switch b := c.b[c.i]; b {
		case ' ', '\t', '\n', '\r':
			c.i++
		default:
			return b
		}
	}
	return 0
}

// open steps into the object.
func (c *cursor) open() bool {
	if c.space() != '{' {
		return false
	}
	c.i++
	return true
}

// member returns the next key, as between its quotes, and its raw value. At the end of the object key is nil and ok says whether
// the object ends well and nothing follows it. first is true for the first call.
func (c *cursor) member(first bool) (key, value []byte, ok bool) {
	next := c.space()
	if next == '}' {
		c.i++
		return nil, nil, c.space() == 0 && c.i == len(c.b)
	}
	if !first {
		if next != ',' {
			return nil, nil, false
		}
		c.i++
		next = c.space()
	}
	if next != '"' {
		return nil, nil, false
	}
	begin := c.i
	if !c.text() {
		return nil, nil, false
	}
	key = c.b[begin+1 : c.i-1]
	if c.space() != ':' {
		return nil, nil, false
	}
	c.i++
	value, ok = c.value()
	return key, value, ok
}

// value returns the next value of any kind.
func (c *cursor) value() ([]byte, bool) {
	first := c.space()
	begin := c.i
	var ok bool
	switch first {
	case '"':
		ok = c.text()
	case '{', '[':
		ok = c.nested()
	default:
		ok = c.scalar()
	}
	return c.b[begin:c.i], ok
}

// text moves behind the string that begins here.
func (c *cursor) text() bool {
	begin := c.i + 1
	for at := begin; ; {
		n := bytes.IndexByte(c.b[at:], '"')
		if n < 0 {
			return false
		}
		quote := at + n
		back := quote
		for back > begin && c.b[back-1] == '\\' {
			back--
		}
		if (quote-back)%2 == 0 {
			c.i = quote + 1
			return true
		}
		at = quote + 1
	}
}

// nested moves behind the object or array that begins here.
func (c *cursor) nested() bool {
	depth := 0
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case '"':
			if !c.text() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		c.i++
		if depth == 0 {
			return true
		}
	}
	return false
}

// scalar moves behind the number, true, false or null that begins here.
func (c *cursor) scalar() bool {
	begin := c.i
	for c.i < len(c.b) {
		b := c.b[c.i]
		if b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b == '-' || b == '+' || b == '.' || b == 'E' {
			c.i++
			continue
		}
		break
	}
	return c.i > begin
}

// parseEvent finds event, channel and data among the members of one message, in any order; of a name that comes twice the last
// one counts, as with JSON.parse.
func parseEvent(text []byte) (e Event, ok bool) {
	c := cursor{b: text}
	if !c.open() {
		return Event{}, false
	}
	for first := true; ; first = false {
		key, value, ok := c.member(first)
		if !ok {
			return Event{}, false
		}
		if key == nil {
			return e, e.Name != nil
		}
		switch string(plain(key)) {
		case "event":
			if e.Name, ok = unquote(value); !ok || e.Name == nil {
				return Event{}, false
			}
		case "channel":
			if e.Channel, ok = unquote(value); !ok {
				return Event{}, false
			}
		case "data":
			e.Data = value
		}
	}
}

// unquote is what stands between the quotes of a string, nil for null; anything else is not ok.
func unquote(value []byte) ([]byte, bool) {
	if len(value) >= 2 && value[0] == '"' {
		return value[1 : len(value)-1], true
	}
	return nil, string(value) == "null"
}

// plain is the text of raw, which is what stood between quotes. Names need no escape, so this is nearly always raw itself.
func plain(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return raw
	}
	return []byte(s)
}

// appendQuoted appends s as a JSON string. s is valid UTF-8.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch b := s[i]; {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}
