package main

import (
	"os"
	"strings"
	"testing"
)

// A command line that was written for artisan goes on working.
func TestOptionsOfArtisan(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env.staging", []byte("REVERB_APP_ID=1\nREVERB_APP_KEY=k\nREVERB_APP_SECRET=s\nREVERB_SERVER_PORT=7001\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := command(t, "check", "-n", "-vvv", "--no-ansi", "--env=staging")
	if code != exitOK || !strings.Contains(out, "7001 (.env.staging") {
		t.Errorf("exit code %d:\n%s%s", code, out, stderr)
	}
	if code, out, stderr = command(t, "check", "-q", "--env", "staging"); code != exitOK || out+stderr != "" {
		t.Errorf("quiet, exit code %d:\n%s%s", code, out, stderr)
	}
	if code, out, stderr = command(t, "install", "--env=staging"); code != exitOK || !strings.Contains(out, ".env.staging was completed") {
		t.Errorf("install, exit code %d:\n%s%s", code, out, stderr)
	}
	if code, out, _ = command(t, "check", "--ansi", "--env", "staging"); code != exitOK || !strings.Contains(out, "\x1b[") {
		t.Errorf("in colours, exit code %d:\n%s", code, out)
	}
	if code, _, stderr = command(t, "check", "--env", "elsewhere"); code != exitError || !strings.Contains(stderr, "no app is configured") {
		t.Errorf("without that file, exit code %d:\n%s", code, stderr)
	}
}
