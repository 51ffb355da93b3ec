package logging

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// NewJSON is a handler that writes one JSON object a line: time, level, msg and the attributes. w gets each line in one call.
func NewJSON(w io.Writer, level slog.Level) slog.Handler {
	return slog.NewJSONHandler(visible{w}, &slog.HandlerOptions{Level: level, ReplaceAttr: readable})
}

// readable writes durations and addresses as people do, not as a number of nanoseconds or an object of Go's fields.
func readable(_ []string, a slog.Attr) slog.Attr {
	if kind := a.Value.Kind(); kind != slog.KindDuration && kind != slog.KindAny {
		return a
	}
	if s, ok := a.Value.Any().(fmt.Stringer); ok {
		a.Value = slog.StringValue(s.String())
	}
	return a
}

// MaxBrief bounds what is logged of a text that a stranger sent, in bytes.
const MaxBrief = 200

// Brief is the beginning of a text that a stranger sent.
func Brief(text string) string {
	if len(text) > MaxBrief {
		text = text[:MaxBrief] + "…"
	}
	return strings.ToValidUTF8(text, "?")
}

// From is the attribute that says whom a request or a connection came from. The port is left out where a proxy does not tell it.
func From(client netip.AddrPort) slog.Attr {
	const key = "from"
	switch {
	case !client.IsValid():
		return slog.String(key, "unknown")
	case client.Port() == 0:
		return slog.String(key, client.Addr().String())
	}
	return slog.String(key, client.String())
}

// visible escapes what JSON leaves as it is and a terminal obeys.
type visible struct{ w io.Writer }

func (v visible) Write(p []byte) (int, error) {
	if n, err := v.w.Write(escapeHidden(p)); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// escapeHidden returns JSON text in which no hidden character stands for itself. They are possible in strings only.
func escapeHidden(text []byte) []byte {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r < utf8.RuneSelf || !Hidden(r) {
			i += size
			continue
		}
		out := append(make([]byte, 0, len(text)+16), text[:i]...)
		for ; i < len(text); i += size {
			if r, size = utf8.DecodeRune(text[i:]); r >= utf8.RuneSelf && Hidden(r) {
				out = fmt.Appendf(out, `\u%04x`, r)
			} else {
				out = append(out, text[i:i+size]...)
			}
		}
		return out
	}
	return text
}

// Hidden reports whether a character of somebody else's text must not reach a terminal: control characters move the cursor, bidirectional
// controls reorder what stands around them, and line separators begin lines in some viewers.
func Hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
