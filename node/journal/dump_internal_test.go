package journal

import (
	"strings"
	"testing"
	"unicode/utf8"

	"reverb/internal/logging"
)

func TestDump(t *testing.T) {
	for _, tc := range []struct{ name, payload, want string }{
		{"none", ``, "    1▕ null\n"},
		{"no JSON", `{"event":`, "    1▕ null\n"},
		{"scalar", ` 12.50 `, "    1▕ 12.50\n"},
		{"empty containers", `{"a":{},"b":[]}`, "    1▕ {\n    2▕     \"a\": {},\n    3▕     \"b\": []\n    4▕ }\n"},
		{"order of fields and kinds", `{"z":1,"a":[true,null,"é/<"]}`,
			"    1▕ {\n    2▕     \"z\": 1,\n    3▕     \"a\": [\n    4▕         true,\n    5▕         null,\n    6▕         \"é/<\"\n    7▕     ]\n    8▕ }\n"},
		{"subscribe", `{"event":"pusher:subscribe","data":{"channel":"presence-x","auth":"app-key:0123456789abcdef","channel_data":"{\"user_id\":1}"}}`,
			`    1▕ {
    2▕     "event": "pusher:subscribe",
    3▕     "data": {
    4▕         "channel": "presence-x",
    5▕         "auth": "app-key:********",
    6▕         "channel_data": {
    7▕             "user_id": 1
    8▕         }
    9▕     }
   10▕ }
`},
		{"data as text", `{"data":"{\"auth\":\"secret\",\"shared_secret\":\"s\"}"}`,
			"    1▕ {\n    2▕     \"data\": {\n    3▕         \"auth\": \"********\",\n    4▕         \"shared_secret\": \"********\"\n    5▕     }\n    6▕ }\n"},
		{"data as plain text", `{"data":"hello"}`, "    1▕ {\n    2▕     \"data\": \"hello\"\n    3▕ }\n"},
		{"secrets of any kind", `{"data":{"user":"u","password":"a:b","api_key":1,"Session-Token":{"a":["x"]},"author":"me","cookie":null}}`,
			`    1▕ {
    2▕     "data": {
    3▕         "user": "u",
    4▕         "password": "********",
    5▕         "api_key": "********",
    6▕         "Session-Token": "********",
    7▕         "author": "me",
    8▕         "cookie": null
    9▕     }
   10▕ }
`},
		{"secrets in text", `{"payload":"{\"a\":[{\"secret\":\"x\"}]}"}`, "    1▕ {\n    2▕     \"payload\": \"{\\\"a\\\":[{\\\"secret\\\":\\\"********\\\"}]}\"\n    3▕ }\n"},
		{"bidirectional controls", `{"a":"\u202egpj.exe` + "\u2066" + `"}`, "    1▕ {\n    2▕     \"a\": \"\\u202egpj.exe\\u2066\"\n    3▕ }\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := dump([]byte(tc.payload)); got != tc.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tc.want)
			}
		})
	}
}

func TestDumpIsCut(t *testing.T) {
	for name, payload := range map[string]string{
		"long text":  `"` + strings.Repeat("ä", 100_000) + `"`,
		"long list":  `[` + strings.Repeat("1,", 50_000) + `1]`,
		"deep lists": strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000),
		"deep text":  strings.Repeat(`{"a":`, 300) + `1` + strings.Repeat(`}`, 300),
	} {
		text := cut(pretty([]byte(payload)))
		if n := utf8.RuneCountInString(text); n != dumpLimit+3 || !strings.HasSuffix(text, "...") {
			t.Errorf("%s: %d characters, want %d and an ellipsis:\n%s", name, n, dumpLimit+3, text)
		}
	}
}

func TestCompact(t *testing.T) {
	for payload, want := range map[string]string{
		``:              "",
		`{"event":`:     "",
		`{"a": [1, 2]}`: `{"a":[1,2]}`,
		`{"event":"pusher:subscribe","data":{"auth":"k:s","channel":"c"}}`: `{"event":"pusher:subscribe","data":{"auth":"k:********","channel":"c"}}`,
	} {
		if got := compact([]byte(payload)); got != want {
			t.Errorf("compact(%s) = %s, want %s", payload, got, want)
		}
	}
	if n := utf8.RuneCountInString(compact([]byte(`"` + strings.Repeat("x", 100_000) + `"`))); n != dumpLimit+3 {
		t.Errorf("%d characters", n)
	}
}

// FuzzDump looks for payloads that escape the masks, the bound, or the line format.
func FuzzDump(f *testing.F) {
	f.Add([]byte(`{"event":"pusher:subscribe","data":{"auth":"k:SECRETSECRET","channel":"private-a"}}`))
	f.Add([]byte(`{"data":{"secrets":{"a":"SECRETSECRET"},"text":"{\"token\":\"SECRETSECRET\"}"}}`))
	f.Add([]byte(`{"data":"{\"auth\":\"SECRETSECRET\"}"}`))
	f.Add([]byte(`{"data":{"channel_data":"[1,2,{\"data\":\"{}\"}]"}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		text := pretty(payload)
		if n := utf8.RuneCountInString(text); n > 20*dumpLimit {
			t.Errorf("%d characters written", n)
		}
		for line := range strings.Lines(dump(payload)) {
			if !strings.Contains(line, "▕ ") || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), logging.Hidden) {
				t.Errorf("line %q", line)
			}
		}
	})
}
