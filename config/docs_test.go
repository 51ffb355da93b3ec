package config_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"reverb/config"
)

// commented is a key or table that config.toml shows but does not set; prose
// has a space after the #.
var commented = regexp.MustCompile(`(?m)^#([a-z\[])`)

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// As it is, config.toml changes nothing.
func TestConfigFileIsTheDefault(t *testing.T) {
	text := readFile(t, "../config.toml")
	got := load(t, text, credentials...)
	want := load(t, "", credentials...)
	if g, w := plain(got), plain(want); !reflect.DeepEqual(g, w) {
		t.Errorf("config.toml gives\n%v\nwant\n%v", g, w)
	}
}

// With every comment taken off, it has all keys, in the order of the key
// tables, with the defaults.
func TestConfigFileHasEveryKey(t *testing.T) {
	text := commented.ReplaceAllString(readFile(t, "../config.toml"), "$1")
	var tree map[string]any
	meta, err := toml.Decode(text, &tree)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, key := range meta.Keys() {
		if typ := meta.Type(key...); typ != "Hash" && typ != "ArrayHash" {
			got = append(got, key.String())
		}
	}
	var want []string
	for _, row := range config.KeyRowsForTest() {
		want = append(want, row.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("config.toml has the keys\n%v\nwant\n%v", got, want)
	}
	set := strings.NewReplacer("\napp_id = \"\"", "\napp_id = 1", "\nkey = \"\"\nsecret = \"\"", "\nkey = \"k\"\nsecret = \"s\"").Replace(text)
	if g, w := plain(load(t, set)), plain(load(t, "", credentials...)); !reflect.DeepEqual(g, w) {
		t.Errorf("config.toml without comments gives\n%v\nwant\n%v", g, w)
	}
}

// Each variable stands above its key.
func TestConfigFileNamesEveryVariable(t *testing.T) {
	text := readFile(t, "../config.toml")
	for _, row := range config.KeyRowsForTest() {
		if row.Variable != "" && !regexp.MustCompile(row.Variable+`\b`).MatchString(text) {
			t.Errorf("config.toml does not name %s of %s", row.Variable, row.Name)
		}
	}
}

func TestConfigurationDocument(t *testing.T) {
	text := readFile(t, "../docs/configuration.md")
	var got, want []string
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) == 7 && strings.Contains(cells[1], ".") {
			if strings.TrimSpace(cells[5]) == "" {
				t.Errorf("no meaning: %s", line)
			}
			got = append(got, strings.Join(cells[:5], "|"))
		}
	}
	for _, row := range config.KeyRowsForTest() {
		variable := ""
		if row.Variable != "" {
			variable = "`" + row.Variable + "`"
		}
		want = append(want, "| `"+row.Name+"` | "+variable+" | `"+row.Default+"` | "+row.Want+" ")
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/configuration.md has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, name := range config.IgnoredVariablesForTest() {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/configuration.md does not name %s", name)
		}
	}
}

// The table of profiles in the document is what Load makes of them.
func TestProfileDocument(t *testing.T) {
	_, text, _ := strings.Cut(readFile(t, "../docs/configuration.md"), "## Profiles")
	app := strings.TrimPrefix(oneApp, "[[apps]]\n")
	reverb := load(t, "[[apps]]\n"+app)
	pusher := load(t, "[[apps]]\nprofile = \"pusher\"\n"+app)
	var want []string
	for i, e := range pusher.Effective() {
		if e.Source == "profile pusher" {
			name := strings.TrimPrefix(e.Key, "apps[0].")
			want = append(want, "| `"+name+"` | `"+reverb.Effective()[i].Value+"` | `"+e.Value+"` |")
		}
	}
	var got []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| `") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	// The size of a message follows from the rules.
	if len(want) != reflect.TypeFor[config.Rules]().NumField()+1 || !slices.Equal(got, want) {
		t.Errorf("document:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Every field that holds a value is reached by a key: a new field without one
// fails here.
func TestEveryFieldHasAKey(t *testing.T) {
	derived := map[string]bool{"Config.origins": true, "Config.slips": true, "Config.from": true, "Config.Apps": true, "Server.HealthPath": true, "Redis.Encrypted": true, "Pulse.Database": true, "Pulse.Redis": true, "Cache.RedisPrefixes": true, "Cache.Prefixes": true, "Cache.Redis": true, "Cache.Database": true, "Cache.Trouble": true, "Cache.Other": true, "Sentinel.Encrypted": true}
	fields := 0
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for f := range typ.Fields() {
			switch {
			case derived[typ.Name()+"."+f.Name]:
			case f.Type.Kind() == reflect.Struct:
				walk(f.Type)
			default:
				fields++
			}
		}
	}
	walk(reflect.TypeFor[config.Config]())
	walk(reflect.TypeFor[config.App]())
	if rows := len(config.KeyRowsForTest()); rows != fields {
		t.Errorf("%d keys for %d fields", rows, fields)
	}
}

// plain is Effective without the sources.
func plain(c *config.Config) []config.Entry {
	entries := c.Effective()
	for i := range entries {
		entries[i].Source = ""
	}
	return entries
}
