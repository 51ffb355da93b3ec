package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"reverb/laravel/envfile"
)

var installed = regexp.MustCompile(`^REVERB_APP_ID=[1-9]\d{5}
REVERB_APP_KEY=[a-z0-9]{20}
REVERB_APP_SECRET=[a-z0-9]{20}
REVERB_HOST="localhost"
REVERB_PORT=8080
REVERB_SCHEME=http

VITE_REVERB_APP_KEY="\$\{REVERB_APP_KEY\}"
VITE_REVERB_HOST="\$\{REVERB_HOST\}"
VITE_REVERB_PORT="\$\{REVERB_PORT\}"
VITE_REVERB_SCHEME="\$\{REVERB_SCHEME\}"
$`)

func TestInstallCreatesTheFileOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".env")
	code, out, stderr := command(t, "install", "--env-file", name)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	first := read(t, name)
	if !installed.MatchString(first) {
		t.Errorf("written:\n%s", first)
	}
	if mode(t, name) != 0o600 {
		t.Errorf("mode %o of a new file, want 600", mode(t, name))
	}
	for _, want := range []string{"did not exist and was created", "BROADCAST_CONNECTION=reverb", "broadcaster: 'reverb'", "'driver' => 'reverb'",
		"proxy_pass http://127.0.0.1:8080;"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if want := "   INFO  Reverb installed successfully.  \n\n"; !strings.HasSuffix(out, want) {
		t.Errorf("the output ends with %q", out[max(0, len(out)-60):])
	}
	if secret := envfile.Value(first, "REVERB_APP_SECRET"); strings.Contains(out, secret) {
		t.Errorf("the secret is in the output:\n%s", out)
	}
	if code, _, stderr := command(t, "install", "--env-file", name); code != 0 || read(t, name) != first {
		t.Errorf("second run: exit code %d, %s\n%s", code, stderr, read(t, name))
	}
}
func TestInstallKeepsModeAndLink(t *testing.T) {
	dir := t.TempDir()
	shared, link := filepath.Join(dir, "shared.env"), filepath.Join(dir, ".env")
	if err := os.WriteFile(shared, []byte("BROADCAST_CONNECTION=log\nREVERB_SERVER_PORT=6001\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(shared, link); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := command(t, "install", "--env-file", link)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link is gone: %v %v", info.Mode(), err)
	}
	if mode(t, shared) != 0o640 || !strings.Contains(read(t, shared), "REVERB_APP_SECRET=") {
		t.Errorf("mode %o\n%s", mode(t, shared), read(t, shared))
	}
	if !strings.HasPrefix(read(t, shared), "BROADCAST_CONNECTION=reverb\n") || strings.Contains(out, "Have this line in .env") {
		t.Errorf("BROADCAST_CONNECTION was not set, or is asked for:\n%s%s", read(t, shared), out)
	}
	if !strings.Contains(out, " was changed.") || !regexp.MustCompile(`BROADCAST_CONNECTION \.+ reverb, it was "log"`).MatchString(out) {
		t.Errorf("the output does not tell of BROADCAST_CONNECTION:\n%s", out)
	}
	if _, out, _ = command(t, "install", "--env-file", link); strings.Contains(out, "BROADCAST_CONNECTION") || !strings.Contains(out, "was not touched") {
		t.Errorf("second run:\n%s", out)
	}
	if !strings.Contains(out, "proxy_pass http://127.0.0.1:6001;") {
		t.Errorf("the port of the site is not in the snippet of Nginx:\n%s", out)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".env-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestInstallTellsWhatItCannotWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "missing", ".env")
	code, _, stderr := command(t, "install", "--env-file", name)
	if code != 1 || !strings.Contains(stderr, "ERROR  write environment file "+name+": no such file or directory.") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func mode(t *testing.T, name string) os.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}
