package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setting is one field and what may stand in it. The methods that take a value report whether it was allowed, and leave
// the field as it was when it was not; the caller knows place and name for the error.
type setting interface {
	setFile(v any) bool    // a value of the TOML decoder
	setText(s string) bool // a variable or a flag
	setBlank() bool        // a variable that is empty or null; false = as if it were not set
	allowed() bool         // whether the field may hold what it holds
	want() string          // what is allowed, to follow "want "
	String() string        // the value as one would write it in the file
}

// textSetting is a string: any, a non-empty one, or one of a few words.
type textSetting struct {
	p        *string
	required bool
	digits   bool     // an integer in the file is taken as its digits
	numeric  bool     // nothing but digits
	words    []string // nil = any text
}

func anyText(p *string) setting  { return textSetting{p: p} }
func someText(p *string) setting { return textSetting{p: p, required: true} }
func idText(p *string) setting   { return textSetting{p: p, required: true, digits: true} }
func numberText(p *string) setting {
	return textSetting{p: p, required: true, digits: true, numeric: true}
}
func oneOf(p *string, words ...string) textSetting {
	return textSetting{p: p, required: true, words: words}
}

func (t textSetting) setFile(v any) bool {
	if n, ok := v.(int64); ok && t.digits {
		return t.setText(strconv.FormatInt(n, 10))
	}
	s, ok := v.(string)
	return ok && t.setText(s)
}

func (t textSetting) setText(s string) bool {
	ok := t.takes(s)
	if ok {
		*t.p = s
	}
	return ok
}

func (t textSetting) takes(s string) bool {
	switch {
	case t.required && s == "", t.numeric && !isDigits(s), !isPrintable(s):
		return false
	}
	return t.words == nil || slices.Contains(t.words, s)
}

func (t textSetting) allowed() bool { return t.takes(*t.p) }

func (t textSetting) setBlank() bool { return !t.required && t.setText("") }

func (t textSetting) want() string {
	switch {
	case t.words != nil:
		return `one of "` + strings.Join(t.words, `", "`) + `"`
	case t.numeric:
		return "a whole number from 0"
	case t.digits:
		return "a non-empty string or an integer"
	case t.required:
		return "a non-empty string"
	}
	return "a string"
}

func (t textSetting) String() string { return strconv.Quote(*t.p) }

// urlSetting is a URL that may hold a password.
type urlSetting struct{ textSetting }

// redacted is the URL as it may be shown.
func (u urlSetting) redacted() string {
	head, rest, ok := strings.Cut(*u.p, "://")
	if !ok {
		return hidden(*u.p)
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, _ := strings.Cut(rest[:at], ":")
		rest = user + ":" + mask + rest[at:]
	}
	return strconv.Quote(head + "://" + rest)
}

// isPrintable refuses control characters: a value ends up in headers, paths,
// log lines and Redis commands.
func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// numberSetting is a whole number within bounds.
type numberSetting[T int | int64] struct {
	p         *T
	min, max  int64
	unit      string // "bytes"; "" = a plain count
	digits    bool   // a string of digits in the file is taken too
	blankZero bool   // an empty variable means 0
}

func (n numberSetting[T]) setFile(v any) bool {
	if s, ok := v.(string); ok && n.digits {
		return n.setText(s)
	}
	i, ok := v.(int64)
	return ok && n.set(i)
}

func (n numberSetting[T]) setText(s string) bool {
	i, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return err == nil && n.set(i)
}

func (n numberSetting[T]) setBlank() bool { return n.blankZero && n.set(0) }

func (n numberSetting[T]) set(i int64) bool {
	ok := n.takes(i)
	if ok {
		*n.p = T(i)
	}
	return ok
}

func (n numberSetting[T]) takes(i int64) bool { return i >= n.min && i <= n.max && i <= math.MaxInt }

func (n numberSetting[T]) allowed() bool { return n.takes(int64(*n.p)) }

func (n numberSetting[T]) want() string { return wantNumber(n.unit, n.min, n.max) }

func (n numberSetting[T]) String() string { return strconv.FormatInt(int64(*n.p), 10) }

func wantNumber(unit string, low, high int64) string {
	if unit != "" {
		unit = " of " + unit
	}
	return fmt.Sprintf("a whole number%s from %d to %d", unit, low, high)
}

// secondsSetting is a duration written as a whole number of seconds, as all
// durations of Reverb are.
type secondsSetting struct {
	p        *time.Duration
	min, max int64
}

func seconds(p *time.Duration, low int64) setting { return secondsSetting{p, low, maxSeconds} }

func (d secondsSetting) setFile(v any) bool {
	i, ok := v.(int64)
	return ok && d.set(i)
}

func (d secondsSetting) setText(s string) bool {
	i, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return err == nil && d.set(i)
}

func (d secondsSetting) setBlank() bool { return false }

func (d secondsSetting) set(i int64) bool {
	ok := d.takes(i)
	if ok {
		*d.p = time.Duration(i) * time.Second
	}
	return ok
}

func (d secondsSetting) takes(i int64) bool { return i >= d.min && i <= d.max }

func (d secondsSetting) allowed() bool {
	return *d.p%time.Second == 0 && d.takes(int64(*d.p/time.Second))
}

func (d secondsSetting) want() string { return wantNumber("seconds", d.min, d.max) }

func (d secondsSetting) String() string { return strconv.FormatInt(int64(*d.p/time.Second), 10) }

// boolSetting is true or false; a variable may use any word that operators use
// for them. Reverb turns rate limiting on for "true" only, but casts others.
type boolSetting struct{ p *bool }

func truth(p *bool) setting { return boolSetting{p} }

func (b boolSetting) setFile(v any) bool {
	t, ok := v.(bool)
	if ok {
		*b.p = t
	}
	return ok
}

func (b boolSetting) setText(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1", "on", "yes":
		*b.p = true
	case "false", "0", "off", "no":
		*b.p = false
	default:
		return false
	}
	return true
}

func (b boolSetting) setBlank() bool {
	*b.p = false
	return true
}

func (b boolSetting) allowed() bool { return true }

func (b boolSetting) want() string { return "true or false" }

func (b boolSetting) String() string { return strconv.FormatBool(*b.p) }

// anyTruth is a boolean whose variable is true for every other word, as in PHP: a limit that was asked for must not
// stay off.
type anyTruth struct{ boolSetting }

func (a anyTruth) setText(s string) bool {
	if !a.boolSetting.setText(s) {
		*a.p = true
	}
	return true
}

// listSetting is a list of non-empty strings; as text they are separated by
// commas.
type listSetting struct{ p *[]string }

func list(p *[]string) setting { return listSetting{p} }

func (l listSetting) setFile(v any) bool {
	items, ok := v.([]any)
	if !ok {
		return false
	}
	texts := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := item.(string)
		if !ok || !isEntry(s) {
			return false
		}
		texts = append(texts, s)
	}
	*l.p = texts
	return true
}

func (l listSetting) setText(s string) bool {
	var items []any
	for item := range strings.SplitSeq(s, ",") {
		items = append(items, strings.TrimSpace(item))
	}
	return l.setFile(items)
}

func (l listSetting) setBlank() bool { return false }

func (l listSetting) allowed() bool {
	return !slices.ContainsFunc(*l.p, func(s string) bool { return !isEntry(s) })
}

func isEntry(s string) bool { return s != "" && isPrintable(s) }

func (l listSetting) want() string { return "a list of non-empty strings" }

func (l listSetting) String() string {
	quoted := make([]string, len(*l.p))
	for i, s := range *l.p {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
