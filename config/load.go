package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source says where the values come from.
type Source struct {
	File    string            // config.toml; "" = config.toml of the working directory when it exists
	EnvFile string            // .env; "" = .env of the working directory when it exists
	Environ []string          // os.Environ()
	Flags   map[string]string // host port path hostname; empty and "0" count as not given, as in Reverb

	dir string // that relative names begin at; "" = the working directory
}

// ErrNoApp is in the error of Load when neither file nor environment has an app.
var ErrNoApp = errors.New("no app is configured: run `reverb install`, " +
	"or set REVERB_APP_ID, REVERB_APP_KEY and REVERB_APP_SECRET, or write [[apps]] into config.toml")

// Load reads, merges and validates; the error lists every violation, a line each.
func Load(s Source) (*Config, error) {
	l := newLoader(s)
	l.readFile(s.File)
	l.readEnv(s)
	l.readFlags(s.Flags)
	if !l.unreadable {
		l.finish()
	}
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	return l.cfg, nil
}

// loader is one run of Load.
type loader struct {
	cfg      *Config
	dir      string // Source.dir
	problems []error

	// bad holds the paths that already have a problem, so that a value that
	// was refused is not also reported as missing.
	bad map[string]bool

	// unreadable is set when a whole source is missing: what depends on all
	// values cannot be judged then.
	unreadable bool

	// envFile is the .env, which need not exist: the site is around it.
	envFile string

	// site is whether the variables are those of a Laravel site.
	site bool
}

func newLoader(s Source) *loader {
	l := &loader{cfg: Default(), dir: s.dir, bad: map[string]bool{}}
	l.cfg.origins = map[string]origin{}
	l.cfg.from = s.placed()
	return l
}

// origin is the place of a value.
type origin struct {
	place string // "config.toml", ".env", "environment", "command line"
	line  int    // 0 = has no lines
	name  string // variable or flag; "" = the key's own name
}

func (o origin) String() string {
	if o.line == 0 {
		return o.place
	}
	return fmt.Sprintf("%s:%d", o.place, o.line)
}

// report notes a problem of the value at path.
func (l *loader) report(o origin, path, format string, args ...any) {
	l.bad[path] = true
	l.problems = append(l.problems, fmt.Errorf("%s: %s", o, fmt.Sprintf(format, args...)))
}

// refuse notes that a value is not what the key takes.
func (l *loader) refuse(o origin, path string, secret bool, value any, want string) {
	name, about := path, ""
	if o.name != "" {
		name, about = o.name, " ("+path+")"
	}
	if secret {
		l.report(o, path, "%s%s: the value is not allowed: want %s", name, about, want)
		return
	}
	l.report(o, path, "%s = %s%s: want %s", name, shown(value), about, want)
}

// shown is a refused value for an error line: short, and on one line.
func shown(v any) string {
	const enough = 60
	var s string
	switch v := v.(type) {
	case map[string]any, []map[string]any:
		return "a table"
	case string:
		s = fmt.Sprintf("%.*q", enough, v)
	default:
		s = fmt.Sprint(v)
	}
	if len(s) > 4*enough {
		s = s[:enough] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

// find returns the setting of a path in the configuration; the name of an app's
// key comes with the app.
func (l *loader) find(name string, app *App) (setting, bool, bool) {
	for _, k := range serverKeys {
		if k.name == name {
			return k.at(l.cfg), k.secret, true
		}
	}
	for _, k := range appKeys {
		if k.name == name && app != nil {
			return k.at(app), k.secret, true
		}
	}
	return nil, false, false
}

// readFlags applies the flags of `reverb start`.
func (l *loader) readFlags(flags map[string]string) {
	names := make([]string, 0, len(flags))
	for name := range flags {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value, o := flags[name], origin{place: "command line", name: "--" + name}
		if value == "" || value == "0" {
			continue
		}
		path := "server." + name
		set, secret, ok := l.find(path, nil)
		if !ok {
			l.report(o, path, "--%s: is not a flag of the configuration", name)
			continue
		}
		if !set.setText(value) {
			l.refuse(o, path, secret, value, set.want())
			continue
		}
		l.cfg.origins[path] = o
	}
}

// maxFile bounds what is read of a file, bytes. A file with a thousand apps has
// a quarter of it.
const maxFile = 1 << 20

// readText reads a file whole. Without a name it is the fallback, which need
// not exist; ok is false when there is nothing to parse.
func (l *loader) readText(name, fallback string) (text, used string, ok bool) {
	used = name
	if used == "" {
		used = fallback
	}
	path := used
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.dir, path)
	}
	f, err := os.Open(path)
	if name == "" && errors.Is(err, os.ErrNotExist) {
		return "", used, false
	}
	var data []byte
	if err == nil {
		defer func() { _ = f.Close() }()
		data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	}
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("the file is larger than %d bytes", maxFile)
	}
	if err != nil {
		l.unreadable = true
		l.problems = append(l.problems, unreadable(path, err))
		return "", used, false
	}
	return string(data), used, true
}
