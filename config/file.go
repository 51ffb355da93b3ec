package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"reverb/internal/nearest"
)

// readFile applies config.toml. The decoder only gives us a tree: decoding into
// the structs would stop at the first wrong type, and we report all of them.
func (l *loader) readFile(name string) {
	text, used, ok := l.readText(name, "config.toml")
	if !ok {
		return
	}
	l.cfg.from.File = used
	tree, err := decodeTOML(text)
	if err != nil {
		l.unreadable = true
		o, text := syntaxError(used, err)
		l.report(o, "", "%s", text)
		return
	}
	f := &file{loader: l, name: used, lines: keyLines(text)}
	f.apps(tree["apps"])
	f.table("", "", tree, nil)
}

// maxNesting bounds how many brackets may be open at once, counted without
// regard to strings; the decoder has no bound of its own and needs minutes, and
// all of the stack, for a file that is nothing but brackets.
const maxNesting = 200

func decodeTOML(text string) (map[string]any, error) {
	open := 0
	for _, c := range text {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		}
		if open > maxNesting {
			return nil, fmt.Errorf("brackets are nested deeper than %d", maxNesting)
		}
	}
	var tree map[string]any
	_, err := toml.Decode(text, &tree)
	return tree, err
}

// syntaxError is the place and the text of a decoder's error. The text that the decoder found there is kept back when
// it may be a secret.
func syntaxError(name string, err error) (origin, string) {
	o := origin{place: name}
	pe, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return o, err.Error()
	}
	o.line = pe.Position.Line
	for _, word := range []string{"secret", "password", "passphrase", "url"} {
		if strings.HasSuffix(pe.LastKey, word) {
			return o, pe.LastKey + ": the value is not TOML: want a string in quotes"
		}
	}
	return o, pe.Message
}

// file is config.toml while its tree is walked.
type file struct {
	*loader
	name  string
	lines map[string]int
}

// table applies the keys of one table. path is where it stands
// ("apps[1].rate_limiting"), name how the key table calls it
// ("apps.rate_limiting"), app whose it is.
func (f *file) table(path, name string, tree map[string]any, app *App) {
	for _, part := range f.inOrder(path, tree) {
		at, key, value := join(path, part), join(name, part), tree[part]
		sub, isTable := value.(map[string]any)
		switch {
		case key == "apps":
			continue
		case isKnownTable(key) && isTable:
			f.table(at, key, sub, app)
		case isKnownTable(key):
			f.report(f.origin(at), at, "%s: want a table, written [%s]", at, key)
		default:
			f.value(at, key, value, app)
		}
	}
}

// value writes one value to its field.
func (f *file) value(at, key string, value any, app *App) {
	set, secret, ok := f.find(key, app)
	if !ok {
		f.report(f.origin(at), at, "%s: unknown key%s", at, wanted(key))
		return
	}
	if !set.setFile(value) {
		f.refuse(f.origin(at), at, secret, value, set.want())
		return
	}
	f.cfg.origins[at] = f.origin(at)
}

// apps makes the apps. The profile of each comes first: the other keys change
// what it sets.
func (f *file) apps(value any) {
	var entries []map[string]any
	switch value := value.(type) {
	case nil:
		return
	case []map[string]any:
		entries = value
	case []any:
		for _, item := range value {
			entry, ok := item.(map[string]any)
			if !ok {
				f.report(f.origin("apps"), "apps", "apps: want tables only, written [[apps]]")
				return
			}
			entries = append(entries, entry)
		}
	default:
		f.report(f.origin("apps"), "apps", "apps: want an array of tables, written [[apps]]")
		return
	}
	for i, entry := range entries {
		app, at := NewApp("", "", ""), element("apps", i)
		f.cfg.Apps = append(f.cfg.Apps, app)
		f.cfg.origins[at] = f.origin(at)
		if profile, ok := entry["profile"]; ok {
			f.value(at+".profile", "apps.profile", profile, app)
			delete(entry, "profile")
		}
		f.table(at, "apps", entry, app)
	}
}

// inOrder are the keys of a table by line, so that errors come in the order of
// the file.
func (f *file) inOrder(path string, tree map[string]any) []string {
	parts := make([]string, 0, len(tree))
	for part := range tree {
		parts = append(parts, part)
	}
	slices.SortFunc(parts, func(a, b string) int {
		return cmp.Or(cmp.Compare(f.lines[join(path, a)], f.lines[join(path, b)]), strings.Compare(a, b))
	})
	return parts
}

// origin is the line of a path, or of the nearest table around it.
func (f *file) origin(path string) origin {
	for at := path; at != ""; {
		if line := f.lines[at]; line > 0 {
			return origin{place: f.name, line: line}
		}
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	return origin{place: f.name}
}

// isKnownTable reports whether the key table has keys below name.
func isKnownTable(name string) bool {
	for _, k := range allKeyNames() {
		if strings.HasPrefix(k, name+".") {
			return true
		}
	}
	return false
}

// wanted says what may stand in the place of an unknown key: first the key that was probably meant, which may belong
// to a table above or below.
func wanted(key string) string {
	names := siblings(key)
	list := "want one of " + strings.Join(names, ", ")
	last := key[strings.LastIndexByte(key, '.')+1:]
	meant := nearest.Word(last, names)
	table, _, _ := strings.Cut(key, ".")
	for _, name := range allKeyNames() {
		if strings.HasPrefix(name, table+".") && strings.HasSuffix(name, "."+last) {
			meant = name
			break
		}
	}
	if meant == "" {
		return ": " + list
	}
	return ", did you mean " + meant + "? " + list
}

// siblings are the names that may stand where the key stands.
func siblings(key string) []string {
	table := key[:strings.LastIndexByte(key, '.')+1]
	var names []string
	for _, k := range allKeyNames() {
		rest, ok := strings.CutPrefix(k, table)
		if !ok {
			continue
		}
		rest, _, _ = strings.Cut(rest, ".")
		if !slices.Contains(names, rest) {
			names = append(names, rest)
		}
	}
	return names
}

// allKeyNames are the names of both key tables.
func allKeyNames() []string {
	names := make([]string, 0, len(serverKeys)+len(appKeys))
	for _, k := range serverKeys {
		names = append(names, k.name)
	}
	for _, k := range appKeys {
		names = append(names, k.name)
	}
	return names
}
