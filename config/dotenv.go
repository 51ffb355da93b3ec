package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/joho/godotenv"
)

// variable is one REVERB_* or REDIS_* variable and the place it comes from.
type variable struct {
	value  string
	origin origin
}

// The library and the PHP library of Laravel (vlucas/phpdotenv) disagree about
// a few characters, and Laravel sites have them in passwords. Before the
// library sees a value these are replaced by stand-ins, which no valid file
// contains, and put back afterwards. docs/internal/adr/0001-dotenv.md has the list.
const (
	standExpand    = '\x01' // a $ that may begin ${NAME}
	standDollar    = '\x02' // a $ that stays one
	standBackslash = '\x03'
	standQuote     = '\x04' // a " within "…"
	lastStandIn    = standQuote
)

var (
	putBack  = strings.NewReplacer(string(standExpand), "$", string(standDollar), "$", string(standBackslash), `\`, string(standQuote), `"`)
	nameRule = regexp.MustCompile(`^[\pL\pM\pN_.]+$`)
	nested   = regexp.MustCompile(string(standExpand) + `\{([a-zA-Z0-9_.]+)\}`)
)

// maxValue bounds an expanded value, bytes: a few lines that repeat each other
// would otherwise fill the memory.
const maxValue = 64 << 10

var (
	errName   = errors.New("want NAME=value")
	errQuote  = errors.New("the closing quote is missing")
	errEscape = errors.New(`within double quotes want \\, \", \$, \n, \r, \t, \f or \v after a backslash`)
	errSpace  = errors.New("a value with spaces must stand in quotes")
	errText   = errors.New("want text in UTF-8 without control characters")
	errLong   = fmt.Errorf("want a value of at most %d bytes", maxValue)
)

// dotenv parses the text of a .env file as Laravel does. lookup is the
// environment, which wins over the file, also within ${NAME}. Lines that are
// wrong go to report; their text does not, it may be a secret.
func dotenv(text string, lookup func(string) (string, bool), report func(line int, err error)) map[string]dotenvLine {
	text = strings.TrimPrefix(text, "\uFEFF")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	vars := map[string]dotenvLine{}
	for line := 1; text != ""; {
		entry, rest, err := nextEntry(text)
		consumed := strings.Count(text[:len(text)-len(rest)], "\n")
		switch {
		case err != nil:
			report(line, err)
		case entry.name == "":
		case entry.bare: // a name without = unsets, as in phpdotenv
			delete(vars, entry.name)
		default:
			value, ok := expand(entry.value, vars, lookup)
			if !ok {
				report(line, errLong)
				break
			}
			vars[entry.name] = dotenvLine{value: value, line: line}
		}
		line, text = line+consumed, rest
	}
	return vars
}

// dotenvLine is a value and the line its entry begins at.
type dotenvLine struct {
	value string
	line  int
}

// dotenvEntry is one assignment; name is "" for a blank line or a comment.
type dotenvEntry struct {
	name  string
	value string // with stand-ins
	bare  bool
}

// nextEntry cuts the first entry off text. rest is shorter than text also when
// there is an error: the line is skipped then.
func nextEntry(text string) (e dotenvEntry, rest string, err error) {
	line, rest, _ := strings.Cut(text, "\n")
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' {
		return e, rest, nil
	}
	if strings.ContainsFunc(line, isStandIn) || !utf8.ValidString(line) {
		return e, rest, errText
	}
	name, _, assigned := strings.Cut(line, "=")
	if e.name, err = entryName(name); err != nil {
		return dotenvEntry{}, rest, err
	}
	if !assigned {
		e.bare = true
		return e, rest, nil
	}
	masked, left, err := maskValue(text[len(name)+1:])
	if err != nil {
		return dotenvEntry{}, rest, err
	}
	if e.value, err = unquote(masked); err != nil {
		return dotenvEntry{}, rest, err
	}
	return e, left, nil
}

// entryName takes "export" and quotes off a name.
func entryName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if after, ok := strings.CutPrefix(s, "export"); ok && after != strings.TrimLeft(after, " \t") {
		s = strings.TrimSpace(after)
	}
	if n := len(s); n >= 3 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		s = s[1 : n-1]
	}
	if !nameRule.MatchString(s) {
		return "", errName
	}
	return s, nil
}

