package config

import (
	"fmt"
	"strings"
)

// Violation is one rule that an app breaks, wherever the app comes from.
type Violation struct {
	App     int    // index among the apps
	Key     string // as in the file, without the table: "rate_limiting.max_attempts"
	Text    string // what is wrong, to follow the name of the key
	Missing bool   // there is no value at all
}

// Violations are the rules that an app breaks on a node with these limits.
func (a *App) Violations(limits Limits) []Violation {
	v := violations{}
	v.values(a)
	v.names(a)
	v.previous(a)
	if ceiling := limits.MaxMessageSize; a.MaxMessageSize > ceiling {
		v.add("max_message_size", " = %d: want at most server.limits.max_message_size, which is %d", a.MaxMessageSize, ceiling)
	}
	return v.all
}

// Violations are the rules that each app breaks, and that the apps break together: ids and keys are unique.
func (a Apps) Violations(limits Limits) []Violation {
	var v violations
	for i, app := range a {
		for _, one := range app.Violations(limits) {
			one.App = i
			v.all = append(v.all, one)
		}
	}
	v.unique(a, "app_id", func(app *App) string { return app.ID })
	v.unique(a, "key", func(app *App) string { return app.Key })
	v.uniquePrevious(a)
	return v.all
}

// violations gathers them.
type violations struct {
	app int
	all []Violation
}

func (v *violations) add(key, format string, args ...any) {
	v.all = append(v.all, Violation{App: v.app, Key: key, Text: fmt.Sprintf(format, args...)})
}

// values looks at each value by itself.
func (v *violations) values(a *App) {
	for _, k := range appKeys {
		set := k.at(a)
		if set.allowed() {
			continue
		}
		name := strings.TrimPrefix(k.name, "apps.")
		text, isText := set.(textSetting)
		switch {
		case isText && *text.p == "":
			v.all = append(v.all, Violation{App: v.app, Key: name, Text: ": is missing: want a non-empty string", Missing: true})
		case k.secret:
			v.add(name, ": the value is not allowed: want %s", set.want())
		default:
			v.add(name, " = %s: want %s", set, set.want())
		}
	}
}

const wantToken = "want letters, digits and - . _ ~, it is a part of URLs"

// names looks at what becomes a part of addresses.
func (v *violations) names(a *App) {
	if !isToken(a.ID) {
		v.add("app_id", " = %s: "+wantToken, shown(a.ID))
	}
	if !isToken(a.Key) {
		v.add("key", " = %s: "+wantToken, shown(a.Key))
	}
}

// maxPrevious bounds the previous keys of an app, and its previous secrets: each costs a signature more for every
// request that is refused.
const maxPrevious = 4

func (v *violations) previous(a *App) {
	for _, c := range []struct {
		key  string
		have int
	}{{"previous_keys", len(a.PreviousKeys)}, {"previous_secrets", len(a.PreviousSecrets)}} {
		if c.have > maxPrevious {
			v.add(c.key, ": has %d values: want at most %d", c.have, maxPrevious)
		}
	}
	for _, key := range a.PreviousKeys {
		if !isToken(key) {
			v.add("previous_keys", " has %s: "+wantToken, shown(key))
		}
	}
}

// unique reports the second app that has the value of another: the first would answer for both.
func (v *violations) unique(apps Apps, key string, value func(*App) string) {
	first := map[string]int{}
	for i, app := range apps {
		v.app = i
		at, taken := first[value(app)]
		switch {
		case value(app) == "":
		case taken:
			v.add(key, " = %s: want another than %s has", shown(value(app)), element("apps", at))
		default:
			first[value(app)] = i
		}
	}
}

// uniquePrevious reports a previous key that another app has: a client that brings it must be of one app. An app whose
// present key is among its previous ones does no harm.
func (v *violations) uniquePrevious(apps Apps) {
	owner := map[string]int{}
	for i, app := range apps {
		owner[app.Key] = i
	}
	for i, app := range apps {
		v.app = i
		for _, key := range app.PreviousKeys {
			if first, taken := owner[key]; taken && first != i {
				v.add("previous_keys", " has %s: want another than %s has", shown(key), element("apps", first))
			}
			owner[key] = i
		}
	}
}
