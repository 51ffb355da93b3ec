package config

import (
	"strconv"
	"strings"
)

// keyLines finds the line of every key of a TOML document that a parser has
// already accepted. The decoder keeps positions to itself and, for arrays of
// tables, only of the last entry; an error must name the line of the entry that
// is wrong.
//
// The result is keyed by path: "server.tls.cert", "apps[1].key". On a document
// that is not TOML it is wrong but returns.
func keyLines(text string) map[string]int {
	s := &keyScanner{text: text, line: 1, lines: map[string]int{}, tables: map[string]int{}}
	s.document()
	return s.lines
}

type keyScanner struct {
	text string
	pos  int
	line int

	lines  map[string]int // path → line of its first mention
	tables map[string]int // path of an array of tables → entries so far
	depth  int            // of arrays and inline tables
}

// maxDepth bounds the recursion; no key of ours lies deeper than three.
const maxDepth = 32

func (s *keyScanner) document() {
	prefix := ""
	for s.skip(" \t\r\n"); s.pos < len(s.text); s.skip(" \t\r\n") {
		if s.take("[") {
			prefix = s.header(s.take("["))
			continue
		}
		s.assignment(prefix)
	}
}

// header reads the rest of "[a.b]" or "[[a.b]]" and returns its path.
func (s *keyScanner) header(array bool) string {
	path := s.keyPath("")
	if array {
		n := s.tables[path]
		s.tables[path] = n + 1
		path = element(path, n)
		s.mark(path)
		s.take("]")
	}
	s.take("]")
	return path
}

// assignment reads "key = value" and always moves on.
func (s *keyScanner) assignment(prefix string) {
	start := s.pos
	path := s.keyPath(prefix)
	s.skip(" \t")
	s.take("=")
	s.value(path)
	if s.pos == start {
		s.pos++
	}
}

// keyPath reads a dotted key and marks every table it passes through.
func (s *keyScanner) keyPath(path string) string {
	for {
		s.skip(" \t")
		if n := s.tables[path]; n > 0 {
			path = element(path, n-1)
		}
		path = join(path, s.keyPart())
		s.mark(path)
		s.skip(" \t")
		if !s.take(".") {
			return path
		}
	}
}

func (s *keyScanner) keyPart() string {
	start := s.pos
	if s.pos < len(s.text) && (s.text[s.pos] == '"' || s.text[s.pos] == '\'') {
		s.quoted(s.text[s.pos : s.pos+1])
		return strings.Trim(s.text[start:s.pos], `"'`)
	}
	s.until("=.]}, \t\r\n#")
	return s.text[start:s.pos]
}

// value passes over a value and marks the keys of inline tables in it.
func (s *keyScanner) value(path string) {
	s.skip(" \t")
	switch rest := s.text[s.pos:]; {
	case strings.HasPrefix(rest, `"""`), strings.HasPrefix(rest, `'''`):
		s.quoted(rest[:3])
	case strings.HasPrefix(rest, `"`), strings.HasPrefix(rest, `'`):
		s.quoted(rest[:1])
	case strings.HasPrefix(rest, "["), strings.HasPrefix(rest, "{"):
		s.nested(path, rest[0] == '[')
	default:
		s.until(",]}\r\n#")
	}
}

// nested passes over an array or an inline table.
func (s *keyScanner) nested(path string, array bool) {
	s.pos++
	if s.depth++; s.depth > maxDepth {
		s.pos = len(s.text)
	}
	for n := 0; ; n++ {
		s.skip(" \t\r\n,")
		if s.pos >= len(s.text) || s.take("]") || s.take("}") {
			break
		}
		start := s.pos
		if array {
			s.mark(element(path, n))
			s.value(element(path, n))
		} else {
			s.assignment(path)
		}
		if s.pos == start {
			s.pos++
		}
	}
	s.depth--
}

// quoted passes over a string that begins with quote.
func (s *keyScanner) quoted(quote string) {
	s.pos += len(quote)
	for s.pos < len(s.text) && !s.take(quote) {
		switch {
		case s.text[s.pos] == '\\' && quote[0] == '"' && s.pos+1 < len(s.text):
			s.pos++ // whatever is escaped does not end the string
			s.next()
		default:
			s.next()
		}
	}
	if len(quote) == 3 { // a string may end with two quotes of its own
		for range 2 {
			s.take(quote[:1])
		}
	}
}

// skip passes over the characters of set and over comments.
func (s *keyScanner) skip(set string) {
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch {
		case c == '#':
			s.until("\n")
		case strings.IndexByte(set, c) >= 0:
			s.next()
		default:
			return
		}
	}
}

// until stops at the first character of set.
func (s *keyScanner) until(set string) {
	for s.pos < len(s.text) && strings.IndexByte(set, s.text[s.pos]) < 0 {
		s.next()
	}
}

func (s *keyScanner) next() {
	if s.text[s.pos] == '\n' {
		s.line++
	}
	s.pos++
}

func (s *keyScanner) take(what string) bool {
	ok := strings.HasPrefix(s.text[s.pos:], what)
	if ok {
		s.pos += len(what)
	}
	return ok
}

func (s *keyScanner) mark(path string) {
	if s.lines[path] == 0 {
		s.lines[path] = s.line
	}
}

func join(prefix, part string) string {
	if prefix == "" {
		return part
	}
	return prefix + "." + part
}

func element(path string, n int) string { return path + "[" + strconv.Itoa(n) + "]" }
