package php

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	maxDepth = 64      // arrays and objects that may be open at once
	maxSize  = 1 << 20 // of the text, bytes
	maxRoom  = 16      // elements that room is made for before they were seen: a number in the text is only a claim
)

var (
	errDepth = errors.New("nested too deeply")
	errSize  = errors.New("too long")
)

// Decode reads one value, which must be the whole of text. The result shares no memory with text.
func Decode(text []byte) (Value, error) {
	if len(text) > maxSize {
		return nil, errSize
	}
	d := decoder{text: string(text)}
	v, err := d.value()
	if err == nil && d.pos != len(d.text) {
		err = d.wrong("end")
	}
	if err != nil {
		return nil, fmt.Errorf("read serialised value: %w", err)
	}
	return v, nil
}

// decoder reads text from pos on.
type decoder struct {
	text  string
	pos   int
	depth int
}

// wrong says what should have been at pos.
func (d *decoder) wrong(want string) error { return fmt.Errorf("byte %d: no %s", d.pos, want) }

// take passes over s.
func (d *decoder) take(s string) error {
	if !strings.HasPrefix(d.text[d.pos:], s) {
		return d.wrong(strconv.Quote(s))
	}
	d.pos += len(s)
	return nil
}

// until returns what is before the next stop, which it passes over.
func (d *decoder) until(stop byte) (string, error) {
	n := strings.IndexByte(d.text[d.pos:], stop)
	if n < 0 {
		return "", d.wrong(strconv.Quote(string(stop)))
	}
	s := d.text[d.pos : d.pos+n]
	d.pos += n + 1
	return s, nil
}

func (d *decoder) value() (Value, error) {
	if strings.HasPrefix(d.text[d.pos:], "N;") {
		d.pos += len("N;")
		return Null{}, nil
	}
	if len(d.text)-d.pos < 2 || d.text[d.pos+1] != ':' {
		return nil, d.wrong("value")
	}
	kind := d.text[d.pos]
	d.pos += 2
	switch kind {
	case 'b':
		return d.bool()
	case 'i':
		return d.int()
	case 'd':
		return d.float()
	case 's':
		return d.string()
	case 'a':
		return d.array()
	case 'O':
		return d.object()
	case 'E':
		return d.enum()
	}
	d.pos -= 2
	return nil, d.wrong("known type")
}

func (d *decoder) bool() (Value, error) {
	s, err := d.until(';')
	if err != nil {
		return nil, err
	}
	if s != "0" && s != "1" {
		return nil, d.wrong("boolean")
	}
	return Bool(s == "1"), nil
}

func (d *decoder) int() (Value, error) {
	s, err := d.until(';')
	if err != nil {
		return nil, err
	}
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(i, 10) != s {
		return nil, d.wrong("integer")
	}
	return Int(i), nil
}

func (d *decoder) float() (Value, error) {
	s, err := d.until(';')
	if err != nil {
		return nil, err
	}
	switch s {
	case "NAN":
		return Float(math.NaN()), nil
	case "INF":
		return Float(math.Inf(1)), nil
	case "-INF":
		return Float(math.Inf(-1)), nil
	}
	if strings.Trim(s, "0123456789.-+eE") != "" { // ParseFloat knows more spellings than PHP
		return nil, d.wrong("float")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, d.wrong("float")
	}
	return Float(f), nil
}

func (d *decoder) string() (Value, error) {
	s, err := d.counted()
	if err != nil {
		return nil, err
	}
	return String(s), d.take(";")
}

func (d *decoder) array() (Value, error) {
	n, err := d.open(len("i:0;N;"))
	if err != nil {
		return nil, err
	}
	a := make(Array, 0, min(n, maxRoom))
	for range n {
		key, err := d.value()
		if err != nil {
			return nil, err
		}
		switch key.(type) {
		case Int, String:
		default:
			return nil, d.wrong("key")
		}
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		a = append(a, Entry{key, v})
	}
	return a, d.close()
}

func (d *decoder) object() (Value, error) {
	class, err := d.counted()
	if err != nil {
		return nil, err
	}
	if err := d.take(":"); err != nil {
		return nil, err
	}
	n, err := d.open(len(`s:0:"";N;`))
	if err != nil {
		return nil, err
	}
	o := Object{Class: class, Properties: make([]Property, 0, min(n, maxRoom))}
	for range n {
		if err := d.take("s:"); err != nil {
			return nil, err
		}
		name, err := d.string()
		if err != nil {
			return nil, err
		}
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		o.Properties = append(o.Properties, Property{string(name.(String)), v})
	}
	return o, d.close()
}

func (d *decoder) enum() (Value, error) {
	s, err := d.counted()
	if err != nil {
		return nil, err
	}
	class, name, ok := strings.Cut(s, ":")
	if !ok {
		return nil, d.wrong("case of an enumeration")
	}
	return Enum{class, name}, d.take(";")
}

// counted reads 3:"abc".
func (d *decoder) counted() (string, error) {
	n, err := d.count()
	if err != nil {
		return "", err
	}
	if err := d.take(`"`); err != nil {
		return "", err
	}
	if n > len(d.text)-d.pos {
		return "", d.wrong("string of that length")
	}
	s := d.text[d.pos : d.pos+n]
	d.pos += n
	return s, d.take(`"`)
}

// count reads a length and the colon behind it.
func (d *decoder) count() (int, error) {
	s, err := d.until(':')
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || strconv.Itoa(n) != s {
		return 0, d.wrong("length")
	}
	return n, nil
}

// open reads the number of elements and the brace of an array or object. least is the size of the shortest element: a
// number that the text has no room for is refused before memory is taken for it.
func (d *decoder) open(least int) (int, error) {
	n, err := d.count()
	if err != nil {
		return 0, err
	}
	if n > (len(d.text)-d.pos)/least {
		return 0, d.wrong("room for that many elements")
	}
	if d.depth++; d.depth > maxDepth {
		return 0, errDepth
	}
	return n, d.take("{")
}

func (d *decoder) close() error {
	d.depth--
	return d.take("}")
}
