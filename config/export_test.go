package config

import "strings"

// KeyRow is what docs/configuration.md has to say about a key.
type KeyRow struct{ Name, Variable, Default, Want string }

// KeyRowsForTest are all keys in the order of Effective.
func KeyRowsForTest() []KeyRow {
	c := Default()
	variables := map[string]string{}
	for _, e := range envTable {
		variables[e.key] = e.name
	}
	var rows []KeyRow
	add := func(name string, s setting) {
		rows = append(rows, KeyRow{name, variables[name], s.String(), s.want()})
	}
	apps := func() {
		for _, k := range appKeys {
			add(k.name, k.at(NewApp("", "", "")))
		}
	}
	done := false
	for _, k := range serverKeys {
		if !done && !strings.HasPrefix(k.name, "server.") {
			apps()
			done = true
		}
		add(k.name, k.at(c))
	}
	return rows
}

// IgnoredVariablesForTest are the variables of Reverb that only Laravel reads.
func IgnoredVariablesForTest() []string { return envIgnored }

// KeyLinesForTest is keyLines.
func KeyLinesForTest(text string) map[string]int { return keyLines(text) }

// DotenvForTest parses a .env file against an environment; the errors are by
// line.
func DotenvForTest(text string, environ map[string]string) (map[string]string, map[int]error) {
	failed := map[int]error{}
	lookup := func(name string) (string, bool) {
		value, ok := environ[name]
		return value, ok
	}
	lines := dotenv(text, lookup, func(line int, err error) { failed[line] = err })
	vars := map[string]string{}
	for name, l := range lines {
		vars[name] = l.value
	}
	return vars, failed
}
