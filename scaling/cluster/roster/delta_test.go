package roster_test

import (
	"fmt"
	"testing"

	"reverb/scaling/cluster/roster"
)

func TestDecodeDelta(t *testing.T) {
	tests := map[string]string{
		`+g1 7 {"user_id":1,"user_info":{}}`: "+ g1 7 1",
		"-g1 8 some body":                    "- g1 8 some body",
		"0g1 9 1":                            "0 g1 9 1",
		"":                                   "",
		"+":                                  "",
		"+g1":                                "",
		"+g1 7":                              "",
		"+g1 x {}":                           "",
		"+g1 7 {}":                           "",
		"+g1 7 [":                            "",
		"- 8 u":                              "",
		"?g1 8 u":                            "",
	}
	for body, want := range tests {
		got := ""
		if d, err := roster.DecodeDelta([]byte(body)); err == nil {
			got = fmt.Sprintf("%c %s %d %s", d.Sign, d.At.Generation, d.At.Version, d.UserID)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

func FuzzDecodeDelta(f *testing.F) {
	for _, s := range []string{`+g1 7 {"user_id":1,"user_info":{}}`, "-g1 8 u", "0g1 9 u"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if d, err := roster.DecodeDelta(body); err == nil && (d.At.Generation == "" || d.Sign == roster.SignAdded && d.UserID == "") {
			t.Errorf("%q: %+v", body, d)
		}
	})
}
