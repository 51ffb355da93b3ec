package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reverb/config"
)

func TestReloadReadsTheSamePlaces(t *testing.T) {
	s := source(t, oneApp, "REVERB_APP_PING_INTERVAL=7")
	s.Flags = map[string]string{"port": "9000"}
	c, err := config.Load(s)
	must(t, err)
	save(t, s.File, oneApp+"max_connections = 5\n[[apps]]\napp_id = \"2\"\nkey = \"k2\"\nsecret = \"s2\"\n")
	save(t, s.EnvFile, "REVERB_APP_ACTIVITY_TIMEOUT=9\n")
	next, err := c.Reload()
	must(t, err)
	app := next.Apps.ByID("1")
	if app.MaxConnections != 5 || app.ActivityTimeout != 9 || app.PingInterval.Seconds() != 7 || next.Server.Port != 9000 || next.Apps.ByID("2") == nil {
		t.Errorf("reloaded: port %d, %+v", next.Server.Port, app)
	}
	if c.Apps.ByID("1").MaxConnections != 0 || len(c.Apps) != 1 {
		t.Error("the configuration of before has changed")
	}
}

func TestReloadOfABrokenFile(t *testing.T) {
	s := source(t, oneApp)
	c, err := config.Load(s)
	must(t, err)
	for _, tt := range []struct{ text, want string }{
		{oneApp + "ping_interval = 0\n", s.File + ":5: apps[0].ping_interval = 0: want"},
		{"[[apps]\n", s.File + ":2: expected"},
		{"", "no app is configured"},
	} {
		save(t, s.File, tt.text)
		if _, err := c.Reload(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
	must(t, os.Remove(s.File))
	if _, err := c.Reload(); err == nil || !strings.Contains(err.Error(), s.File) {
		t.Errorf("error %v, want one about the file that is gone", err)
	}
}

// A file of the working directory is found through the link by which the shell
// came there; one that was found may not vanish, one that was not may appear.
func TestReloadFollowsTheWorkingDirectory(t *testing.T) {
	site := t.TempDir()
	for i, text := range []string{oneApp, oneApp + "max_connections = 2\n"} {
		dir := filepath.Join(site, string(rune('1'+i)))
		must(t, os.Mkdir(dir, 0o700))
		save(t, filepath.Join(dir, "config.toml"), text)
	}
	current := filepath.Join(site, "current")
	must(t, os.Symlink("1", current))
	t.Chdir(current) // sets PWD
	c, err := config.Load(config.Source{})
	must(t, err)
	if want := []string{filepath.Join(current, "config.toml"), filepath.Join(current, ".env")}; !slices.Equal(c.Files(), want) {
		t.Errorf("files %q, want %q", c.Files(), want)
	}
	must(t, os.Remove(current))
	must(t, os.Symlink("2", current))
	save(t, filepath.Join(site, "2", ".env"), "REVERB_APP_ACTIVITY_TIMEOUT=9\n")
	next, err := c.Reload()
	must(t, err)
	if app := next.Apps[0]; app.MaxConnections != 2 || app.ActivityTimeout != 9 {
		t.Errorf("reloaded from the old release: %+v", app)
	}
	must(t, os.Remove(filepath.Join(site, "2", ".env")))
	if _, err := c.Adopt(next).Reload(); err == nil || !strings.Contains(err.Error(), ".env") {
		t.Errorf("error %v, want one about .env", err)
	}
}

func TestChanges(t *testing.T) {
	old := load(t, "[server]\nport = 1\n"+oneApp+"[[apps]]\napp_id = \"2\"\nkey = \"k2\"\nsecret = \"s2\"\n", "REDIS_PASSWORD=hush")
	next := load(t, "[server]\nport = 2\n"+`
[[apps]]
app_id = "3"
key = "k3"
secret = "s3"
[[apps]]
app_id = "1"
key = "new"
secret = "new-secret"
previous_keys = ["k"]
previous_secrets = ["s"]
[apps.rate_limiting]
enabled = true
`, "REDIS_PASSWORD=hushhush")
	changes := old.Changes(next)
	var got []string
	for _, app := range changes.Apps {
		got = append(got, app.Kind+" "+app.ID)
		for _, key := range app.Keys {
			got = append(got, key.String())
		}
	}
	for _, key := range changes.Restart {
		got = append(got, key.String())
	}
	want := []string{
		"added 3", "changed 1", `key = "new" (was "k")`, "secret changed", `previous_keys = ["k"] (was [])`, "previous_secrets changed",
		"rate_limiting.enabled = true (was false)", "removed 2",
		"server.port = 2 (was 1)", "scaling.redis.password changed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	adopted := old.Adopt(next)
	if adopted.Server.Port != 1 || adopted.Apps.ByID("3") == nil || len(old.Apps) != 2 {
		t.Errorf("adopted: %+v", adopted.Server)
	}
	if again := adopted.Changes(next); len(again.Apps) != 0 || len(again.Restart) != 2 || again.Empty() {
		t.Errorf("adopted, then: %+v", again)
	}
	if !old.Changes(old).Empty() {
		t.Errorf("without a change: %+v", old.Changes(old))
	}
}

func TestPreviousKeysAndSecrets(t *testing.T) {
	two := "[[apps]]\napp_id = \"2\"\nkey = \"k2\"\nsecret = \"s2\"\n"
	c := load(t, oneApp+"previous_secrets = [\"older\"]\n"+two, "REVERB_APP_PREVIOUS_KEYS=k, old")
	app := c.Apps.ByKey("old")
	if app == nil || app.ID != "1" || !app.HasKey("k") || app.HasKey("k2") {
		t.Fatalf("app %+v", app)
	}
	if !app.AnySecret(func(s string) bool { return s == "older" }) || !app.AnySecret(func(s string) bool { return s == "s" }) ||
		!app.AnyKey(func(k string) bool { return k == "old" }) || app.AnyKey(func(k string) bool { return k == "k2" }) {
		t.Error("keys or secrets of before are not known")
	}
	if e := value(t, c, "apps[0].previous_secrets"); e.Value != `["********"]` {
		t.Errorf("shown as %s", e.Value)
	}
	for _, tt := range []struct{ text, want string }{
		{oneApp + "previous_keys = [\"k2\"]\n" + two, `:5: apps[0].previous_keys has "k2": want another than apps[1] has`},
		{oneApp + "previous_keys = [\"o\"]\n" + two + "previous_keys = [\"o\"]\n", `:10: apps[1].previous_keys has "o": want another than apps[0] has`},
		{oneApp + "previous_keys = [\"a/b\"]\n", `apps[0].previous_keys has "a/b": want letters`},
		{oneApp + "previous_keys = [\"1\",\"2\",\"3\",\"4\",\"5\"]\n", `apps[0].previous_keys: has 5 values: want at most 4`},
		{oneApp + "previous_secrets = [\"\"]\n", `apps[0].previous_secrets: the value is not allowed: want a list of non-empty strings`},
		{oneApp + "previous_secrets = [\"1\",\"2\",\"3\",\"4\",\"5\"]\n", `apps[0].previous_secrets: has 5 values`},
	} {
		if _, err := config.Load(source(t, tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v\nwant %s", err, tt.want)
		}
	}
}
