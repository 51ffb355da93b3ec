package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fatih/color"
)

// consoleHandler writes records of the log as lines of the console, as Laravel's queue worker writes its own:
//
//	2026-11-30 21:35:03  WARN  redis is lost ................ addr=127.0.0.1:6379
//
// A value of several lines, as a stack is, follows below.
type consoleHandler struct {
	// Constant after construction.
	console *console
	level   slog.Level
	attrs   []slog.Attr // of With, their keys qualified
	group   string      // "" or "a.b."
}

func (h *consoleHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *consoleHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		next.attrs = append(next.attrs, a)
	}
	return &next
}

func (h *consoleHandler) WithGroup(name string) slog.Handler {
	next := *h
	next.group += name + "."
	return &next
}

func (h *consoleHandler) Handle(_ context.Context, r slog.Record) error {
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

// record writes one line of the log: time and level, the message, dots, what belongs to it; and further lines below, indented.
func (c *console) record(at time.Time, level slog.Level, message, values, below string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	style, name := c.styleOf(level)
	head := at.Format(time.DateTime) + "  "
	label := " " + name + " "
	text := c.detailText(len(head)+len(label)+1, printable(message), printable(values), nil)
	var b strings.Builder
	b.WriteString("  " + c.styles.dots.Sprint(strings.TrimRight(head, " ")) + " " + style.Sprint(label) + " " + text)
	for line := range strings.Lines(below) {
		b.WriteString("    " + printable(strings.TrimRight(line, "\n")) + "\n")
	}
	c.writeLocked(b.String(), false)
}

func (c *console) styleOf(level slog.Level) (style *color.Color, name string) {
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
