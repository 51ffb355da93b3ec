package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"reverb/api"
)

func TestJSON(t *testing.T) {
	valid := []string{
		`{}`, `[]`, ` { } `, "\t\r\n[1]\n", `0`, `-0`, `1.5e+10`, `1E5`, `true`, `false`, `null`, `""`, `"\u0000"`, `"\ud83d\ude00"`,
		`{"":{"a":[{}]}}`, `{"a":1,"a":2}`, `[ 1 , [ ] , { } ]`, `"\"\\\/\b\f\n\r\t\u00e9é"`,
		strings.Repeat("[", 511) + strings.Repeat("]", 511),
	}
	for _, s := range valid {
		if !api.ValidJSONForTest(s) {
			t.Errorf("%q is refused", s)
		}
	}
	invalid := []string{
		``, ` `, `{`, `}`, `[`, `]`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{'a':1}`, `01`, `-`, `+1`, `1.`, `.5`, `1e`,
		`1e+`, `tru`, `True`, `nul`, `NaN`, `"`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83dx"`, `"\ud83d\n"`,
		"\"\n\"", "\"\\n\n\"", "\"\xff\"", "\xef\xbb\xbf{}", `{}{}`, `{} x`, `[1 2]`, `{"a":1 "b":2}`, "[1]\x00", `/* */ {}`,
		strings.Repeat("[", 512) + strings.Repeat("]", 512), strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000),
	}
	for _, s := range invalid {
		if api.ValidJSONForTest(s) {
			t.Errorf("%.40q is accepted", s)
		}
	}
}

// TestEventsCutAnywhere cuts a body at every byte.
func TestEventsCutAnywhere(t *testing.T) {
	const body = `{"name":"A\\B\u00e9\ud83d\ude00","data":"{\"m\":1}","channels":["a",1,true,null],"socket_id":"1.2","info":"","x":[{"y":-1.5e3}]}`
	for i := range len(body) {
		if _, _, _, ok, _ := api.ParseEventsForTest(body[:i]); ok {
			t.Errorf("%s is accepted", body[:i])
		}
	}
	if _, _, _, ok, errs := api.ParseEventsForTest(body); !ok || errs != 0 {
		t.Errorf("the whole is refused: ok %v, %d errors", ok, errs)
	}
}

// hasLoneSurrogate is the one thing that encoding/json repairs and PHP refuses.
func hasLoneSurrogate(body string) bool {
	return strings.Contains(strings.ToLower(body), `\ud`)
}

// FuzzEvents compares with encoding/json.
func FuzzEvents(f *testing.F) {
	f.Add(`{"name":"App\\Events\\OrderShipped","data":"{\"id\":1}","channels":["private-orders.1"],"socket_id":"1.2","info":"user_count"}`)
	f.Add(`{"name":"E","data":"\ud83d\ude00","channel":"a"}`)
	f.Add(`{"batch":[{"name":"E","data":"x","channel":"a"},{},[],5]}`)
	f.Add(`{"name":1,"data":[],"channels":{"0":"a","1":[]},"socket_id":null,"info":{}}`)
	f.Add(`[1,{"a":"\u0041"},-0.5e-7,"",null]`)
	f.Fuzz(func(t *testing.T, body string) {
		name, data, channels, ok, errs := api.ParseEventsForTest(body)
		api.ParseBatchForTest(body)
		valid := api.ValidJSONForTest(body)
		std := json.Valid([]byte(body)) && utf8.ValidString(body)
		if valid && !std {
			t.Fatalf("accepted %q", body)
		}
		if !valid && std && !hasLoneSurrogate(body) && strings.Count(body, "[")+strings.Count(body, "{") <= 511 {
			t.Fatalf("refused %q", body)
		}
		if !ok || errs != 0 {
			return
		}
		if strings.Trim(name, " \t\r\n\x00\v") == "" || strings.Trim(data, " \t\r\n\x00\v") == "" {
			t.Fatalf("accepted a blank name or data in %q", body)
		}
		checkAgainstStd(t, body, name, data, channels)
	})
}

func checkAgainstStd(t *testing.T, body, name, data string, channels []string) {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatalf("accepted %q: %v", body, err)
	}
	if members["name"] != name || members["data"] != data {
		t.Fatalf("got name %q, data %q of %q, encoding/json %v", name, data, body, members)
	}
	if channel, ok := members["channel"].(string); ok && members["channels"] == nil && (len(channels) != 1 || channels[0] != channel) {
		t.Fatalf("got channels %q of %q", channels, body)
	}
}

const commonBody = `{"name":"App\\Events\\OrderShipmentStatusUpdated","data":"{\"order\":{\"id\":4711,\"status\":\"shipped\",\"total\":\"99.50\"}}",` +
	`"channels":["private-orders.4711"],"socket_id":"123456.789012"}`

func BenchmarkParseEvents(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, ok, errs := api.ParseEventsForTest(commonBody); !ok || errs != 0 {
			b.Fatal("refused")
		}
	}
}

// BenchmarkParseEventsStd is the same with encoding/json, to compare.
func BenchmarkParseEventsStd(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var e struct {
			Name, Data string
			Channels   []string
			SocketID   string `json:"socket_id"`
		}
		if err := json.Unmarshal([]byte(commonBody), &e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEvents is a whole signed request, without the sockets.
func BenchmarkEvents(b *testing.B) {
	w := newWorld(b)
	target := eventsPath + "?" + signedQuery(http.MethodPost, eventsPath, "", commonBody)
	request := httptest.NewRequest(http.MethodPost, target, nil)
	request.ContentLength = int64(len(commonBody))
	b.ReportAllocs()
	for b.Loop() {
		w.node.published = w.node.published[:0]
		request.Body = readCloser{strings.NewReader(commonBody)}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, request)
		if rec.Code != http.StatusOK {
			b.Fatalf("got %d %s", rec.Code, rec.Body)
		}
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
