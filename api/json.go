package api

import (
	"errors"
	"strings"
	"unsafe"

	"reverb/protocol"
)

// space is the white space of JSON.
const space = " \t\n\r"

var errJSON = errors.New("not valid JSON")

// kind is the JSON type of a value.
type kind uint8

const (
	absent kind = iota // no such member
	null
	boolean
	number
	str
	array
	object
)

// value is one JSON value. Its text is the decoded text of a string, and the JSON itself of everything else.
type value struct {
	kind kind
	text string
	room *[]byte // of parseJSON
}

// parseJSON reads a whole body. Texts are parts of it, but those of strings with escapes, which are appended to room;
// they are valid as long as nobody changes the bytes of either.
func parseJSON(body []byte, room *[]byte) (value, error) {
	text, ok := protocol.ValidJSON(body)
	if !ok {
		return value{}, errJSON
	}
	return valueOf(text, room), nil
}

// view is b as a string, and bytesOf the bytes of such a string, without a copy, for as long as nobody changes the
// bytes. A publish is read thousands of times a second on the event loops; copies of its target and its body were a
// third of its garbage.
func view(b []byte) string    { return unsafe.String(unsafe.SliceData(b), len(b)) }
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// valueOf is a value as it stands in a valid text.
func valueOf(raw []byte, room *[]byte) value {
	v := value{kind: number, text: view(raw), room: room}
	switch raw[0] {
	case '"':
		v.kind = str
		if v.text = v.text[1 : len(v.text)-1]; strings.IndexByte(v.text, '\\') >= 0 {
			from := len(*room)
			*room = protocol.AppendText(*room, raw)
			v.text = view((*room)[from:])
		}
	case '{':
		v.kind = object
	case '[':
		v.kind = array
	case 't', 'f':
		v.kind = boolean
	case 'n':
		v.kind = null
	}
	return v
}

// each calls f with the members of an object, or with the elements of an array and an empty name, until f returns
// false. v is valid.
func (v value) each(f func(name string, v value) bool) {
	switch v.kind {
	case object:
		protocol.Members(bytesOf(v.text), func(name, raw []byte) bool { return f(view(name), valueOf(raw, v.room)) })
	case array:
		protocol.Elements(bytesOf(v.text), func(raw []byte) bool { return f("", valueOf(raw, v.room)) })
	}
}

func (v value) isList() bool { return v.kind == array || v.kind == object }

func (v value) optional() bool { return v.kind == absent || v.kind == str }

// missing is Laravel's rule of what counts as not given: null, a blank string, a container without elements.
func (v value) missing() bool {
	switch v.kind {
	case absent, null:
		return true
	case array, object:
		return strings.Trim(v.text[1:len(v.text)-1], space) == ""
	default:
		return v.blank()
	}
}

// blank is a string of PHP's white space alone.
func (v value) blank() bool { return v.kind == str && strings.Trim(v.text, " \t\n\r\x00\x0B") == "" }
