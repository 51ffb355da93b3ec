// Package envlist reads lists of variables as os.Environ gives them.
package envlist

import (
	"slices"
	"strings"
)

// Lookup is the value of a variable; the last one of a name counts.
func Lookup(list []string, name string) (value string, ok bool) {
	for _, pair := range slices.Backward(list) {
		if key, value, ok := strings.Cut(pair, "="); ok && key == name {
			return value, true
		}
	}
	return "", false
}

// Get is the value of a variable, "" when it is not set.
func Get(list []string, name string) string {
	value, _ := Lookup(list, name)
	return value
}
