package config

import (
	"errors"
	"fmt"
	"strings"
)

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

// problems are the errors of one run of Load, in the order of the sources.
type problems struct {
	origins map[string]origin // of the configuration: where each key was written

	// bad holds the paths that already have a problem, so that a value that was refused is not also reported as
	// missing.
	bad map[string]bool
	all []error
}

func newProblems(origins map[string]origin) problems {
	return problems{origins: origins, bad: map[string]bool{}}
}

func (p *problems) add(err error) { p.all = append(p.all, err) }

// err is all problems, a line each; nil when there are none.
func (p *problems) err() error { return errors.Join(p.all...) }

// report notes a problem of the value at path.
func (p *problems) report(o origin, path, format string, args ...any) {
	p.bad[path] = true
	p.add(fmt.Errorf("%s: %s", o, fmt.Sprintf(format, args...)))
}

// refuse notes that a value is not what the key takes.
func (p *problems) refuse(o origin, path string, secret bool, value any, want string) {
	name, about := path, ""
	if o.name != "" {
		name, about = o.name, " ("+path+")"
	}
	if secret {
		p.report(o, path, "%s%s: the value is not allowed: want %s", name, about, want)
		return
	}
	p.report(o, path, "%s = %s%s: want %s", name, shown(value), about, want)
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

// fail reports a path by the place its value comes from.
func (p *problems) fail(path, format string, args ...any) {
	if p.bad[path] {
		return
	}
	o, name := p.originOf(path), path
	if o.name != "" {
		name = o.name + " (" + path + ")"
	}
	p.report(o, path, "%s"+format, append([]any{name}, args...)...)
}

// originOf is where a path was written, or where its app was.
func (p *problems) originOf(path string) origin {
	for at := path; at != ""; {
		if o, ok := p.origins[at]; ok {
			if at != path {
				o.name = ""
			}
			return o
		}
		at = at[:max(0, strings.LastIndexByte(at, '.'))]
	}
	return origin{place: "configuration"}
}
