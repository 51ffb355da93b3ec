package protocol_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"reverb/protocol"
)

// examples holds one valid message of each sort; they seed the fuzz targets too.
var examples = []string{
	`{"event":"pusher:ping","data":{}}`,
	`{"event":"pusher:pong","data":{}}`,
	`{"event":"pusher:subscribe","data":{"auth":"","channel":"my-channel"}}`,
	`{"event":"pusher:subscribe","data":"{\"channel\":\"presence-a\",\"auth\":\"k:s\",\"channel_data\":\"{\\\"user_id\\\":1}\"}"}`,
	`{"event":"pusher:unsubscribe","data":{"channel":"my-channel"}}`,
	`{"event":"client-typing","channel":"private-room.1","data":{"name":"Zoë","n":[1,-2.5e+3,true,false,null]}}`,
	`{"event":"client-x","channels":["a","b"],"channel":"c","user_id":7,"data":"{\"a\":1}","extra":[[],{}]}`,
	" \t\r\n{ \"event\" : \"\\u0063lient-\\ud83d\\ude00\\n\" , \"channel\":\"x\" } \n",
}

func TestDecode(t *testing.T) {
	const absent = "(absent)"
	tests := []struct {
		name, payload        string
		event, data, channel string
	}{
		{"ping", `{"event":"pusher:ping"}`, "pusher:ping", absent, absent},
		{"object data", `{"event":"a","data":{ "b": [1.0] }}`, "a", `{ "b": [1.0] }`, absent},
		{"JSON text as data", `{"event":"a","data":" {\"b\":\"\\u00e9\\/\"} "}`, "a", `{"b":"\u00e9\/"}`, absent},
		{"number text as data", `{"event":"a","data":"5"}`, "a", `5`, absent},
		{"null text as data", `{"event":"a","data":"null"}`, "a", `null`, absent},
		{"text of text is read once", `{"event":"a","data":"\"{}\""}`, "a", `"{}"`, absent},
		{"other text as data", `{"event":"a","data":"Hi \u00e9"}`, "a", `"Hi \u00e9"`, absent},
		{"empty text as data", `{"event":"a","data":""}`, "a", `""`, absent},
		{"channel of any type", `{"event":"a","channel":[1, 2]}`, "a", absent, `[1, 2]`},
		{"last duplicate wins", `{"event":1,"data":1,"channel":2,"event":"a","data":{},"channel":"c"}`, "a", `{}`, `"c"`},
		{"escaped names", `{"\u0065vent":"a","dat\u0061":1}`, "a", `1`, absent},
		{"names are case-sensitive", `{"event":"a","Event":"b","DATA":1}`, "a", absent, absent},
		{"escaped event", `{"event":"\u0070usher:ping\ud83d\ude00"}`, "pusher:ping\U0001F600", absent, absent},
		{"white space", " {\t\"event\"\r\n:\"a\" , \"data\" : [ ] } ", "a", `[ ]`, absent},
		{"very long name", `{"event":"a","` + strings.Repeat("x", 500) + `":1}`, "a", absent, absent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m protocol.Message
			if err := protocol.Decode([]byte(tt.payload), &m); err != nil {
				t.Fatalf("Decode(%s): %v", tt.payload, err)
			}
			text := func(b []byte) string {
				if b == nil {
					return absent
				}
				return string(b)
			}
			if string(m.Event) != tt.event || text(m.Data) != tt.data || text(m.Channel) != tt.channel {
				t.Errorf("Decode(%s)\ngot  %s, %s, %s\nwant %s, %s, %s", tt.payload,
					m.Event, text(m.Data), text(m.Channel), tt.event, tt.data, tt.channel)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	deep := func(n int) string { // n containers, the outermost counted
		return `{"event":"a","data":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	var m protocol.Message
	if err := protocol.Decode([]byte(deep(511)), &m); err != nil {
		t.Errorf("511 containers: %v", err)
	}
	payloads := []string{
		``, ` `, `Hi`, `null`, `5`, `"event"`, `[]`, `{}`, `[{"event":"a"}]`,
		`{"event":null}`, `{"event":""}`, `{"event":" \t\n\r\u0000\u000b"}`, `{"event":1}`, `{"event":["a"]}`, `{"data":{}}`,
		`{"event":"a",}`, `{,"event":"a"}`, `{"event":"a"},`, `{"event":"a"}{}`, `{"event":"a" "b":1}`, `{"event" "a"}`,
		`{"event":"a","b":}`, `{"event":"a","b":[1,]}`, `{"event":"a","b":[,1]}`, `{"event":"a","b":[1 2]}`, `{"event":"a","b":[1}}`,
		`{"event":"a","b":{"c":1]}`, `{"event":"a","b":{"c"}}`, `{"event":"a","b":{1:2}}`, `{'event':'a'}`, `{event:"a"}`,
		"\ufeff" + `{"event":"a"}`, `{"event":"a"}` + "\x00", `{"event":"a"} // c`,
		`{"event":"\ud800"}`, `{"event":"\udc00"}`, `{"event":"\ud800\ud800"}`, `{"event":"a","b":"\ud800x"}`, `{"event":"a","\udfff":1}`,
		`{"event":"a\q"}`, `{"event":"a\u12"}`, `{"event":"a\u12g4"}`, `{"event":"a\`, `{"event":"a`, "{\"event\":\"a\nb\"}", "{\"event\":\"a\x00\"}",
		"{\"event\":\"a\xff\"}", "{\"event\":\"\xed\xa0\x80\"}", "{\"event\":\"\xc0\x80\"}", "{\"event\":\"a\"}\xff",
		`{"event":"a","b":01}`, `{"event":"a","b":+1}`, `{"event":"a","b":.5}`, `{"event":"a","b":1.}`, `{"event":"a","b":1e}`,
		`{"event":"a","b":-}`, `{"event":"a","b":1e+}`, `{"event":"a","b":0x1}`, `{"event":"a","b":NaN}`,
		`{"event":"a","b":True}`, `{"event":"a","b":tru}`, `{"event":"a","b":nul`, `{"event":"a","b":truefalse}`,
		deep(512), deep(100_000), `{"event":"a","data":` + strings.Repeat("[", 1<<20),
		strings.Repeat(`{"a":`, 1<<20),
	}
	for _, p := range payloads {
		if err := protocol.Decode([]byte(p), &m); err != protocol.ErrInvalidFormat {
			t.Errorf("Decode(%.60q) = %v, want %v", p, err, protocol.ErrInvalidFormat)
		}
	}
}

// TestDecodeCut cuts every example at every byte: the missing part must be noticed.
func TestDecodeCut(t *testing.T) {
	for _, example := range examples {
		whole := strings.TrimRight(example, " \n")
		for i := range len(whole) {
			var m protocol.Message
			if err := protocol.Decode([]byte(whole[:i]), &m); err == nil {
				t.Errorf("Decode(%q) accepted", whole[:i])
			}
		}
	}
}

// TestDecodeDataDepth: JSON text as data may be nested as deep as data itself.
func TestDecodeDataDepth(t *testing.T) {
	for n, isText := range map[int]bool{510: false, 511: true} {
		list := strings.Repeat("[", n) + strings.Repeat("]", n)
		m := decode(t, `{"event":"a","data":"`+list+`"}`)
		if got := m.Data[0] == '"'; got != isText {
			t.Errorf("%d containers: data stays a string: %v, want %v", n, got, isText)
		}
	}
}

func TestDecodeKeepsPayload(t *testing.T) {
	for _, example := range examples {
		p := []byte(example)
		var m protocol.Message
		if err := protocol.Decode(p, &m); err != nil {
			t.Fatalf("Decode(%s): %v", example, err)
		}
		if string(p) != example {
			t.Errorf("payload changed to %q", p)
		}
	}
}

var surrogate = regexp.MustCompile(`\\u[dD][89a-fA-F]`)

// nestedAtMost reports whether valid JSON text never has more than limit containers open.
func nestedAtMost(text []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

func FuzzDecode(f *testing.F) {
	for _, example := range examples {
		f.Add([]byte(example))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		var m protocol.Message
		err := protocol.Decode(p, &m)
		if surrogate.Match(p) { // encoding/json takes lone ones
			return
		}
		var fields map[string]json.RawMessage
		var event string
		want := utf8.Valid(p) && json.Unmarshal(p, &fields) == nil && nestedAtMost(p, 511) &&
			json.Unmarshal(fields["event"], &event) == nil && strings.Trim(event, " \t\n\r\x00\v") != ""
		if (err == nil) != want {
			t.Fatalf("Decode(%q) = %v, encoding/json accepts: %v", p, err, want)
		}
		if err != nil {
			return
		}
		if string(m.Event) != event {
			t.Errorf("event = %q, want %q", m.Event, event)
		}
		if want := fields["channel"]; !bytes.Equal(m.Channel, want) {
			t.Errorf("channel = %q, want %q", m.Channel, want)
		}
		if data := fields["data"]; data != nil && data[0] != '"' && !bytes.Equal(m.Data, data) {
			t.Errorf("data = %q, want %q", m.Data, data)
		}
		if m.Data != nil && !json.Valid(m.Data) {
			t.Errorf("data = %q is not JSON", m.Data)
		}
	})
}

func TestDecodeAllocations(t *testing.T) {
	for _, p := range []string{
		examples[0], examples[1], examples[2], examples[4], examples[5],
		`{"event":"client-x","channel":"private-a","data":"plain text"}`,
		`{"event":"client-x","channel":"private-a","data":"[1,2]"}`,
	} {
		payload := []byte(p)
		var m protocol.Message
		if n := testing.AllocsPerRun(100, func() { _ = protocol.Decode(payload, &m) }); n != 0 {
			t.Errorf("Decode(%s): %v allocations, want 0", p, n)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, p := range map[string]string{
		"ping":      examples[0],
		"subscribe": examples[2],
		"client":    examples[5],
		"client10k": `{"event":"client-x","channel":"private-a","data":{"text":"` + strings.Repeat("lorem ipsum ", 800) + `"}}`,
		"numbers1k": `{"event":"client-x","channel":"private-a","data":[` + strings.Repeat("12.5,", 200) + `0]}`,
	} {
		b.Run(name, func(b *testing.B) {
			payload := []byte(p)
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			var m protocol.Message
			for b.Loop() {
				if err := protocol.Decode(payload, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
