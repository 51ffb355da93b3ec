package console_test

import (
	"strings"
	"testing"

	"reverb/internal/console"
)

func TestConsoleLooksLikeLaravels(t *testing.T) {
	for _, tc := range []struct {
		name  string
		write func(*console.Console)
		want  string
	}{
		{"info", func(c *console.Console) { c.Info("Starting server on 127.0.0.1:18080 (localhost)") },
			"\n   INFO  Starting server on 127.0.0.1:18080 (localhost).  \n\n"},
		{"warn", func(c *console.Console) { c.Warn("Is this so?") }, "\n   WARN  Is this so?  \n\n"},
		{"error", func(c *console.Console) { c.Fail("Failed") }, "\n   ERROR  Failed.  \n\n"},
		{"error of several lines", func(c *console.Console) { c.Fail("it is wrong:\nline one\nline two") },
			"\n   ERROR  it is wrong:  \n\n  line one\n  line two\n\n"},
		{"two blocks share a blank line", func(c *console.Console) { c.Info("one"); c.Info("two") },
			"\n   INFO  one.  \n\n   INFO  two.  \n\n"},
		{"a block after a line", func(c *console.Console) { c.Text("line\n"); c.Info("one") },
			"line\n\n   INFO  one.  \n\n"},
		{"two columns", func(c *console.Console) { c.Detail("Connection Established", "469598370.882552139") },
			"  Connection Established ................................. 469598370.882552139  \n"},
		{"one column", func(c *console.Console) { c.Detail("Pruning Stale Connections", "") },
			"  Pruning Stale Connections " + strings.Repeat(".", 50) + "  \n"},
		{"too long for dots", func(c *console.Console) { c.Detail(strings.Repeat("a", 70), strings.Repeat("b", 70)) },
			"  " + strings.Repeat("a", 70) + "  " + strings.Repeat("b", 70) + "  \n"},
		{"control characters", func(c *console.Console) { c.Detail("\x1b[2J", "a\rb") },
			"  ·[2J " + strings.Repeat(".", 67) + " a·b  \n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out strings.Builder
			tc.write(console.New(&out, nil))
			if got := out.String(); got != tc.want {
				t.Errorf("got:\n%q\nwant:\n%q", got, tc.want)
			}
		})
	}
}

func TestColoursAreSwitchedByConsole(t *testing.T) {
	var out strings.Builder
	c := console.New(&out, nil)
	c.SetColours(true)
	c.Info("one")
	if want := "\n  \x1b[44;37m INFO \x1b[0;0m one.  \n\n"; !strings.HasPrefix(out.String(), "\n  \x1b[44;37m INFO \x1b[") {
		t.Errorf("got %q, want something like %q", out.String(), want)
	}
}
