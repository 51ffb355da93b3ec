package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
