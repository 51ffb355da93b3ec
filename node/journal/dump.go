package journal

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"reverb/config"
	"reverb/internal/console"
)

const (
	// dumpLimit is how many characters of a message are shown, as in Reverb.
	dumpLimit = 200
	// dumpDepth bounds the nesting that is followed; deeper parts show as an ellipsis.
	dumpDepth = 32
)

// masked reports whether a field lets the reader of a terminal, or of a log that it was sent to, act in somebody else's
// name. Reverb shows them; of a channel signature the application key in front of the colon stays readable.
func masked(key string) bool {
	return strings.EqualFold(key, "auth") || config.SecretName(key)
}

// decoded are the fields that travel as JSON inside a string and are shown as what they hold.
var decoded = map[string]bool{"data": true, "channel_data": true, "user_data": true}

// dump is the numbered, pretty-printed beginning of a message, each line ended. What is no JSON shows as null, like in
// Reverb.
func dump(payload []byte) string {
	var lines strings.Builder
	for i, line := range strings.Split(cut(pretty(payload)), "\n") {
		number := strconv.Itoa(i + 1)
		lines.WriteString(strings.Repeat(" ", max(5-len(number), 0)) + number + "▕ " + console.Printable(line) + "\n")
	}
	return lines.String()
}

// compact is the beginning of a message on one line, as JSON unless it is cut; "" when there is none.
func compact(payload []byte) string {
	if !json.Valid(payload) {
		return ""
	}
	return cut(masking(payload))
}

// masking is a valid JSON text on one line, with masks; of a long one the beginning.
func masking(payload []byte) string {
	p := dumper{flat: true}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	p.value(d, "", 0)
	return p.out.String()
}

// pretty indents one JSON text by four spaces per level. It writes little more than dumpLimit characters, whatever the
// payload's size.
func pretty(payload []byte) string {
	if !json.Valid(payload) {
		return "null"
	}
	p := dumper{}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	p.value(d, "", 0)
	return p.out.String()
}

// cut keeps the first dumpLimit characters.
func cut(text string) string {
	n := 0
	for i := range text {
		if n == dumpLimit {
			return text[:i] + "..."
		}
		n++
	}
	return text
}

// dumper walks a valid JSON text token by token, so that the order of the fields stays as it was sent.
type dumper struct {
	flat  bool // on one line
	out   strings.Builder
	chars int
}

// newLine begins a line at a depth, unless all is to be on one.
func (p *dumper) newLine(depth int) {
	if !p.flat {
		p.write("\n" + strings.Repeat("    ", depth))
	}
}

func (p *dumper) write(text string) {
	p.out.WriteString(text)
	p.chars += utf8.RuneCountInString(text)
}

// full reports that the rest will be cut off anyway.
func (p *dumper) full() bool { return p.chars > dumpLimit }

// value writes the next value of d, which is that of the field key.
func (p *dumper) value(d *json.Decoder, key string, depth int) {
	if masked(key) {
		p.masked(d, key)
		return
	}
	token, err := d.Token()
	if err != nil {
		return
	}
	switch t := token.(type) {
	case json.Delim:
		p.container(d, t, depth)
	case string:
		p.text(t, key, depth)
	case json.Number:
		p.write(t.String())
	case bool:
		p.write(strconv.FormatBool(t))
	case nil:
		p.write("null")
	}
}

func (p *dumper) container(d *json.Decoder, open json.Delim, depth int) {
	object := open == '{'
	p.write(open.String())
	empty := true
	for d.More() && !p.full() {
		if !empty {
			p.write(",")
		}
		empty = false
		p.newLine(depth + 1)
		if depth == dumpDepth {
			p.write("…")
			p.chars = dumpLimit + 1
			return
		}
		key := ""
		if object {
			token, err := d.Token()
			if err != nil {
				return
			}
			key, _ = token.(string)
			p.write(quote(key) + p.colon())
		}
		p.value(d, key, depth+1)
	}
	if p.full() {
		return
	}
	_, _ = d.Token() // the closing bracket
	if !empty {
		p.newLine(depth)
	}
	if object {
		p.write("}")
	} else {
		p.write("]")
	}
}

func (p *dumper) colon() string {
	if p.flat {
		return ":"
	}
	return ": "
}

// masked writes a mask for the next value, of any type but null.
func (p *dumper) masked(d *json.Decoder, key string) {
	var value any
	if err := d.Decode(&value); err != nil {
		return
	}
	switch text, _ := value.(string); {
	case value == nil:
		p.write("null")
	case strings.EqualFold(key, "auth"):
		p.write(quote(mask(text)))
	default:
		p.write(quote(hidden))
	}
}

// text writes a string, or what it holds when it is one of the fields that carry JSON as text. Any other string may
// hold JSON too, which then has its masks.
func (p *dumper) text(s, key string, depth int) {
	if decoded[key] && depth > 0 && depth <= dumpDepth && json.Valid([]byte(s)) {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		p.value(d, "", depth)
		return
	}
	if depth <= dumpDepth && isContainer(s) {
		inner := dumper{flat: true}
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		inner.value(d, "", depth+1)
		s = inner.out.String()
	}
	p.write(quote(s))
}

// isContainer reports whether a text is a JSON object or list.
func isContainer(s string) bool {
	trimmed := strings.TrimLeft(s, " \t\r\n")
	return trimmed != "" && (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid([]byte(s))
}

// hidden stands for a secret of any length.
const hidden = "********"

// mask hides the signature of "key:signature", or all of a text without a colon.
func mask(s string) string {
	if key, _, ok := strings.Cut(s, ":"); ok {
		return key + ":" + hidden
	}
	return hidden
}

// quote is s as a JSON string without escapes that a reader does not need. Only as much of s is looked at as can be
// shown.
func quote(s string) string {
	if len(s) > 4*(dumpLimit+1) {
		s = strings.ToValidUTF8(s[:4*(dumpLimit+1)], "")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimRight(b.String(), "\n")
}
