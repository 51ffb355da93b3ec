package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/fatih/color"
	"golang.org/x/term"

	"reverb/internal/logging"
)

const (
	// plainWidth is the width in columns of an output that is no terminal.
	plainWidth = 80
	// barWidth is that of a progress bar, as in Laravel.
	barWidth = 28
	// maxWidth keeps two-column lines readable on a wide screen; Laravel stops at the same column.
	maxWidth = 150
)

// console writes in the manner of Laravel's console: labelled blocks between blank lines, and two-column lines filled with dots. All
// methods may be called from any goroutine and wait for the output; that of a running server is a queue, see journal.
type console struct {
	// Constant after construction.
	out    io.Writer
	file   *os.File // the terminal behind out, nil when there is none
	styles styles

	mu    sync.Mutex
	blank bool  // the last line written was blank, so the next block needs none before it
	lost  error // of the first write that failed
}

// styles are the colours of one console; each is switched on or off by itself, because the package-wide switch belongs to nobody.
type styles struct {
	info, warn, fail   *color.Color // labels of blocks
	dots               *color.Color
	green, red, yellow *color.Color // values
}

// newConsole writes to out. Colours are for terminals only, and not for those who set NO_COLOR or have a dumb one.
func newConsole(out io.Writer, environ []string) *console {
	c := &console{out: out}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.file = f
	}
	c.styles = newStyles(c.file != nil && lookupEnv(environ, "NO_COLOR") == "" && lookupEnv(environ, "TERM") != "dumb")
	return c
}

func newStyles(colours bool) styles {
	style := func(attributes ...color.Attribute) *color.Color {
		s := color.New(attributes...)
		if colours {
			s.EnableColor()
		} else {
			s.DisableColor()
		}
		return s
	}
	return styles{
		info:   style(color.BgBlue, color.FgWhite),
		warn:   style(color.BgYellow, color.FgBlack),
		fail:   style(color.BgRed, color.FgWhite),
		dots:   style(color.FgHiBlack),
		green:  style(color.FgGreen),
		red:    style(color.FgRed),
		yellow: style(color.FgYellow),
	}
}

// info writes `   INFO  text.  ` between blank lines.
func (c *console) info(text string) { c.block(c.styles.info, "INFO", text) }

// warn writes `   WARN  text.  ` between blank lines.
func (c *console) warn(text string) { c.block(c.styles.warn, "WARN", text) }

// fail writes `   ERROR  text.  ` between blank lines. Further lines of text follow below the block, indented.
func (c *console) fail(text string) { c.block(c.styles.fail, "ERROR", text) }

func (c *console) block(label *color.Color, name, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, rest, more := strings.Cut(strings.TrimRight(text, "\n"), "\n")
	var b strings.Builder
	if !c.blank {
		b.WriteByte('\n')
	}
	b.WriteString("  " + label.Sprint(" "+name+" ") + " " + punctuated(printable(first)) + "  \n\n")
	if more {
		for line := range strings.Lines(rest) {
			b.WriteString("  " + printable(strings.TrimRight(line, "\n")) + "\n")
		}
		b.WriteByte('\n')
	}
	c.writeLocked(b.String(), true)
}

// detail writes one two-column line: title, dots up to the width of the terminal, value. An empty value leaves the dots to the end.
func (c *console) detail(title, value string) { c.colouredDetail(title, value, nil) }

// colouredDetail is detail with a style for the value.
func (c *console) colouredDetail(title, value string, style *color.Color) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeLocked("  "+c.detailText(0, printable(title), printable(value), style), false)
}

// detailText is a two-column line without its indent, behind so many columns that are taken.
func (c *console) detailText(taken int, title, value string, style *color.Color) string {
	room := c.width() - taken - 4 - utf8.RuneCountInString(title) - 1
	shown := ""
	if value != "" {
		room -= 1 + utf8.RuneCountInString(value)
		shown = " " + value
		if style != nil {
			shown = " " + style.Sprint(value)
		}
	}
	return title + " " + c.styles.dots.Sprint(strings.Repeat(".", max(room, 0))) + shown + "  \n"
}

// progress tells how far something has come: a bar that moves on a terminal, elsewhere a line.
func (c *console) progress(title, value string, done, total int) {
	if c.file == nil {
		c.detail(title, value)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	filled := barWidth * min(done, total) / max(total, 1)
	bar := c.styles.green.Sprint(strings.Repeat("▓", filled)) + c.styles.dots.Sprint(strings.Repeat("░", barWidth-filled))
	c.writeLocked("\r\x1b[2K  "+title+" ["+bar+"] "+value, false)
}

// progressEnd goes to the next line, where there was a bar.
func (c *console) progressEnd() {
	if c.file != nil {
		c.text("\n")
	}
}

// text writes lines as they are.
func (c *console) text(lines string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if lines != "" {
		c.writeLocked(lines, strings.HasSuffix(lines, "\n\n") || lines == "\n")
	}
}

// writeLocked only keeps an error: a server whose terminal has gone goes on serving.
func (c *console) writeLocked(text string, blank bool) {
	if _, err := io.WriteString(c.out, text); err != nil && c.lost == nil {
		c.lost = err
	}
	c.blank = blank
}

// complete is an error if something that was written did not arrive.
func (c *console) complete() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost != nil {
		return fmt.Errorf("the output is not complete: %w", c.lost)
	}
	return nil
}

// twin is a console of the same looks to the same output, on which nothing was written yet.
func (c *console) twin() *console { return &console{out: c.out, file: c.file, styles: c.styles} }

// width is read for each line, so that a resized window is noticed.
func (c *console) width() int {
	if c.file == nil {
		return plainWidth
	}
	columns, _, err := term.GetSize(int(c.file.Fd()))
	if err != nil || columns <= 0 {
		return plainWidth
	}
	return min(columns, maxWidth)
}

// punctuated ends a sentence, as Laravel's components do.
func punctuated(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".?!:") {
		return text
	}
	return text + "."
}

// printable takes the control characters out of what may come from a client or another process: written to a terminal, they could
// move the cursor and rewrite what was shown before. Bidirectional controls and line separators show as their escapes.
func printable(text string) string {
	if strings.IndexFunc(text, unprintable) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !unprintable(r):
			b.WriteRune(r)
		case unicode.IsControl(r), r == utf8.RuneError:
			b.WriteRune('·')
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return r == utf8.RuneError || logging.Hidden(r) }

// lookupEnv is the value of a variable in a list as os.Environ gives it; the last one counts.
func lookupEnv(environ []string, name string) string {
	for _, entry := range slices.Backward(environ) {
		if key, value, ok := strings.Cut(entry, "="); ok && key == name {
			return value
		}
	}
	return ""
}
