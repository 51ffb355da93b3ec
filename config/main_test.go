package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"reverb/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// credentials are an environment with one app.
var credentials = []string{"REVERB_APP_ID=1", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s"}

// oneApp is a file with one app; tests put tables after it and top-level
// tables before it.
const oneApp = "[[apps]]\napp_id = \"1\"\nkey = \"k\"\nsecret = \"s\"\n"

// write puts text into a file of its own and returns the name.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads a file and an environment, and fails the test on an error.
func load(t testing.TB, file string, environ ...string) *config.Config {
	t.Helper()
	c, err := config.Load(source(t, file, environ...))
	if err != nil {
		t.Fatalf("Load: %v\nfile:\n%s\nenvironment: %q", err, file, environ)
	}
	return c
}

// source is a source that never sees the files of the working directory.
func source(t testing.TB, file string, environ ...string) config.Source {
	t.Helper()
	return config.Source{
		File:    write(t, "config.toml", file),
		EnvFile: write(t, ".env", ""),
		Environ: environ,
	}
}

// value is what Effective says about a key.
func value(t testing.TB, c *config.Config, key string) config.Entry {
	t.Helper()
	for _, e := range c.Effective() {
		if e.Key == key {
			return e
		}
	}
	t.Fatalf("Effective has no key %q", key)
	return config.Entry{}
}
