package config_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"reverb/config"
)

// watched runs Watch on a configuration and returns a channel of its calls.
func watched(t *testing.T, s config.Source) <-chan struct{} {
	t.Helper()
	c, err := config.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	calls, done := make(chan struct{}, 16), make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- c.Watch(ctx, func() *config.Config { return c }, func(*config.Config, error) { calls <- struct{}{} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return calls
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put does what is to be noticed until it is: the watch begins some time after
// watched returns, and what was done before does not count.
func put(t *testing.T, calls <-chan struct{}, change func(attempt int)) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for attempt := 1; ; attempt++ {
		change(attempt)
		select {
		case <-calls:
			return
		case <-time.After(4 * time.Second):
		case <-deadline:
			t.Fatal("the change was not noticed")
		}
	}
}

func text(n int) string {
	return oneApp + "max_connections = " + string(rune('0'+n%10)) + "\n"
}

func save(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestWatchNoticesAFileThatIsWritten(t *testing.T) {
	s := source(t, oneApp)
	calls := watched(t, s)
	put(t, calls, func(n int) { save(t, s.File, text(n)) })
	put(t, calls, func(n int) { save(t, s.EnvFile, "REVERB_APP_MAX_CONNECTIONS="+text(n)[len(text(n))-2:]) })
}

func TestWatchNoticesAFileThatIsRenamed(t *testing.T) {
	s := source(t, oneApp)
	calls := watched(t, s)
	for range 2 { // the watch outlives the file that it began with
		put(t, calls, func(n int) {
			save(t, s.File+"~", text(n+1))
			must(t, os.Rename(s.File+"~", s.File))
		})
	}
}

// Forge and Envoyer: current → releases/2, and in each release .env → ../../.env.
func TestWatchNoticesADeployment(t *testing.T) {
	site := t.TempDir()
	save(t, filepath.Join(site, ".env"), "REVERB_APP_MAX_CONNECTIONS=1\n")
	release := func(name string, n int) string {
		dir := filepath.Join(site, "releases", name)
		must(t, os.MkdirAll(dir, 0o700))
		save(t, filepath.Join(dir, "config.toml"), text(n))
		if _, err := os.Lstat(filepath.Join(dir, ".env")); err != nil {
			must(t, os.Symlink("../../.env", filepath.Join(dir, ".env")))
		}
		return dir
	}
	current := filepath.Join(site, "current")
	must(t, os.Symlink(release("1", 1), current))
	calls := watched(t, config.Source{File: filepath.Join(current, "config.toml"), EnvFile: filepath.Join(current, ".env")})
	put(t, calls, func(n int) {
		must(t, os.Symlink(release("2", n+1), current+"~"))
		must(t, os.Rename(current+"~", current))
	})
	put(t, calls, func(n int) { save(t, filepath.Join(site, "releases", "2", "config.toml"), text(n+5)) })
	put(t, calls, func(n int) {
		save(t, filepath.Join(site, ".env"), "REVERB_APP_MAX_CONNECTIONS=2"+text(n)[len(text(n))-2:])
	})
}

// What happens to other files of the folder, and a file that is written with the
// text it had, is no change.
func TestWatchIsQuietWithoutAChange(t *testing.T) {
	s := source(t, oneApp)
	calls := watched(t, s)
	put(t, calls, func(n int) { save(t, s.File, text(n)) })
	was, err := os.ReadFile(s.File)
	must(t, err)
	save(t, filepath.Join(filepath.Dir(s.File), "other"), "x")
	save(t, s.File, string(was))
	select {
	case <-calls:
		t.Error("called without a change")
	case <-time.After(time.Second):
	}
}
