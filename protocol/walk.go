package protocol

import "unicode/utf8"

// Members calls f for each member of the JSON object that text is, in order, duplicates too: the name unescaped, the
// value as in the text. It stops when f returns false, and where the text is wrong; the calls of f count only when
// Members returns true.
func Members(text []byte, f func(name, value []byte) bool) bool {
	o, ok := openObject(text)
	if !ok {
		return false
	}
	for o.next() {
		if !f(unquote(o.quoted), o.value) {
			return false
		}
	}
	return o.done()
}

// Elements is Members for a JSON array.
func Elements(text []byte, f func(value []byte) bool) bool {
	s := scanner{text: text}
	s.skipSpace()
	if s.peek() != '[' || !utf8.Valid(text) {
		return false
	}
	s.pos++
	s.skipSpace()
	if s.peek() == ']' {
		s.pos++
		s.skipSpace()
		return s.pos == len(text)
	}
	for {
		s.skipSpace()
		start := s.pos
		if !s.skipValue(1) || !f(text[start:s.pos]) {
			return false
		}
		s.skipSpace()
		end := s.peek()
		s.pos++
		switch end {
		case ',':
		case ']':
			s.skipSpace()
			return s.pos == len(text)
		default:
			return false
		}
	}
}

// ValidJSON returns text without the white space around it, and whether it is one JSON value, in UTF-8 and no deeper
// than PHP reads.
func ValidJSON(text []byte) ([]byte, bool) { return validJSON(text, 0) }

// Text returns a JSON scalar of Members or Elements as PHP makes a string of it: "a" is a, 1 is 1, true is 1, null,
// false and nothing are empty. It is false for arrays and objects. The result may be part of value.
func Text(value []byte) ([]byte, bool) { return scalarText(value) }

// AppendText appends the Text of a JSON string.
func AppendText(dst, quoted []byte) []byte { return appendUnquoted(dst, quoted[1:len(quoted)-1]) }
