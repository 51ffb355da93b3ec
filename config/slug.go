package config

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// slug is what Laravel's Str::slug makes of a name. exact is false when the name
// has letters of which it depends on the version of the site's PHP libraries
// what becomes of them: those outside of the Latin alphabets of Europe and of
// Vietnamese.
func slug(name string) (slugged string, exact bool) {
	var b strings.Builder
	gap := false
	add := func(s string) {
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteString(s)
	}
	ascii, exact := toASCII(name)
	for _, c := range strings.ToLower(ascii) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			add(string(c))
		case c == '@':
			gap = true
			add("at")
			gap = true
		case strings.ContainsRune("-_ \t\n\v\f\r", c):
			gap = true
		}
	}
	return b.String(), exact
}

// spelled are the letters that are no ASCII letter with marks.
var spelled = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'Æ': "ae", 'æ': "ae", 'Œ': "oe", 'œ': "oe", 'Ø': "o", 'ø': "o", 'Ð': "d", 'ð': "d", 'Đ': "d", 'đ': "d",
	'Þ': "th", 'þ': "th", 'Ł': "l", 'ł': "l", 'Ħ': "h", 'ħ': "h", 'ı': "i", 'ĸ': "k", 'Ŋ': "n", 'ŋ': "n", 'Ŧ': "t", 'ŧ': "t",
	'–': "-", '—': "-", 'ª': "a", 'º': "o", '¹': "1", '²': "2", '³': "3",
}

// plainMarks are the letters whose marks Laravel takes off: those of Latin-1 and
// Latin Extended-A, of Romanian, and of Vietnamese.
var plainMarks = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x00c0, Hi: 0x017f, Stride: 1},
	{Lo: 0x01a0, Hi: 0x01a1, Stride: 1},
	{Lo: 0x01af, Hi: 0x01b0, Stride: 1},
	{Lo: 0x0218, Hi: 0x021b, Stride: 1},
	{Lo: 0x1ea0, Hi: 0x1ef9, Stride: 1},
}}

// toASCII is what Laravel's Str::ascii makes of a text, apart from signs that a
// slug has not anyway.
func toASCII(text string) (ascii string, exact bool) {
	var b strings.Builder
	exact = true
	for _, c := range norm.NFC.String(text) {
		word, known := spelled[c]
		switch {
		case c < unicode.MaxASCII:
			b.WriteRune(c)
		case known:
			b.WriteString(word)
		case unicode.Is(plainMarks, c):
			for _, part := range norm.NFKD.String(string(c)) {
				if part < unicode.MaxASCII {
					b.WriteRune(part)
				}
			}
		case unicode.IsSpace(c):
			b.WriteByte(' ')
		case unicode.In(c, unicode.P, unicode.So, unicode.Sm, unicode.M) && c > 0xa0: // left out
		default:
			exact = false
		}
	}
	return b.String(), exact
}
