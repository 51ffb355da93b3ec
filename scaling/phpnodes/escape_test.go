package phpnodes_test

import (
	"strings"
	"testing"

	"reverb/scaling/phpnodes"
)

func TestEscapeJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                                    `{}`,
		` { "a" : [ 1 , -2.5e3, true ] } `:      `{"a":[1,-2.5e3,true]}`,
		`{"a/b":"c/d\/e"}`:                      `{"a\/b":"c\/d\/e"}`,
		`{"é":"\u00E9 😀 \ud83d\ude00"}`:         `{"\u00e9":"\u00e9 \ud83d\ude00 \ud83d\ude00"}`,
		`{"a":"\u0041\u003c<>&'\u007f"}`:        "{\"a\":\"A<<>&'\x7f\"}",
		`{"a":"\b\f\n\r\t\u0000\u001f\"\\"}`:    `{"a":"\b\f\n\r\t\u0000\u001f\"\\"}`,
		`{"a":1e308,"b":123456789012345678901}`: `{"a":1e308,"b":123456789012345678901}`,
	} {
		got, err := phpnodes.EscapeJSON(in)
		if err != nil || got != want {
			t.Errorf("%s: %v\n got %s\nwant %s", in, err, got, want)
		}
	}
}

// What PHP nodes would end over is not written.
func TestEscapeJSONRefuses(t *testing.T) {
	nested := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}` }
	if _, err := phpnodes.EscapeJSON(nested(500)); err != nil {
		t.Errorf("500 levels: %v", err)
	}
	for name, in := range map[string]string{
		"no JSON":        `{"a":`,
		"no object":      `[]`,
		"lone surrogate": `{"a":"\ud800"}`,
		"not UTF-8":      "{\"a\":\"\xff\"}",
		"too deep":       nested(501),
		"infinite":       `{"a":1e309}`,
		"minus infinite": `{"a":[-1E999]}`,
		"long number":    `{"a":` + strings.Repeat("9", 400) + `}`,
	} {
		if got, err := phpnodes.EscapeJSON(in); err == nil {
			t.Errorf("%s: got %s, want an error", name, got)
		}
	}
}

func FuzzEscapeJSON(f *testing.F) {
	f.Add(`{"a/b":"\u00e9😀\ud83d\ude00\n","n":[1,-2.5e3,null]}`)
	f.Fuzz(func(t *testing.T, text string) {
		once, err := phpnodes.EscapeJSON(text)
		if err != nil {
			return
		}
		for i := range len(once) {
			if once[i] >= 0x80 {
				t.Fatalf("%q: %q is not ASCII", text, once)
			}
		}
		if twice, err := phpnodes.EscapeJSON(once); err != nil || twice != once {
			t.Errorf("%q: %q, then %q, %v", text, once, twice, err)
		}
	})
}
