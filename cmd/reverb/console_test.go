package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConsoleLooksLikeLaravels(t *testing.T) {
	for _, tc := range []struct {
		name  string
		write func(*console)
		want  string
	}{
		{"info", func(c *console) { c.info("Starting server on 127.0.0.1:18080 (localhost)") },
			"\n   INFO  Starting server on 127.0.0.1:18080 (localhost).  \n\n"},
		{"warn", func(c *console) { c.warn("Is this so?") }, "\n   WARN  Is this so?  \n\n"},
		{"error", func(c *console) { c.fail("Failed") }, "\n   ERROR  Failed.  \n\n"},
		{"error of several lines", func(c *console) { c.fail("it is wrong:\nline one\nline two") },
			"\n   ERROR  it is wrong:  \n\n  line one\n  line two\n\n"},
		{"two blocks share a blank line", func(c *console) { c.info("one"); c.info("two") },
			"\n   INFO  one.  \n\n   INFO  two.  \n\n"},
		{"a block after a line", func(c *console) { c.text("line\n"); c.info("one") },
			"line\n\n   INFO  one.  \n\n"},
		{"two columns", func(c *console) { c.detail("Connection Established", "469598370.882552139") },
			"  Connection Established ................................. 469598370.882552139  \n"},
		{"one column", func(c *console) { c.detail("Pruning Stale Connections", "") },
			"  Pruning Stale Connections " + strings.Repeat(".", 50) + "  \n"},
		{"too long for dots", func(c *console) { c.detail(strings.Repeat("a", 70), strings.Repeat("b", 70)) },
			"  " + strings.Repeat("a", 70) + "  " + strings.Repeat("b", 70) + "  \n"},
		{"control characters", func(c *console) { c.detail("\x1b[2J", "a\rb") },
			"  ·[2J " + strings.Repeat(".", 67) + " a·b  \n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out strings.Builder
			tc.write(newConsole(&out, nil))
			if got := out.String(); got != tc.want {
				t.Errorf("got:\n%q\nwant:\n%q", got, tc.want)
			}
		})
	}
}

func TestColoursAreSwitchedByConsole(t *testing.T) {
	var out strings.Builder
	c := newConsole(&out, nil)
	c.styles = newStyles(true)
	c.info("one")
	if want := "\n  \x1b[44;37m INFO \x1b[0;0m one.  \n\n"; !strings.HasPrefix(out.String(), "\n  \x1b[44;37m INFO \x1b[") {
		t.Errorf("got %q, want something like %q", out.String(), want)
	}
}

func TestLookupEnv(t *testing.T) {
	environ := []string{"A=1", "NAME=first", "NAME=last=one", "B"}
	for name, want := range map[string]string{"NAME": "last=one", "A": "1", "B": "", "C": ""} {
		if got := lookupEnv(environ, name); got != want {
			t.Errorf("lookupEnv(%q) = %q, want %q", name, got, want)
		}
	}
}

// What was asked for and could not be written is a failure.
func TestLostOutput(t *testing.T) {
	reader, lost, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer lost.Close()
	_ = reader.Close()
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(oneApp("")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "--config", file, "--env-file", os.DevNull}, {"completion", "bash"}, {"man"}, {"version"}} {
		var stderr bytes.Buffer
		code := run(append([]string{"reverb"}, args...), process{stdout: lost, stderr: &stderr, environ: environ(t)})
		if code != exitError || !strings.Contains(stderr.String(), "the output is not complete") {
			t.Errorf("%v: exit code %d: %s", args, code, stderr.String())
		}
	}
}
