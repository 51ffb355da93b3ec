package config

import (
	"os"
	"path/filepath"
	"strings"
)

// placed is the source with the working directory it has now. The name of that
// is kept as the shell knows it: where "current" is a link to a release, as
// Forge and Envoyer have it, a name that begins there leads to the release that
// is current at each look, and "." only to that of the start.
func (s Source) placed() Source {
	if s.dir == "" {
		s.dir, _ = os.Getwd() // unknown: relative names as they are
	}
	return s
}

// Reload reads again what c was loaded from, with the same flags and the
// environment of then. A file that was there must still be there: it may be
// missing for a moment while an editor or a deployment replaces it, and its apps
// must not be gone for that.
func (c *Config) Reload() (*Config, error) { return Load(c.from) }

// Files are the absolute names of the configuration's files, whether they exist
// or not.
func (c *Config) Files() []string {
	files := []string{c.from.File, c.from.EnvFile}
	for i, fallback := range []string{"config.toml", ".env"} {
		if files[i] == "" {
			files[i] = fallback
		}
		if !filepath.IsAbs(files[i]) {
			files[i] = filepath.Join(c.from.dir, files[i])
		}
	}
	return files
}

// Adopt is c with what of next takes effect without a restart: its apps.
func (c *Config) Adopt(next *Config) *Config {
	adopted := *c
	adopted.Apps, adopted.from = next.Apps, next.from
	return &adopted
}

// The kinds of AppChange.
const (
	AppAdded   = "added"
	AppRemoved = "removed"
	AppChanged = "changed"
)

// AppChange is one app that differs between two configurations. Apps are the
// same app when they have the same id.
type AppChange struct {
	ID   string
	Kind string
	Keys []KeyChange // of AppChanged
}

// KeyChange is one key whose value differs. Secrets are masked.
type KeyChange struct {
	Key      string // as in the file: "server.port"; of an app without the table: "rate_limiting.enabled"
	From, To string
	Secret   bool // From and To are masked
}

func (k KeyChange) String() string {
	if k.Secret {
		return k.Key + " changed" // secrets are not shown
	}
	return k.Key + " = " + k.To + " (was " + k.From + ")"
}

// Changes is what differs between two configurations.
type Changes struct {
	Apps []AppChange // in the order of the new configuration, then those that are gone

	// Restart is what a running server cannot change: everything outside of
	// [[apps]]. From is what stays in force.
	Restart []KeyChange
}

// Empty reports whether nothing differs.
func (c Changes) Empty() bool { return len(c.Apps)+len(c.Restart) == 0 }

// Changes lists what is different in next.
func (c *Config) Changes(next *Config) Changes {
	changes := Changes{Restart: keyChanges(serverKeys, c, next, "")}
	for _, app := range next.Apps {
		old := c.Apps.ByID(app.ID)
		if old == nil {
			changes.Apps = append(changes.Apps, AppChange{ID: app.ID, Kind: AppAdded})
			continue
		}
		if keys := keyChanges(appKeys, old, app, "apps."); len(keys) > 0 {
			changes.Apps = append(changes.Apps, AppChange{ID: app.ID, Kind: AppChanged, Keys: keys})
		}
	}
	for _, app := range c.Apps {
		if next.Apps.ByID(app.ID) == nil {
			changes.Apps = append(changes.Apps, AppChange{ID: app.ID, Kind: AppRemoved})
		}
	}
	return changes
}

// keyChanges compares by what one would write in the file, which tells any two
// values apart.
func keyChanges[T any](keys []key[T], from, to *T, cut string) []KeyChange {
	var changes []KeyChange
	for _, k := range keys {
		a, b := k.at(from), k.at(to)
		if a.String() == b.String() {
			continue
		}
		changes = append(changes, KeyChange{
			Key:    strings.TrimPrefix(k.name, cut),
			From:   valueOf(a, k.secret),
			To:     valueOf(b, k.secret),
			Secret: k.secret,
		})
	}
	return changes
}
