package protocol

import (
	"bytes"
	"math/bits"
	"unicode/utf8"
)

// maxDepth is how many containers may be open at once in a text, the outermost counted. Reverb: PHP
// refuses the 512th.
const maxDepth = 511

// scanner reads JSON text strictly as RFC 8259 has it, without recursion and without allocation.
// The caller has checked that the text is UTF-8: see openObject and validJSON.
//
// Against encoding/json it refuses three things more: a lone surrogate escape, nesting deeper than
// maxDepth, and text that is not UTF-8.
type scanner struct {
	text []byte // not changed
	pos  int
}

// validJSON returns text without the white space around it, and whether it is one JSON value that
// may stand inside depth containers.
func validJSON(text []byte, depth int) ([]byte, bool) {
	if !utf8.Valid(text) {
		return nil, false
	}
	s := scanner{text: text}
	s.skipSpace()
	start := s.pos
	if !s.skipValue(depth) {
		return nil, false
	}
	end := s.pos
	s.skipSpace()
	return text[start:end], s.pos == len(text)
}

// peek returns the byte at hand, 0 at the end. A NUL in the text is an error wherever peek is used.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) skipSpace() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// skipValue moves past one value that stands inside depth containers.
func (s *scanner) skipValue(depth int) bool {
	s.skipSpace()
	switch c := s.peek(); c {
	case '{', '[':
		return s.skipContainer(depth)
	case '"':
		return s.skipString()
	default:
		return s.skipScalar(c)
	}
}

// skipContainer moves past an object or array that stands inside depth containers.
func (s *scanner) skipContainer(depth int) bool {
	open := nesting{depth: depth}
	for {
		s.skipSpace()
		switch c := s.peek(); c {
		case '{', '[':
			s.pos++
			if !open.push(c == '{') {
				return false
			}
			s.skipSpace()
			if s.peek() == open.closer() {
				break // skipClosers takes it
			}
			if c == '{' && !s.skipName() {
				return false
			}
			continue
		case '"':
			if !s.skipString() {
				return false
			}
		default:
			if !s.skipScalar(c) {
				return false
			}
		}
		more, ok := s.skipClosers(&open, depth)
		if !more {
			return ok
		}
	}
}

// skipClosers moves past what may follow a value, until it stands before the next value (more) or
// only depth containers are open. It fails as (false, false).
func (s *scanner) skipClosers(open *nesting, depth int) (more, ok bool) {
	for open.depth > depth {
		s.skipSpace()
		switch s.peek() {
		case ',':
			s.pos++
			if open.inObject() && !s.skipName() {
				return false, false
			}
			return true, true
		case open.closer():
			s.pos++
			open.pop()
		default:
			return false, false
		}
	}
	return false, true
}

// skipName moves past the name of a member and its colon.
func (s *scanner) skipName() bool {
	s.skipSpace()
	if s.peek() != '"' || !s.skipString() {
		return false
	}
	s.skipSpace()
	if s.peek() != ':' {
		return false
	}
	s.pos++
	return true
}

// skipString moves past a string; the scanner stands on its first quote.
func (s *scanner) skipString() bool {
	text := s.text
	for i := s.pos + 1; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			s.pos = i + 1
			return true
		case c == '\\':
			n := escapeSize(text[i:])
			if n == 0 {
				return false
			}
			i += n
		case c < ' ':
			return false
		default:
			i++
		}
	}
	return false
}

// skipScalar moves past a number or literal that begins with c.
func (s *scanner) skipScalar(c byte) bool {
	var literal string
	switch c {
	case 't':
		literal = "true"
	case 'f':
		literal = "false"
	case 'n':
		literal = "null"
	default:
		return s.skipNumber()
	}
	if !bytes.HasPrefix(s.text[s.pos:], []byte(literal)) {
		return false
	}
	s.pos += len(literal)
	return true
}

func (s *scanner) skipNumber() bool {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.skipDigits() {
		return false
	}
	if s.peek() == '.' {
		s.pos++
		if !s.skipDigits() {
			return false
		}
	}
	if s.peek()|0x20 == 'e' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		return s.skipDigits()
	}
	return true
}

// skipDigits moves past one or more digits.
func (s *scanner) skipDigits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

// nesting knows of each open container whether it is an object, a bit for each, so that a hostile
// depth costs neither stack nor heap.
type nesting struct {
	depth   int
	objects [(maxDepth + bits.UintSize - 1) / bits.UintSize]uint // bit n: container n is an object
}

func (n *nesting) push(object bool) bool {
	if n.depth == maxDepth {
		return false
	}
	word, bit := n.depth/bits.UintSize, uint(1)<<(n.depth%bits.UintSize)
	if object {
		n.objects[word] |= bit
	} else {
		n.objects[word] &^= bit
	}
	n.depth++
	return true
}

func (n *nesting) pop() { n.depth-- }

// inObject reports whether the innermost open container is an object.
func (n *nesting) inObject() bool {
	i := n.depth - 1
	return n.objects[i/bits.UintSize]>>(i%bits.UintSize)&1 != 0
}

// closer returns what ends the innermost open container.
func (n *nesting) closer() byte {
	if n.inObject() {
		return '}'
	}
	return ']'
}
