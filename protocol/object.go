package protocol

import "unicode/utf8"

// object walks the members of one JSON object, in order, duplicates too:
//
//	o, ok := openObject(text)
//	for ok && o.next() {
//		… o.name() … o.value …
//	}
//	if !ok || !o.done() { not a JSON object }
//
// Members seen count only when done reports true.
type object struct {
	scanner
	quoted []byte // name of the member at hand, as in the text, quotes included
	value  []byte // its value, as in the text

	begun  bool // the first member was read
	closed bool // the closing brace was read
}

// openObject starts a walk over text, which may have white space around it.
func openObject(text []byte) (object, bool) {
	o := object{scanner: scanner{text: text}}
	o.skipSpace()
	if o.peek() != '{' || !utf8.Valid(text) {
		return o, false
	}
	o.pos++
	return o, true
}

// next moves to the next member; false at the end and at the first error.
func (o *object) next() bool {
	o.skipSpace()
	switch c := o.peek(); {
	case c == '}':
		o.pos++
		o.closed = true
		return false
	case c == ',' && o.begun:
		o.pos++
		o.skipSpace()
	case o.begun:
		return false
	}
	o.begun = true
	start := o.pos
	if !o.skipName() {
		return false
	}
	o.quoted = trimColon(o.text[start:o.pos])
	o.skipSpace()
	start = o.pos
	if !o.skipValue(1) {
		return false
	}
	o.value = o.text[start:o.pos]
	return true
}

// trimColon cuts what skipName took behind the quoted name.
func trimColon(name []byte) []byte {
	end := len(name) - 1
	for name[end] != '"' {
		end--
	}
	return name[:end+1]
}

// done reports whether the whole text was read and is one object.
func (o *object) done() bool {
	if !o.closed {
		return false
	}
	o.skipSpace()
	return o.pos == len(o.text)
}

// longestName bounds the names that the protocol has a meaning for, in bytes, when every character
// is written as an escape of six: "channel_data".
const longestName = 6 * len("channel_data")

// name returns the name of the member at hand, unescaped; nil when it is longer than any name that
// means something.
func (o *object) name() []byte {
	if len(o.quoted) > longestName+2 {
		return nil
	}
	return unquote(o.quoted)
}
