package protocol_test

import (
	"encoding/json"
	"slices"
	"testing"

	"reverb/protocol"
)

func TestMembers(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string // name, value, name, value; nil: refused
	}{
		{`{}`, []string{}},
		{` { } `, []string{}},
		{`{"a":1}`, []string{"a", "1"}},
		{`{"a" : [1, 2] , "\u0061":{"b":"}"}, "c":null}`, []string{"a", "[1, 2]", "a", `{"b":"}"}`, "c", "null"}},
		{`{"a name that means nothing to the protocol, and is longer than any that does":1}`,
			[]string{"a name that means nothing to the protocol, and is longer than any that does", "1"}},
		{``, nil},
		{`[]`, nil},
		{`{"a":1`, nil},
		{`{"a":1,}`, nil},
		{`{"a":1}x`, nil},
		{`{a:1}`, nil},
		{"{\"a\":\"\xff\"}", nil},
	} {
		got := []string{}
		ok := protocol.Members([]byte(test.text), func(name, value []byte) bool {
			got = append(got, string(name), string(value))
			return true
		})
		if ok != (test.want != nil) || ok && !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, %v, want %q", test.text, got, ok, test.want)
		}
	}
}

func TestElements(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string // nil: refused
	}{
		{`[]`, []string{}},
		{` [ ] `, []string{}},
		{`[1]`, []string{"1"}},
		{`[ "a,]" , {"b":[1]},[ ]	, null ]`, []string{`"a,]"`, `{"b":[1]}`, "[ ]", "null"}},
		{``, nil},
		{`{}`, nil},
		{`[`, nil},
		{`[1`, nil},
		{`[1,]`, nil},
		{`[1 2]`, nil},
		{`[1]]`, nil},
		{"[\"\xff\"]", nil},
	} {
		got := []string{}
		ok := protocol.Elements([]byte(test.text), func(value []byte) bool {
			got = append(got, string(value))
			return true
		})
		if ok != (test.want != nil) || ok && !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, %v, want %q", test.text, got, ok, test.want)
		}
	}
}

func TestWalksStop(t *testing.T) {
	n := 0
	if protocol.Members([]byte(`{"a":1,"b":2}`), func(_, _ []byte) bool { n++; return false }) || n != 1 {
		t.Errorf("Members went on: %d", n)
	}
	n = 0
	if protocol.Elements([]byte(`[1,2]`), func(_ []byte) bool { n++; return false }) || n != 1 {
		t.Errorf("Elements went on: %d", n)
	}
}

func TestText(t *testing.T) {
	for value, want := range map[string]string{`"a\u00e9"`: "aé", `12`: "12", `true`: "1", `false`: "", `null`: "", ``: ""} {
		if got, ok := protocol.Text([]byte(value)); !ok || string(got) != want {
			t.Errorf("%s: %q %v, want %q", value, got, ok, want)
		}
	}
	if _, ok := protocol.Text([]byte(`[]`)); ok {
		t.Error("an array has a text")
	}
}

func FuzzWalk(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":[1,{"c":"\ud83d\ude00"}]}`, `[1,"a",[],{}]`, `[`, `{"":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		check := func(value []byte) bool {
			if !json.Valid(value) {
				t.Errorf("%q: %q is no JSON", text, value)
			}
			return true
		}
		object := protocol.Members(text, func(_, value []byte) bool { return check(value) })
		array := protocol.Elements(text, check)
		if (object || array) && !json.Valid(text) {
			t.Errorf("took %q, which is no JSON", text)
		}
	})
}
