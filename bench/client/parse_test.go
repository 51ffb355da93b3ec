package client_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"reverb/bench/client"
)

// FuzzHeader: a header is read from as many bytes as it has and never from fewer, and what it promises is bounded.
func FuzzHeader(f *testing.F) {
	f.Add(text("{}"))
	f.Add(frame(0x01, make([]byte, 126)))
	f.Add(frame(0x82, make([]byte, 1<<16)))
	f.Add(frame(0x88, []byte("\x03\xe8")))
	f.Add([]byte{0x81, 127, 0, 0, 0, 0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		op, fin, head, size, err := client.ReadHeader(b)
		if err != nil || head == 0 {
			return
		}
		if head > len(b) || size < 0 || size > client.MaxMessage || op >= 8 && (size > 125 || !fin) {
			t.Fatalf("% x: opcode %d, fin %t, head %d, size %d", b, op, fin, head, size)
		}
		if again := frame(b[0], make([]byte, size)); !bytes.Equal(again[:head], b[:head]) {
			t.Fatalf("% x is written as % x", b[:head], again[:head])
		}
		for n := range head {
			if _, _, early, _, err := client.ReadHeader(b[:n]); early != 0 || err != nil {
				t.Fatalf("% x: %d bytes of it give %d, %v", b[:head], n, early, err)
			}
		}
	})
}

// FuzzSeal: the server reads from a frame what was sealed in it.
func FuzzSeal(f *testing.F) {
	for _, n := range []int{0, 1, 7, 8, 9, 125, 126, 1<<16 - 1, 1 << 16} {
		f.Add("ab", n)
	}
	f.Fuzz(func(t *testing.T, some string, n int) {
		if some == "" || n < 0 || n > 1<<17 {
			return
		}
		payload := strings.Repeat(some, n/len(some)+1)[:n]
		p := &peer{t: t, r: bufio.NewReader(bytes.NewReader(client.Seal(client.OpText, []byte(payload))))}
		p.want(client.OpText, payload)
		if p.r.Buffered() > 0 {
			t.Error("longer than it says")
		}
	})
}

// FuzzAnswer: an answer is the same however its bytes come, and the same as net/http reads when both accept it.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		accepted,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.0 404 Not Found\r\n\r\nNot found.",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\nshort",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		status, body, closes, err := client.ReadAnswer(client.NewAnswerReader(bytes.NewReader(b)))
		slowStatus, slowBody, slowCloses, slowErr := client.ReadAnswer(client.NewAnswerReader(iotest.OneByteReader(bytes.NewReader(b))))
		if (err == nil) != (slowErr == nil) || err == nil && (status != slowStatus || !bytes.Equal(body, slowBody) || slowCloses && !closes) {
			t.Fatalf("%q: at once %d %q %t %v, in bytes %d %q %t %v", b, status, body, closes, err, slowStatus, slowBody, slowCloses, slowErr)
		}
		if err != nil {
			return
		}
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
		if err != nil || r.StatusCode < 200 {
			return
		}
		want, err := io.ReadAll(r.Body)
		if err == nil && (status != r.StatusCode || !bytes.Equal(body, want)) {
			t.Fatalf("%q: got %d %q, net/http has %d %q", b, status, body, r.StatusCode, want)
		}
	})
}

// FuzzEvent: of every JSON object the parts are those that encoding/json finds.
func FuzzEvent(f *testing.F) {
	for _, s := range []string{
		`{"event":"a","channel":"b","data":"{\"c\":1}"}`,
		` { "data" : { "event" : "x" , "a":[1,{"b":"}"}] } , "channel":null,"event":"\u0061\\\"" } `,
		`{"event":"a","event":"b"}`, `{"event":null}`, `{"event":1}`, `{"data":-1.5e+3}`, `[]`, `{}`, `{"event":"a"}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, ok := client.ParseEvent([]byte(s))
		client.Field([]byte(s), "data")
		var want map[string]json.RawMessage
		if !utf8.ValidString(s) || json.Unmarshal([]byte(s), &want) != nil || want == nil {
			return
		}
		quoted := func(name string) (string, bool) {
			v := string(want[name])
			return strings.TrimSuffix(strings.TrimPrefix(v, `"`), `"`), strings.HasPrefix(v, `"`)
		}
		name, isName := quoted("event")
		channel, isChannel := quoted("channel")
		none := want["channel"] == nil || string(want["channel"]) == "null"
		if !isChannel && none {
			channel = ""
		}
		if strings.Count(s, "event")+strings.Count(s, "channel") > 2 || strings.Contains(s, `\`) {
			return // a name that comes twice may have a wrong kind once; an escaped name is another spelling
		}
		if ok != (isName && (isChannel || none)) {
			t.Fatalf("%q: ok is %t", s, ok)
		}
		if ok && (string(e.Name) != name || string(e.Channel) != channel || string(e.Data) != string(want["data"])) {
			t.Fatalf("%q: got %q %q %q", s, e.Name, e.Channel, e.Data)
		}
	})
}

// FuzzQuoted: a text is the same after encoding/json has read it.
func FuzzQuoted(f *testing.F) {
	f.Add("presence-a \"\\\x00\n\u2028é")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		var got string
		if err := json.Unmarshal(client.AppendQuoted(nil, s), &got); err != nil || got != s {
			t.Fatalf("%q became %q, %v", s, got, err)
		}
	})
}

// TestField finds a member of data in both of its forms.
func TestField(t *testing.T) {
	for data, want := range map[string]string{
		`{"socket_id":"1.2"}`:           `"1.2"`,
		`"{\"socket_id\":\"1.2\"}"`:     `"1.2"`,
		`{"other":{"socket_id":1}}`:     "",
		`{"socket_id":1,"socket_id":2}`: "2",
		`"{\"socket_id\":"`:             "",
		`[]`:                            "",
		``:                              "",
	} {
		if got := client.Field([]byte(data), "socket_id"); string(got) != want {
			t.Errorf("%s: got %q, want %q", data, got, want)
		}
	}
}
