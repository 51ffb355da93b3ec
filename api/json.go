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
}

// parseJSON reads a whole body.
func parseJSON(s string) (value, error) {
	text, ok := protocol.ValidJSON(bytesOf(s))
	if !ok {
		return value{}, errJSON
	}
	return valueOf(text), nil
}

// bytesOf are the bytes of a string, and textOf the string of bytes that are a part of one or were made for the purpose. Neither copies: an
// event is as large as its body, and nothing changes the bytes.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
func textOf(b []byte) string  { return unsafe.String(unsafe.SliceData(b), len(b)) }

// valueOf is a value as it stands in a valid text.
func valueOf(raw []byte) value {
	v := value{kind: number, text: textOf(raw)}
	switch raw[0] {
	case '"':
		text, _ := protocol.Text(raw)
		v = value{kind: str, text: textOf(text)}
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

// each calls f with the members of an object, or with the elements of an array and an empty name, until f returns false. v is valid.
func (v value) each(f func(name string, v value) bool) {
	switch v.kind {
	case object:
		protocol.Members(bytesOf(v.text), func(name, raw []byte) bool { return f(textOf(name), valueOf(raw)) })
	case array:
		protocol.Elements(bytesOf(v.text), func(raw []byte) bool { return f("", valueOf(raw)) })
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
