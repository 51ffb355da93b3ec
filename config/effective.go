package config

import "strings"

// Entry is one line of the effective configuration.
type Entry struct {
	Key    string // "server.port", "apps[0].key"
	Value  string // as one would write it in the file; secrets are masked
	Source string // "default", "profile pusher", "config.toml:12", ".env:3 REVERB_APP_KEY", …
}

// mask stands for a secret of any length.
const mask = "********"

// Effective lists every key with its value and where that comes from, in the
// order of config.toml, without secrets.
func (c *Config) Effective() []Entry {
	var entries []Entry
	byTable := map[string][]Entry{}
	for _, k := range serverKeys {
		table, _, _ := strings.Cut(k.name, ".")
		byTable[table] = append(byTable[table], Entry{k.name, valueOf(k.at(c), k.secret), c.source(k.name, "default")})
	}
	entries = append(entries, byTable["server"]...)
	for i, app := range c.Apps {
		plain := NewApp("", "", "")
		for _, k := range appKeys {
			fallback := "default"
			if value := k.at(app).String(); value != k.at(plain).String() && app.Profile != plain.Profile {
				fallback = "profile " + app.Profile
			}
			path := element("apps", i) + strings.TrimPrefix(k.name, "apps")
			entries = append(entries, Entry{path, valueOf(k.at(app), k.secret), c.source(path, fallback)})
		}
	}
	for _, table := range []string{"scaling", "log", "metrics", "dashboard", "laravel", "database", "pulse"} {
		entries = append(entries, byTable[table]...)
	}
	return entries
}

// source is where a path was written.
func (c *Config) source(path, fallback string) string {
	o, ok := c.origins[path]
	if !ok {
		return fallback
	}
	return strings.TrimSpace(o.String() + " " + o.name)
}

func valueOf(s setting, secret bool) string {
	if u, ok := s.(urlSetting); ok {
		return u.redacted()
	}
	if !secret {
		return s.String()
	}
	switch s := s.(type) {
	case textSetting:
		return hidden(*s.p)
	case listSetting:
		return "[" + strings.TrimSuffix(strings.Repeat(`"`+mask+`", `, len(*s.p)), ", ") + "]"
	}
	return mask
}

// hidden is a mask, or nothing for nothing.
func hidden(s string) string {
	if s == "" {
		return `""`
	}
	return mask
}
