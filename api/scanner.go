package api

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON strictly (RFC 8259, no lone surrogates) and without copying: the values are parts of s, but strings with
// escapes.
type scanner struct {
	s     string
	i     int
	depth int
}

func (p *scanner) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// next is the byte at hand, 0 at the end.
func (p *scanner) next() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *scanner) value() (value, error) {
	p.space()
	start := p.i
	switch c := p.next(); c {
	case '"':
		s, err := p.string()
		return value{kind: str, text: s}, err
	case '{':
		empty, err := p.container('}', true)
		return value{kind: object, empty: empty, text: p.s[start:p.i]}, err
	case '[':
		empty, err := p.container(']', false)
		return value{kind: array, empty: empty, text: p.s[start:p.i]}, err
	case 't':
		return p.literal("true", boolean)
	case 'f':
		return p.literal("false", boolean)
	case 'n':
		return p.literal("null", null)
	default:
		if err := p.number(); err != nil {
			return value{}, err
		}
		return value{kind: number, text: p.s[start:p.i]}, nil
	}
}

func (p *scanner) literal(word string, k kind) (value, error) {
	if !strings.HasPrefix(p.s[p.i:], word) {
		return value{}, errJSON
	}
	p.i += len(word)
	return value{kind: k, text: word}, nil
}

// container passes over an object or array.
func (p *scanner) container(end byte, named bool) (empty bool, err error) {
	if p.depth++; p.depth > maxDepth {
		return false, errJSON
	}
	p.i++
	p.space()
	if p.next() == end {
		p.i++
		p.depth--
		return true, nil
	}
	for {
		if named {
			if err := p.memberName(); err != nil {
				return false, err
			}
		}
		if _, err := p.value(); err != nil {
			return false, err
		}
		p.space()
		switch p.next() {
		case ',':
			p.i++
		case end:
			p.i++
			p.depth--
			return false, nil
		default:
			return false, errJSON
		}
	}
}

func (p *scanner) memberName() error {
	p.space()
	if _, err := p.string(); err != nil {
		return err
	}
	p.space()
	if p.next() != ':' {
		return errJSON
	}
	p.i++
	return nil
}

func (p *scanner) number() error {
	if p.next() == '-' {
		p.i++
	}
	if p.next() == '0' {
		p.i++
	} else if !p.digits() {
		return errJSON
	}
	if p.next() == '.' {
		if p.i++; !p.digits() {
			return errJSON
		}
	}
	if c := p.next(); c == 'e' || c == 'E' {
		p.i++
		if c := p.next(); c == '+' || c == '-' {
			p.i++
		}
		if !p.digits() {
			return errJSON
		}
	}
	return nil
}

func (p *scanner) digits() bool {
	start := p.i
	for c := p.next(); c >= '0' && c <= '9'; c = p.next() {
		p.i++
	}
	return p.i > start
}

// string reads a string, a part of s when it has no escapes.
func (p *scanner) string() (string, error) {
	if p.next() != '"' {
		return "", errJSON
	}
	p.i++
	start := p.i
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return p.s[start : p.i-1], nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", errJSON
		default:
			p.i++
		}
	}
	return "", errJSON
}

// escaped reads on from the first escape of a string that began at start. Inside a container the text is not made: each makes it
// when it is wanted.
func (p *scanner) escaped(start int) (string, error) {
	var out strings.Builder
	wanted := p.depth == 0
	if wanted {
		out.Grow(p.stringEnd() - start) // no escape is shorter than what it stands for
		out.WriteString(p.s[start:p.i])
	}
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return out.String(), nil
		case c < ' ':
			return "", errJSON
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			if wanted {
				out.WriteRune(r)
			}
		default:
			run := p.i
			for p.i < len(p.s) && p.s[p.i] >= ' ' && p.s[p.i] != '"' && p.s[p.i] != '\\' {
				p.i++
			}
			if wanted {
				out.WriteString(p.s[run:p.i])
			}
		}
	}
	return "", errJSON
}

// stringEnd is where the string at hand ends, or all does.
func (p *scanner) stringEnd() int {
	i := p.i
	for i < len(p.s) && p.s[i] != '"' {
		if p.s[i] == '\\' {
			i++
		}
		i++
	}
	return min(i, len(p.s))
}

// escape decodes one escape sequence.
func (p *scanner) escape() (rune, error) {
	if p.i++; p.i == len(p.s) {
		return 0, errJSON
	}
	c := p.s[p.i]
	p.i++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.codePoint()
	default:
		return 0, errJSON
	}
}

// codePoint reads the digits of \u, and the second half of a surrogate pair; half a pair is an error, as in PHP.
func (p *scanner) codePoint() (rune, error) {
	r, err := p.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if !strings.HasPrefix(p.s[p.i:], `\u`) {
		return 0, errJSON
	}
	p.i += 2
	low, err := p.hex4()
	if err != nil {
		return 0, err
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, errJSON
	}
	return r, nil
}

func (p *scanner) hex4() (rune, error) {
	if len(p.s)-p.i < 4 {
		return 0, errJSON
	}
	var r rune
	for range 4 {
		c := p.s[p.i]
		p.i++
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, errJSON
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}
