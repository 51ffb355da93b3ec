package php

import "strings"

// Value is one PHP value: Null, Bool, Int, Float, String, Array, Object or Enum. A nil Value counts as Null.
type Value interface{ appendTo(dst []byte) []byte }

// Plain values.
type (
	Null   struct{}
	Bool   bool
	Int    int64
	Float  float64
	String string // of bytes, as in PHP; not always UTF-8
)

// Array is a PHP array in its order.
type Array []Entry

// Entry is one element of an array.
type Entry struct {
	Key   Value // Int or String
	Value Value
}

// List makes an array with the keys 0, 1, 2, ….
func List(values ...Value) Array {
	a := make(Array, len(values))
	for i, v := range values {
		a[i] = Entry{Int(i), v}
	}
	return a
}

// Get returns the element with the key; false: there is none. Of several the last counts, as in PHP.
func (a Array) Get(key string) (Value, bool) {
	for i := len(a) - 1; i >= 0; i-- {
		if s, ok := a[i].Key.(String); ok && string(s) == key {
			return a[i].Value, true
		}
	}
	return nil, false
}

// Object is an instance of a class.
type Object struct {
	Class      string
	Properties []Property
}

// Property is one property of an object. A protected one is named "\x00*\x00name", a private one "\x00Class\x00name".
type Property struct {
	Name  string
	Value Value
}

// Protected returns the name under which a protected property is written.
func Protected(name string) string { return "\x00*\x00" + name }

// Get returns the property of this name, whatever its visibility; false: there is none. Of several the last counts.
func (o Object) Get(name string) (Value, bool) {
	for i := len(o.Properties) - 1; i >= 0; i-- {
		if plainName(o.Properties[i].Name) == name {
			return o.Properties[i].Value, true
		}
	}
	return nil, false
}

// plainName cuts the mark of a protected or private property.
func plainName(name string) string {
	if strings.HasPrefix(name, "\x00") {
		if end := strings.IndexByte(name[1:], 0); end >= 0 {
			return name[end+2:]
		}
	}
	return name
}

// Enum is a case of an enumeration.
type Enum struct{ Class, Case string }