// maskValue reads a value up to the end of its line, or of the line that closes
// its double quotes, and sets the stand-ins. left begins with the next line.
func maskValue(text string) (masked, left string, err error) {
	text = strings.TrimLeft(text, " \t\v\f")
	if text == "" {
		return "", "", nil
	}
	switch text[0] {
	case '"':
		masked, left, err = maskDouble(text[1:])
	case '\'':
		masked, left, err = maskSingle(text[1:])
	default:
		masked, left = maskPlain(text)
	}
	if err != nil {
		return "", "", err
	}
	tail, left, _ := strings.Cut(left, "\n")
	if tail = strings.TrimLeft(tail, " \t\v\f"); tail != "" && tail[0] != '#' {
		return "", "", errSpace
	}
	return masked, left, nil
}

// maskPlain reads a value without quotes. It ends at a space or a #, which the
// library would take as part of the value.
func maskPlain(text string) (masked, left string) {
	end := strings.IndexAny(text, " \t\v\f\n#")
	if end < 0 {
		end = len(text)
	}
	return strings.NewReplacer("$", string(standExpand)).Replace(text[:end]), text[end:]
}

// maskSingle reads '…': no escapes, no expansion, one line.
func maskSingle(text string) (masked, left string, err error) {
	end := strings.IndexAny(text, "'\n")
	if end < 0 || text[end] == '\n' {
		return "", "", errQuote
	}
	hide := strings.NewReplacer("$", string(standDollar), `\`, string(standBackslash))
	return "'" + hide.Replace(text[:end]) + "'", text[end+1:], nil
}

// maskDouble reads "…", which may go over several lines.
func maskDouble(text string) (masked, left string, err error) {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			b.WriteByte('"')
			if !utf8.ValidString(text[:i]) {
				return "", "", errText
			}
			return b.String(), text[i+1:], nil
		case isStandIn(rune(c)):
			return "", "", errText
		case c == '$':
			b.WriteByte(standExpand)
		case c != '\\':
			b.WriteByte(c)
		case i+1 == len(text):
			return "", "", errQuote
		default:
			i++
			if err := maskEscape(&b, text[i]); err != nil {
				return "", "", err
			}
		}
	}
	return "", "", errQuote
}

// maskEscape writes what stands for \c. The library knows \n and \r itself.
func maskEscape(b *strings.Builder, c byte) error {
	switch c {
	case 'n', 'r':
		b.WriteByte('\\')
		b.WriteByte(c)
	case 't':
		b.WriteByte('\t')
	case 'f':
		b.WriteByte('\f')
	case 'v':
		b.WriteByte('\v')
	case '$':
		b.WriteByte(standDollar)
	case '"':
		b.WriteByte(standQuote)
	case '\\':
		b.WriteByte(standBackslash)
	default:
		return errEscape
	}
	return nil
}

// unquote lets the library take quotes and escapes off a masked value. Its
// error is not passed on: it quotes the value.
func unquote(masked string) (string, error) {
	vars, err := godotenv.Unmarshal("V=" + masked)
	if err != nil {
		return "", errQuote
	}
	return vars["V"], nil
}

// expand replaces ${NAME} by the environment's value, or by that of an earlier
// line. An unknown name stays as it is written, and so does $NAME. ok is false
// when the result is over maxValue.
func expand(value string, vars map[string]dotenvLine, lookup func(string) (string, bool)) (expanded string, ok bool) {
	size := len(value)
	value = nested.ReplaceAllStringFunc(value, func(match string) string {
		name := match[2 : len(match)-1]
		v, found := lookup(name)
		if !found {
			var l dotenvLine
			l, found = vars[name]
			v = l.value
		}
		size += len(v)
		if !found || size > maxValue {
			return match
		}
		return v
	})
	if size > maxValue {
		return "", false
	}
	return putBack.Replace(value), true
}

func isStandIn(r rune) bool { return r <= lastStandIn }
