package console

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fatih/color"
)

// handler writes records of the log as lines of the console, as Laravel's queue worker writes its own:
//
//	2026-11-30 21:35:03  WARN  redis is lost ................ addr=127.0.0.1:6379
//
// A value of several lines, as a stack is, follows below.
type handler struct {
	// Constant after construction.
	console *Console
	level   slog.Level
	attrs   []slog.Attr // of With, their keys qualified
	group   string      // "" or "a.b."
}

// Records is the handler of records that looks like c and writes to out.
func Records(c *Console, out io.Writer, level slog.Level) slog.Handler {
	return &handler{console: c.To(out), level: level}
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		next.attrs = append(next.attrs, a)
	}
	return &next
}

func (h *handler) WithGroup(name string) slog.Handler {
	next := *h
	next.group += name + "."
	return &next
}

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var values, below strings.Builder
	for _, a := range h.attrs {
		writeAttr(&values, &below, a)
	}
	r.Attrs(func(a slog.Attr) bool {
		a.Key = h.group + a.Key
		writeAttr(&values, &below, a)
		return true
	})
	h.console.record(r.Time, r.Level, r.Message, strings.TrimPrefix(values.String(), " "), below.String())
	return nil
}

// writeAttr adds " key=value" to values, or to below when the value has several lines.
func writeAttr(values, below *strings.Builder, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		for _, inner := range value.Group() {
			inner.Key = a.Key + "." + inner.Key
			writeAttr(values, below, inner)
		}
		return
	}
	text := value.String()
	if value.Kind() == slog.KindTime {
		text = value.Time().Format(time.RFC3339)
	}
	if strings.Contains(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(below, "%s:\n%s\n", a.Key, strings.TrimRight(text, "\n"))
		return
	}
	if text == "" || strings.ContainsAny(text, " \"=\n") {
		text = strconv.Quote(text)
	}
	values.WriteString(" " + a.Key + "=" + text)
}

// record writes one line of the log: time and level, the message, dots, what belongs to it; and further lines below,
// indented.
func (c *Console) record(at time.Time, level slog.Level, message, values, below string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	style, name := c.styleOf(level)
	head := at.Format(time.DateTime) + "  "
	label := " " + name + " "
	text := c.detailText(len(head)+len(label)+1, Printable(message), Printable(values), nil)
	var b strings.Builder
	b.WriteString("  " + c.styles.dots.Sprint(strings.TrimRight(head, " ")) + " " + style.Sprint(label) + " " + text)
	for line := range strings.Lines(below) {
		b.WriteString("    " + Printable(strings.TrimRight(line, "\n")) + "\n")
	}
	c.writeLocked(b.String(), false)
}

func (c *Console) styleOf(level slog.Level) (style *color.Color, name string) {
	switch {
	case level >= slog.LevelError:
		return c.styles.fail, "ERROR"
	case level >= slog.LevelWarn:
		return c.styles.warn, "WARN"
	case level >= slog.LevelInfo:
		return c.styles.info, "INFO"
	}
	return c.styles.dots, "DEBUG"
}
