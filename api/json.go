package api

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep containers may nest, as in PHP's decoder.
const maxDepth = 511

var errJSON = errors.New("not valid JSON")

// kind is the JSON type of a value.
type kind uint8

const (
	absent kind = iota // no such member
	null
	boolean
	number
	str
	array
	object
)

// value is one JSON value. Its text is the decoded text of a string, and the JSON itself of everything else.
type value struct {
	kind  kind
	empty bool // a container without elements
	text  string
}

// parseJSON reads a whole body.
func parseJSON(s string) (value, error) {
	if !utf8.ValidString(s) {
		return value{}, errJSON
	}
	p := scanner{s: s}
	v, err := p.value()
	if err != nil {
		return value{}, err
	}
	p.space()
	if p.i != len(s) {
		return value{}, errJSON
	}
	return v, nil
}

// each calls f with the members of an object, or with the elements of an array and an empty name, until f returns false. v has
// been read by a scanner, so it is well-formed.
func (v value) each(f func(name string, v value) bool) {
	if v.kind != object && v.kind != array {
		return
	}
	p := scanner{s: v.text, i: 1}
	for {
		p.space()
		if p.s[p.i] == ',' {
			p.i++
			p.space()
		}
		if p.i == len(p.s)-1 {
			return
		}
		var name string
		if v.kind == object {
			name, _ = p.string()
			p.space()
			p.i++ // the colon
		}
		member, err := p.value()
		if err != nil || !f(name, member) {
			return
		}
	}
}

func (v value) isList() bool { return v.kind == array || v.kind == object }

func (v value) optional() bool { return v.kind == absent || v.kind == str }

// missing is Laravel's rule of what counts as not given: null, a blank string, a container without elements.
func (v value) missing() bool {
	switch v.kind {
	case absent, null:
		return true
	case array, object:
		return v.empty
	default:
		return v.blank()
	}
}

// blank is a string of PHP's white space alone.
func (v value) blank() bool { return v.kind == str && strings.Trim(v.text, " \t\n\r\x00\x0B") == "" }
