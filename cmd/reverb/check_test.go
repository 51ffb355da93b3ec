package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What ends a start ends a check: files that are named and not there.
func TestCheckFindsWhatStartRefuses(t *testing.T) {
	const database = "[database]\ndriver = \"mysql\"\nca = \"/nonexistent\"\n"
	for name, toml := range map[string]string{
		"pulse":   database + "[pulse]\nenabled = true\n",
		"cache":   database + "[laravel]\ncache_store = \"database\"\n",
		"scaling": "[scaling]\nenabled = true\n[scaling.redis.tls]\nca = \"/nonexistent\"\n",
		"tls":     "[server.tls]\ncert = \"/nonexistent\"\n",
		"nothing": database, // nobody uses it
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.toml")
			if err := os.WriteFile(file, []byte(oneApp("")+toml), 0o600); err != nil {
				t.Fatal(err)
			}
			want := exitError
			if name == "nothing" {
				want = exitOK
			}
			code, out, stderr := command(t, "check", "--config", file, "--env-file", os.DevNull)
			if code != want || strings.Contains(stderr, "/nonexistent") != (want == exitError) {
				t.Errorf("exit code %d, want %d:\n%s%s", code, want, out, stderr)
			}
		})
	}
}
