package console

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/fatih/color"
	"golang.org/x/term"

	"reverb/internal/envlist"
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

// Console writes in the manner of Laravel's console: labelled blocks between blank lines, and two-column lines filled
// with dots. All methods may be called from any goroutine and wait for the output; that of a running server is a queue,
// see journal.
type Console struct {
	// Constant after construction.
	out    io.Writer
	file   *os.File // the terminal behind out, nil when there is none
	styles styles

	mu    sync.Mutex
	blank bool  // the last line written was blank, so the next block needs none before it
	lost  error // of the first write that failed
}

// Colour is that of a value.
type Colour int

// The colours of values. Plain is that of the text around.
const (
	Plain Colour = iota
	Green
	Red
	Yellow
	Grey
)

// styles are the colours of one console; each is switched on or off by itself, because the package-wide switch belongs
// to nobody.
type styles struct {
	info, warn, fail   *color.Color // labels of blocks
	dots               *color.Color
	green, red, yellow *color.Color // values
}

// New writes to out. Colours are for terminals only, unless NO_COLOR is set or the terminal is a dumb one.
func New(out io.Writer, environ []string) *Console {
	c := &Console{out: out}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.file = f
	}
	c.styles = newStyles(c.file != nil && envlist.Get(environ, "NO_COLOR") == "" && envlist.Get(environ, "TERM") != "dumb")
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

// PaintFailure is a text as the labels of failures are.
func (c *Console) PaintFailure(text string) string { return c.styles.fail.Sprint(text) }

// of is the style of a colour; nil for none.
func (s *styles) of(colour Colour) *color.Color {
	switch colour {
	case Green:
		return s.green
	case Red:
		return s.red
	case Yellow:
		return s.yellow
	case Grey:
		return s.dots
	}
	return nil
}

// Info writes `   INFO  text.  ` between blank lines.
func (c *Console) Info(text string) { c.block(c.styles.info, "INFO", text) }

// Warn writes `   WARN  text.  ` between blank lines.
func (c *Console) Warn(text string) { c.block(c.styles.warn, "WARN", text) }

// Fail writes `   ERROR  text.  ` between blank lines. Further lines of text follow below the block, indented.
func (c *Console) Fail(text string) { c.block(c.styles.fail, "ERROR", text) }

func (c *Console) block(label *color.Color, name, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, rest, more := strings.Cut(strings.TrimRight(text, "\n"), "\n")
	var b strings.Builder
	if !c.blank {
		b.WriteByte('\n')
	}
	b.WriteString("  " + label.Sprint(" "+name+" ") + " " + punctuated(Printable(first)) + "  \n\n")
	if more {
		for line := range strings.Lines(rest) {
			b.WriteString("  " + Printable(strings.TrimRight(line, "\n")) + "\n")
		}
		b.WriteByte('\n')
	}
	c.writeLocked(b.String(), true)
}

// Detail writes one two-column line: title, dots up to the width of the terminal, value. An empty value leaves the dots
// to the end.
func (c *Console) Detail(title, value string) { c.ColouredDetail(title, value, Plain) }

// ColouredDetail is Detail with a colour for the value.
func (c *Console) ColouredDetail(title, value string, colour Colour) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeLocked("  "+c.detailText(0, Printable(title), Printable(value), c.styles.of(colour)), false)
}

// detailText is a two-column line without its indent, behind so many columns that are taken.
func (c *Console) detailText(taken int, title, value string, style *color.Color) string {
	room := c.Width() - taken - 4 - utf8.RuneCountInString(title) - 1
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

// Progress tells how far something has come: a bar that moves on a terminal, elsewhere a line.
func (c *Console) Progress(title, value string, done, total int) {
	if c.file == nil {
		c.Detail(title, value)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	filled := barWidth * min(done, total) / max(total, 1)
	bar := c.styles.green.Sprint(strings.Repeat("▓", filled)) + c.styles.dots.Sprint(strings.Repeat("░", barWidth-filled))
	c.writeLocked("\r\x1b[2K  "+title+" ["+bar+"] "+value, false)
}

// ProgressEnd goes to the next line, where there was a bar.
func (c *Console) ProgressEnd() {
	if c.file != nil {
		c.Text("\n")
	}
}

// Text writes lines as they are.
func (c *Console) Text(lines string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if lines != "" {
		c.writeLocked(lines, strings.HasSuffix(lines, "\n\n") || lines == "\n")
	}
}

// writeLocked only keeps an error: a server whose terminal has gone goes on serving.
func (c *Console) writeLocked(text string, blank bool) {
	if _, err := io.WriteString(c.out, text); err != nil && c.lost == nil {
		c.lost = err
	}
	c.blank = blank
}

// Complete is an error if something that was written did not arrive.
func (c *Console) Complete() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost != nil {
		return fmt.Errorf("the output is not complete: %w", c.lost)
	}
	return nil
}

// To is a console of the same looks that writes to out, on which nothing was written yet.
func (c *Console) To(out io.Writer) *Console {
	return &Console{out: out, file: c.file, styles: c.styles}
}

// Output is where the console writes to.
func (c *Console) Output() io.Writer { return c.out }

// Silence has the console write nothing. It is called before anything is written.
func (c *Console) Silence() { c.out = io.Discard }

// SetColours overrules what the output and the environment say about colours. It is called before anything is written.
func (c *Console) SetColours(on bool) { c.styles = newStyles(on) }

// Paint is a text in a colour, as this console shows it.
func (c *Console) Paint(text string, colour Colour) string {
	if style := c.styles.of(colour); style != nil {
		return style.Sprint(text)
	}
	return text
}

// Width is read for each line, so that a resized window is noticed.
func (c *Console) Width() int {
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

// Printable takes the control characters out of what may come from a client or another process: written to a terminal,
// they could move the cursor and rewrite what was shown before. Bidirectional controls and line separators show as
// their escapes.
func Printable(text string) string {
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
