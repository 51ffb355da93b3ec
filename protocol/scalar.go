package protocol

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// blank is what PHP's trim takes away, so what Laravel's "required" does not count as content.
const blank = " \t\n\r\x00\v"

// isBlank reports whether text has no content in Laravel's eyes.
func isBlank(text []byte) bool { return len(bytes.Trim(text, blank)) == 0 }

// isNull reports whether a value is absent or null, which are the same to PHP's ??.
func isNull(value []byte) bool { return value == nil || value[0] == 'n' }

func isString(value []byte) bool { return len(value) > 0 && value[0] == '"' }

func isObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }

func isContainer(value []byte) bool {
	return len(value) > 0 && (value[0] == '{' || value[0] == '[')
}

// scalarText returns a JSON scalar as PHP makes a string of it: strings unescaped, 123 "123", 1.5
// "1.5", true "1", false, null and absence "". It is false for arrays and objects. The result may
// be part of value.
func scalarText(value []byte) ([]byte, bool) {
	if len(value) == 0 {
		return nil, true
	}
	switch value[0] {
	case '{', '[':
		return nil, false
	case '"':
		return unquote(value), true
	case 't':
		return []byte{'1'}, true
	case 'f', 'n':
		return nil, true
	}
	return numberText(value), true
}

// numberText returns a JSON number as PHP makes a string of it, but keeps all digits of integers
// beyond 64 bits, where PHP would make two users one.
func numberText(number []byte) []byte {
	if !bytes.ContainsAny(number, ".eE") {
		if string(number) == "-0" {
			return number[1:]
		}
		return number
	}
	f, err := strconv.ParseFloat(string(number), 64)
	if err != nil { // beyond 64 bits, the only error a number in JSON syntax can give
		return number
	}
	if f == 0 {
		return []byte{'0'} // also for -0.0
	}
	return strconv.AppendFloat(nil, f, 'G', 14, 64) // PHP's default precision
}

// isFalsy reports whether PHP takes the text of a scalar for false.
func isFalsy(text []byte) bool { return len(text) == 0 || string(text) == "0" }

// unquote returns the characters of a valid JSON string; part of quoted when it has no escapes.
func unquote(quoted []byte) []byte {
	body := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(body, '\\') < 0 {
		return body
	}
	return appendUnquoted(make([]byte, 0, len(body)), body)
}

// appendUnquoted appends the characters that stand between the quotes of a valid JSON string.
func appendUnquoted(dst, body []byte) []byte {
	for i := bytes.IndexByte(body, '\\'); i >= 0; i = bytes.IndexByte(body, '\\') {
		dst = append(dst, body[:i]...)
		n := escapeSize(body[i:])
		dst = appendUnescaped(dst, body[i:i+n])
		body = body[i+n:]
	}
	return append(dst, body...)
}

// escapes are the characters that may follow a backslash, beside u; meanings what they stand for.
const (
	escapes  = `"\/bfnrt`
	meanings = "\"\\/\b\f\n\r\t"
)

// escapeSize returns the length of the escape that text begins with, 12 for a surrogate pair, or 0
// when it is not a valid one.
func escapeSize(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	if text[1] != 'u' {
		if strings.IndexByte(escapes, text[1]) < 0 {
			return 0
		}
		return 2
	}
	r, ok := hexRune(text)
	switch {
	case !ok || isLowSurrogate(r):
		return 0
	case !isHighSurrogate(r):
		return 6
	}
	if low, ok := hexRune(text[6:]); !ok || !isLowSurrogate(low) {
		return 0
	}
	return 12
}

// appendUnescaped appends what a valid escape, of the length escapeSize gives, stands for.
func appendUnescaped(dst, escape []byte) []byte {
	if escape[1] != 'u' {
		return append(dst, meanings[strings.IndexByte(escapes, escape[1])])
	}
	r, _ := hexRune(escape)
	if isHighSurrogate(r) {
		low, _ := hexRune(escape[6:])
		r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
	}
	return utf8.AppendRune(dst, r)
}

func isHighSurrogate(r rune) bool { return 0xD800 <= r && r < 0xDC00 }
func isLowSurrogate(r rune) bool  { return 0xDC00 <= r && r < 0xE000 }

// hexRune reads \uXXXX at the start of text.
func hexRune(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range text[2:6] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
