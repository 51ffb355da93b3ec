package php_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"reverb/laravel/php"
)

// written are values and what PHP 8 writes for them, byte by byte.
var written = []struct {
	value php.Value
	text  string
}{
	{php.Null{}, "N;"},
	{php.Bool(true), "b:1;"},
	{php.Bool(false), "b:0;"},
	{php.Int(0), "i:0;"},
	{php.Int(-7), "i:-7;"},
	{php.Int(math.MaxInt64), "i:9223372036854775807;"},
	{php.Int(math.MinInt64), "i:-9223372036854775808;"},
	{php.Float(0.1), "d:0.1;"},
	{php.Float(1), "d:1;"},
	{php.Float(-2.5), "d:-2.5;"},
	{php.Float(math.Copysign(0, -1)), "d:-0;"},
	{php.Float(1e16), "d:10000000000000000;"},
	{php.Float(1e17), "d:1.0E+17;"},
	{php.Float(123456789012345680), "d:1.2345678901234568E+17;"},
	{php.Float(1e25), "d:1.0E+25;"},
	{php.Float(1.5e300), "d:1.5E+300;"},
	{php.Float(0.0001), "d:0.0001;"},
	{php.Float(0.00001), "d:1.0E-5;"},
	{php.Float(math.Inf(1)), "d:INF;"},
	{php.Float(math.Inf(-1)), "d:-INF;"},
	{php.String(""), `s:0:"";`},
	{php.String(`a"b;}`), `s:5:"a"b;}";`},
	{php.String("é\x00\xff"), "s:4:\"é\x00\xff\";"},
	{php.Array{}, "a:0:{}"},
	{php.List(php.String("*")), `a:1:{i:0;s:1:"*";}`},
	{
		php.Array{{php.String("a"), php.Null{}}, {php.Int(5), php.List(php.Bool(true))}},
		`a:2:{s:1:"a";N;i:5;a:1:{i:0;b:1;}}`,
	},
	{php.Object{Class: "stdClass", Properties: []php.Property{}}, `O:8:"stdClass":0:{}`},
	{
		php.Object{Class: `A\B`, Properties: []php.Property{
			{php.Protected("id"), php.String("1")}, {"\x00A\\B\x00own", php.Int(2)}, {"open", php.Null{}},
		}},
		"O:3:\"A\\B\":3:{s:5:\"\x00*\x00id\";s:1:\"1\";s:8:\"\x00A\\B\x00own\";i:2;s:4:\"open\";N;}",
	},
	{php.Enum{Class: "Suit", Case: "Clubs"}, `E:10:"Suit:Clubs";`},
}

func TestAppend(t *testing.T) {
	for _, w := range written {
		if got := string(php.Append(nil, w.value)); got != w.text {
			t.Errorf("Append(%#v)\n got %q\nwant %q", w.value, got, w.text)
		}
	}
	if got := string(php.Append([]byte("x"), nil)); got != "xN;" {
		t.Errorf("Append of nil: %q", got)
	}
}

func TestDecode(t *testing.T) {
	for _, w := range written {
		got, err := php.Decode([]byte(w.text))
		if err != nil {
			t.Errorf("Decode(%q): %v", w.text, err)
			continue
		}
		if !reflect.DeepEqual(got, w.value) {
			t.Errorf("Decode(%q)\n got %#v\nwant %#v", w.text, got, w.value)
		}
	}
}

func TestDecodeRefusesEveryPart(t *testing.T) {
	for _, w := range written {
		for n := range len(w.text) {
			if v, err := php.Decode([]byte(w.text[:n])); err == nil {
				t.Errorf("Decode(%q) = %#v, want an error", w.text[:n], v)
			}
		}
		if v, err := php.Decode([]byte(w.text + ";")); err == nil {
			t.Errorf("Decode(%q) = %#v, want an error", w.text+";", v)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"other boolean":         "b:2;",
		"integer too large":     "i:9223372036854775808;",
		"integer with plus":     "i:+1;",
		"integer with zeros":    "i:01;",
		"minus zero":            "i:-0;",
		"hexadecimal float":     "d:0x1p3;",
		"spelled infinity":      "d:infinity;",
		"float out of range":    "d:1e999;",
		"string too short":      `s:2:"a";`,
		"string too long":       `s:1:"ab";`,
		"negative length":       `s:-1:"";`,
		"length with zeros":     `s:01:"a";`,
		"length overflows":      `s:9223372036854775807:"a";`,
		"claims many elements":  "a:1000000000:{}",
		"fewer elements":        `a:1:{}`,
		"more elements":         `a:0:{i:0;N;}`,
		"array as a key":        `a:1:{a:0:{}N;}`,
		"float as a key":        `a:1:{d:1;N;}`,
		"number as a property":  `O:1:"A":1:{i:0;N;}`,
		"enum without a case":   `E:4:"Suit";`,
		"reference":             `a:2:{i:0;a:0:{}i:1;R:2;}`,
		"object reference":      `r:1;`,
		"custom serialisation":  `C:1:"A":0:{}`,
		"escaped string":        `S:1:"\41";`,
		"null with a value":     "N:1;",
		"nested deeply":         strings.Repeat("a:1:{i:0;", 65) + "N;" + strings.Repeat("}", 65),
		"longer than a message": `s:2000000:"` + strings.Repeat("a", 2_000_000) + `";`,
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := php.Decode([]byte(text)); err == nil {
				t.Errorf("%#v, want an error", v)
			}
		})
	}
}

func TestNested(t *testing.T) {
	text := strings.Repeat("a:1:{i:0;", 64) + "N;" + strings.Repeat("}", 64)
	v, err := php.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(php.Append(nil, v)); got != text {
		t.Errorf("got %q", got)
	}
}

func TestGet(t *testing.T) {
	o := php.Object{Properties: []php.Property{
		{"\x00*\x00id", php.Int(1)}, {"\x00A\x00own", php.Int(2)}, {"open", php.Int(3)}, {"id", php.Int(4)}, {"\x00odd", php.Int(5)},
	}}
	for name, want := range map[string]php.Value{"id": php.Int(4), "own": php.Int(2), "open": php.Int(3), "\x00odd": php.Int(5)} {
		if got, ok := o.Get(name); !ok || got != want {
			t.Errorf("property %q: %v %v, want %v", name, got, ok, want)
		}
	}
	if _, ok := o.Get("*"); ok {
		t.Error("a property that is not there was found")
	}
	a := php.Array{{php.Int(0), php.Int(1)}, {php.String("k"), php.Int(2)}, {php.String("k"), php.Int(3)}}
	if got, ok := a.Get("k"); !ok || got != php.Int(3) {
		t.Errorf("element: %v %v, want 3", got, ok)
	}
	if _, ok := a.Get("0"); ok {
		t.Error("a number was found as a string")
	}
}

func FuzzDecode(f *testing.F) {
	for _, w := range written {
		f.Add([]byte(w.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := php.Decode(text)
		if err != nil {
			return
		}
		once := php.Append(nil, v)
		if !bytes.Contains(text, []byte("d:")) && !bytes.Equal(once, text) {
			t.Errorf("read %q, wrote %q", text, once)
		}
		again, err := php.Decode(once)
		if err != nil {
			t.Fatalf("wrote %q, which cannot be read: %v", once, err)
		}
		if twice := php.Append(nil, again); !bytes.Equal(once, twice) {
			t.Errorf("wrote %q, then %q", once, twice)
		}
	})
}
