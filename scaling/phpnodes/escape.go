package phpnodes

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"reverb/protocol"
)

// maxNesting is how many containers may be open at once in JSON that becomes part of a message. PHP reads 512 levels of the message,
// and ends over one more.
const maxNesting = 500

var (
	errNesting = errors.New("nested deeper than PHP reads")
	errNumber  = errors.New("number larger than PHP can write")
	errJSON    = errors.New("not JSON")
)

// appendQuote appends s as PHP's json_encode writes a string: everything beyond ASCII and the slash are escaped. What is not UTF-8
// becomes U+FFFD.
func appendQuote[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst = appendASCII(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
		dst = appendUnicode(dst, r)
		i += size
	}
	return append(dst, '"')
}

// appendJSON appends one valid JSON value as PHP would have written it: strings escaped its way, no white space. Numbers and empty
// objects stay what they are. Errors are errNesting and errNumber.
func appendJSON(dst, value []byte) ([]byte, error) {
	depth := 0
	for i := 0; i < len(value); {
		switch c := value[i]; c {
		case ' ', '\t', '\n', '\r':
			i++
		case '"':
			end := stringEnd(value, i)
			dst = appendString(dst, value[i:end])
			i = end
		case '{', '[':
			if depth++; depth > maxNesting {
				return nil, errNesting
			}
			dst = append(dst, c)
			i++
		case '}', ']':
			depth--
			dst = append(dst, c)
			i++
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			end := i + 1
			for end < len(value) && strings.IndexByte("0123456789.eE+-", value[end]) >= 0 {
				end++
			}
			if !isFinite(value[i:end]) {
				return nil, errNumber
			}
			dst = append(dst, value[i:end]...)
			i = end
		default: // a comma, a colon, or a letter of a literal
			dst = append(dst, c)
			i++
		}
	}
	return dst, nil
}

// appendObject is appendJSON for what must be an object and may be no JSON at all.
func appendObject(dst, text []byte) ([]byte, error) {
	if !protocol.Members(text, func(_, _ []byte) bool { return true }) {
		return nil, errJSON
	}
	return appendJSON(dst, text)
}

// stringEnd returns where the string that begins at start ends.
func stringEnd(value []byte, start int) int {
	for i := start + 1; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(value)
}

// isFinite reports whether a JSON number is within a float of 64 bits. Any that is short and has no exponent is.
func isFinite(number []byte) bool {
	if len(number) <= 300 && !strings.ContainsAny(string(number), "eE") {
		return true
	}
	f, err := strconv.ParseFloat(string(number), 64)
	return err == nil && !math.IsInf(f, 0)
}

// appendString appends a JSON string with PHP's escapes in place of its own.
func appendString(dst, quoted []byte) []byte {
	text, _ := protocol.Text(quoted)
	return appendQuote(dst, text)
}

// appendASCII appends a character below 0x80; PHP leaves 0x7f as it is.
func appendASCII(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\', '/':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if c < ' ' {
		return appendHex(dst, rune(c))
	}
	return append(dst, c)
}

// appendUnicode appends a character beyond ASCII, as a pair of surrogates if need be.
func appendUnicode(dst []byte, r rune) []byte {
	if r < 0x10000 {
		return appendHex(dst, r)
	}
	high, low := utf16.EncodeRune(r)
	return appendHex(appendHex(dst, high), low)
}

func appendHex(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
