package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
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
		rules{l}.check()
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	return l.cfg, nil
}

// loader is one run of Load.
type loader struct {
	problems
	cfg *Config
	dir string // Source.dir

	// unreadable is set when a whole source is missing: what depends on all
	// values cannot be judged then.
	unreadable bool

	// envFile is the .env, which need not exist: the site is around it.
	envFile string

	// site is whether the variables are those of a Laravel site.
	site bool
}

func newLoader(s Source) *loader {
	l := &loader{cfg: Default(), dir: s.dir}
	l.cfg.origins = map[string]origin{}
	l.problems = newProblems(l.cfg.origins)
	l.cfg.from = s.placed()
	return l
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
		l.add(unreadable(path, err))
		return "", used, false
	}
	return string(data), used, true
}
