package config_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"reverb/config"
)

// The values that vlucas/phpdotenv 5.6 makes of each line when its environment has
// ENV=outer and BOTH=outer; the cases were run through it. It refuses "export"
// before a name of one letter, loses what follows a comment with a quote, and
// stops at the YAML line: there we go on.
func TestDotenv(t *testing.T) {
	environ := map[string]string{"ENV": "outer", "BOTH": "outer"}
	cases := map[string]struct{ text, want string }{
		"plain":                  {`A=b`, "b"},
		"empty":                  {`A=`, ""},
		"spaces around":          {"  A \t=  b  ", "b"},
		"export":                 {"export A=b", "b"},
		"export tab":             {"export\tA=b", "b"},
		"quoted name":            {`"A"='b'`, "b"},
		"byte order mark":        {"\uFEFFA=b", "b"},
		"windows":                {"X=1\r\nA=b\r\n", "b"},
		"old mac":                {"X=1\rA=b\r", "b"},
		"last wins":              {"A=a\nA=b", "b"},
		"equals":                 {"A=b=c=", "b=c="},
		"colon":                  {"A=base64:b:c", "base64:b:c"},
		"hash ends it":           {"A=abc#def", "abc"},
		"comment":                {"A=b # c", "b"},
		"comment alone":          {"A= # c", ""},
		"hash in double":         {`A="b#c # d" # e`, "b#c # d"},
		"hash in single":         {`A='b#c' # e`, "b#c"},
		"dollar name":            {"HOME=h\nA=pa$HOME$$word", "pa$HOME$$word"},
		"dollar in double":       {`A="pa$ENV"`, "pa$ENV"},
		"parenthesis":            {"A=$(ENV)", "$(ENV)"},
		"expands":                {"B=x\nA=1${B}2${B}", "1x2x"},
		"expands in double":      {"B=x\nA=\"${B} y\"", "x y"},
		"not in single":          {"B=x\nA='${B}'", "${B}"},
		"escaped dollar":         {"B=x\nA=\"\\${B}\"", "${B}"},
		"environment":            {"A=${ENV}", "outer"},
		"environment wins":       {"BOTH=inner\nA=${BOTH}", "outer"},
		"unknown":                {"A=${NOPE}", "${NOPE}"},
		"defined later":          {"A=${B}\nB=x", "${B}"},
		"lower case":             {"b.c=x\nA=${b.c}", "x"},
		"default is not known":   {"A=${NOPE:-x}", "${NOPE:-x}"},
		"not expanded twice":     {"B='${ENV}'\nA=${B}", "${ENV}"},
		"escapes":                {`A="a\tb\nc\rd\fe\vf"`, "a\tb\nc\rd\fe\vf"},
		"backslash":              {`A="a\\"`, `a\`},
		"backslash n":            {`A="a\\n"`, `a\n`},
		"quotes":                 {`A="\"x\""`, `"x"`},
		"single in double":       {`A="'x'"`, "'x'"},
		"double in single":       {`A='"x"'`, `"x"`},
		"backslash in single":    {`A='it\'`, `it\`},
		"backslash plain":        {`A=a\nb`, `a\nb`},
		"quote in plain":         {`A=a"b'c`, `a"b'c`},
		"several lines":          {"A=\"one\ntwo # no\n\nfour\" # yes\nB=c", "one\ntwo # no\n\nfour"},
		"beyond ascii":           {"A=grüße→", "grüße→"},
		"comment with a quote":   {"# X=\"open\nA=b", "b"},
		"no assignment":          {"B\nA=b", "b"},
		"spaces in quotes":       {"A=' b '", " b "},
		"empty quotes":           {`A=""`, ""},
		"empty single":           {`A=''`, ""},
		"json":                   {`A='{"a":"$b"}'`, `{"a":"$b"}`},
		"unset by its name":      {"A=a\nA", "(unset)"},
		"brace that never ends":  {"A=${ENV", "${ENV"},
		"yaml is not a variable": {"X=1\nA=b\nC: d=e", "b"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			vars, failed := config.DotenvForTest(tc.text, environ)
			got, ok := vars["A"]
			if !ok {
				got = "(unset)"
			}
			if got != tc.want {
				t.Errorf("%q: got %q, want %q (errors %v)", tc.text, got, tc.want, failed)
			}
		})
	}
}

