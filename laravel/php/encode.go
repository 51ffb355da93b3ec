package php

import (
	"math"
	"strconv"
	"strings"
)

// Append appends v as PHP's serialize writes it.
func Append(dst []byte, v Value) []byte {
	if v == nil {
		return Null{}.appendTo(dst)
	}
	return v.appendTo(dst)
}

func (Null) appendTo(dst []byte) []byte { return append(dst, "N;"...) }

func (b Bool) appendTo(dst []byte) []byte {
	if b {
		return append(dst, "b:1;"...)
	}
	return append(dst, "b:0;"...)
}

func (i Int) appendTo(dst []byte) []byte {
	dst = append(dst, "i:"...)
	return append(strconv.AppendInt(dst, int64(i), 10), ';')
}

func (f Float) appendTo(dst []byte) []byte {
	dst = append(dst, "d:"...)
	return append(appendFloat(dst, float64(f)), ';')
}

func (s String) appendTo(dst []byte) []byte {
	return append(appendCounted(append(dst, "s:"...), string(s)), ';')
}

func (a Array) appendTo(dst []byte) []byte {
	dst = append(dst, "a:"...)
	dst = strconv.AppendInt(dst, int64(len(a)), 10)
	dst = append(dst, ":{"...)
	for _, e := range a {
		dst = Append(Append(dst, e.Key), e.Value)
	}
	return append(dst, '}')
}

func (o Object) appendTo(dst []byte) []byte {
	dst = appendCounted(append(dst, "O:"...), o.Class)
	dst = append(dst, ':')
	dst = strconv.AppendInt(dst, int64(len(o.Properties)), 10)
	dst = append(dst, ":{"...)
	for _, p := range o.Properties {
		dst = Append(String(p.Name).appendTo(dst), p.Value)
	}
	return append(dst, '}')
}

func (e Enum) appendTo(dst []byte) []byte {
	return append(appendCounted(append(dst, "E:"...), e.Class+":"+e.Case), ';')
}

// appendCounted appends the length of s in bytes and s in quotes; nothing in it is escaped.
func appendCounted(dst []byte, s string) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	dst = append(dst, `:"`...)
	dst = append(dst, s...)
	return append(dst, '"')
}

// appendFloat appends f with as few digits as tell it from its neighbours (PHP: serialize_precision -1), 0.1, 1,
// 1.0E+25, 1.0E-7.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NAN"...)
	case math.IsInf(f, 1):
		return append(dst, "INF"...)
	case math.IsInf(f, -1):
		return append(dst, "-INF"...)
	}
	digits := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(digits, "e")
	// PHP changes to exponents where 17 digits before, or four zeros behind the point do not do.
	power, _ := strconv.Atoi(exponent)
	if f == 0 || -5 < power && power < 17 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = append(dst, mantissa...)
	if !strings.Contains(mantissa, ".") {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E', exponent[0])
	return append(dst, strings.TrimLeft(exponent[1:], "0")...)
}
