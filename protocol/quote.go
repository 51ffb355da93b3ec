package protocol

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// AppendQuote appends s as a JSON string, escaping only what JSON demands; invalid UTF-8 becomes
// U+FFFD, because a client must close the connection over a text frame that is not UTF-8.
func AppendQuote(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

// appendQuoteBytes is AppendQuote for bytes.
func appendQuoteBytes(dst, s []byte) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

// appendEscaped appends what stands between the quotes of a JSON string.
func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	done := 0 // s[:done] is appended
	for i := 0; i < len(s); {
		c := s[i]
		if isPlain(c) {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[done:i]...)
			dst = appendEscape(dst, c)
			i++
			done = i
			continue
		}
		// The conversion is at most four bytes and stays on the stack.
		r, size := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[done:i]...)
			dst = utf8.AppendRune(dst, utf8.RuneError)
			done = i + 1
		}
		i += size
	}
	return append(dst, s[done:]...)
}

// isPlain reports whether c stands for itself in a JSON string and is ASCII.
func isPlain(c byte) bool { return ' ' <= c && c < utf8.RuneSelf && c != '"' && c != '\\' }

// appendEscape appends the shortest escape of c, a quote, backslash or control character.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// quotedSize is the length of AppendQuote(nil, s), or a little less when s has control characters.
// It sizes buffers: counting one character at a time is far cheaper than growing.
func quotedSize(s string) int {
	return 2 + len(s) + strings.Count(s, `"`) + strings.Count(s, `\`)
}

// quotedSizeBytes is quotedSize for bytes.
func quotedSizeBytes(s []byte) int {
	return 2 + len(s) + bytes.Count(s, []byte{'"'}) + bytes.Count(s, []byte{'\\'})
}