func TestDotenvErrors(t *testing.T) {
	cases := map[string]struct {
		text string
		want string
		line int
	}{
		"space":            {"A=b\nB=two words", "a value with spaces must stand in quotes", 2},
		"after quotes":     {`A="b"c`, "a value with spaces must stand in quotes", 1},
		"open double":      {"\n\nA=\"b\nC=d", "the closing quote is missing", 3},
		"open at the end":  {`A="b\`, "the closing quote is missing", 1},
		"open single":      {"A='b\nC=d'", "the closing quote is missing", 1},
		"escape":           {`A="\d"`, "after a backslash", 1},
		"name":             {"A-B=c", "want NAME=value", 1},
		"no name":          {"=c", "want NAME=value", 1},
		"yaml":             {"A: b", "want NAME=value", 1},
		"control":          {"A=b\x00", "control characters", 1},
		"control in lines": {"A=\"b\n\x01\"", "control characters", 1},
		"encoding":         {"A=\xff", "UTF-8", 1},
		"encoding in line": {"A=\"b\n\xff\"", "UTF-8", 1},
		"after lines":      {"A=\"b\nc\"\n-=d", "want NAME=value", 3},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, failed := config.DotenvForTest(tc.text, nil)
			if err := failed[tc.line]; err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%q: errors %v, want %q in line %d", tc.text, failed, tc.want, tc.line)
			}
		})
	}
}

func TestDotenvDoesNotGrow(t *testing.T) {
	var b strings.Builder
	b.WriteString("A0=0123456789\n")
	for i := range 60 {
		fmt.Fprintf(&b, "A%d=${A%d}${A%d}\n", i+1, i, i)
	}
	fmt.Fprintf(&b, "B=%s\n", strings.Repeat("${A10}", 100_000))
	vars, failed := config.DotenvForTest(b.String(), nil)
	for name, v := range vars {
		if len(v) > 64<<10 {
			t.Errorf("%s has %d bytes", name, len(v))
		}
	}
	if failed[62] == nil {
		t.Error("a value of 1 GB is no error")
	}
}

// The lines that `reverb install` and Laravel's installer write.
func TestDotenvOfASite(t *testing.T) {
	const site = `APP_NAME=Laravel
APP_KEY=base64:mJ4u9pQ0N6o3wVQv+Zk8a2c=
REVERB_APP_ID=849632
REVERB_APP_KEY=m1x4nqxh1qkqkqywzjqy
REVERB_APP_SECRET="p$4s#w\\rd"
REVERB_HOST="localhost"
REVERB_PORT=8080
REVERB_SCHEME=http

VITE_REVERB_APP_KEY="${REVERB_APP_KEY}"
VITE_REVERB_HOST="${REVERB_HOST}"
`
	s := source(t, "")
	s.EnvFile = write(t, ".env", site)
	c, err := config.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	if app := c.Apps[0]; app.ID != "849632" || app.Key != "m1x4nqxh1qkqkqywzjqy" || app.Secret != `p$4s#w\rd` {
		t.Errorf("app = %+v", app)
	}
	if c.Server.Hostname != "localhost" || c.Server.Port != 8080 {
		t.Errorf("server = %+v", c.Server)
	}
	vars, _ := config.DotenvForTest(site, nil)
	if got := vars["VITE_REVERB_APP_KEY"]; got != "m1x4nqxh1qkqkqywzjqy" {
		t.Errorf("VITE_REVERB_APP_KEY = %q", got)
	}
}

// Whatever the file is, parsing ends, tells no two things about a line, and
// what was read can be written in single quotes and read again.
func FuzzDotenv(f *testing.F) {
	for _, seed := range []string{
		"A=b", "export A=\"${B}\\n\" # c", "A='$x\\'", "A=\"one\ntwo\"", "A=b#c", "\uFEFFA=\r\n", "A=$${B}$", "\"A\"=b", "A",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vars, _ := config.DotenvForTest(text, nil)
		for _, name := range slices.Sorted(maps.Keys(vars)) {
			v := vars[name]
			if strings.ContainsAny(v, "'\n\r") {
				continue
			}
			again, failed := config.DotenvForTest(name+"='"+v+"'", nil)
			if again[name] != v {
				t.Fatalf("%q: %q is read again as %q, errors %v", text, v, again[name], failed)
			}
		}
	})
}

func overwrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
