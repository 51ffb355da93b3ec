package protocol_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"reverb/protocol"
)

func decode(tb testing.TB, payload string) *protocol.Message {
	tb.Helper()
	m := new(protocol.Message)
	if err := protocol.Decode([]byte(payload), m); err != nil {
		tb.Fatalf("Decode(%s): %v", payload, err)
	}
	return m
}

func TestSubscribe(t *testing.T) {
	tests := []struct {
		name, data string
		want       protocol.Subscribe
	}{
		{"public", `{"channel":"room"}`, protocol.Subscribe{Channel: "room"}},
		{"empty name", `{"channel":"","auth":""}`, protocol.Subscribe{}},
		{"all", `{"channel":"presence-a","auth":"k:s","channel_data":"{\"user_id\": 1}"}`,
			protocol.Subscribe{Channel: "presence-a", Auth: "k:s", ChannelData: `{"user_id": 1}`}},
		{"as text", `"{\"channel\":\"a\",\"channel_data\":\"{}\"}"`, protocol.Subscribe{Channel: "a", ChannelData: "{}"}},
		{"nulls", `{"channel":"a","auth":null,"channel_data":null}`, protocol.Subscribe{Channel: "a"}},
		{"empty channel_data", `{"channel":"a","channel_data":""}`, protocol.Subscribe{Channel: "a"}},
		{"integer", `{"channel":123,"auth":4}`, protocol.Subscribe{Channel: "123", Auth: "4"}},
		{"float", `{"channel":1.5}`, protocol.Subscribe{Channel: "1.5"}},
		{"whole float", `{"channel":100.0}`, protocol.Subscribe{Channel: "100"}},
		{"minus zero", `{"channel":-0}`, protocol.Subscribe{Channel: "0"}},
		{"float zero", `{"channel":-0.0}`, protocol.Subscribe{Channel: "0"}},
		{"beyond 64 bits", `{"channel":12345678901234567890,"auth":1e999}`,
			protocol.Subscribe{Channel: "12345678901234567890", Auth: "1e999"}},
		{"true", `{"channel":true}`, protocol.Subscribe{Channel: "1"}},
		{"false", `{"channel":false}`, protocol.Subscribe{}},
		{"number as channel_data", `{"channel":"a","channel_data":5}`, protocol.Subscribe{Channel: "a", ChannelData: "5"}},
		{"last duplicate", `{"channel":["a"],"channel":"b"}`, protocol.Subscribe{Channel: "b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decode(t, `{"event":"pusher:subscribe","data":`+tt.data+`}`).Subscribe()
			if err != nil || got != tt.want {
				t.Errorf("Subscribe(%s) = %+v, %v, want %+v", tt.data, got, err, tt.want)
			}
		})
	}
}

func TestSubscribeRefuses(t *testing.T) {
	for _, data := range []string{
		`null`, `{}`, `[]`, `""`, `0`, `"Hi"`, `5`, `[1]`, `["channel"]`,
		`{"auth":"a"}`, `{"channel":null}`, `{"channel":[]}`, `{"channel":{}}`, `{"channel":"a","channel":null}`,
		`{"channel":"a","auth":[]}`, `{"channel":"a","auth":{}}`,
		`{"channel":"a","channel_data":[]}`, `{"channel":"a","channel_data":{}}`,
		`{"channel":"a","channel_data":"Hello"}`, `{"channel":"a","channel_data":" "}`, `{"channel":"a","channel_data":"{},"}`,
	} {
		got, err := decode(t, `{"event":"pusher:subscribe","data":`+data+`}`).Subscribe()
		if err != protocol.ErrInvalidFormat {
			t.Errorf("Subscribe(%s) = %+v, %v, want %v", data, got, err, protocol.ErrInvalidFormat)
		}
	}
	if _, err := decode(t, `{"event":"pusher:subscribe"}`).Subscribe(); err == nil {
		t.Error("Subscribe without data accepted")
	}
}

func TestUnsubscribe(t *testing.T) {
	for data, want := range map[string]string{
		`{"channel":"a"}`: "a", `{"channel":""}`: "", `{"channel":7}`: "7", `"{\"channel\":\"b\"}"`: "b",
	} {
		if got, err := decode(t, `{"event":"pusher:unsubscribe","data":`+data+`}`).Unsubscribe(); err != nil || got != want {
			t.Errorf("Unsubscribe(%s) = %q, %v, want %q", data, got, err, want)
		}
	}
	for _, data := range []string{`{}`, `null`, `[]`, `5`, `{"channel":null}`, `{"channel":["a"]}`} {
		if got, err := decode(t, `{"event":"pusher:unsubscribe","data":`+data+`}`).Unsubscribe(); err != protocol.ErrInvalidFormat {
			t.Errorf("Unsubscribe(%s) = %q, %v", data, got, err)
		}
	}
}

func TestCheckEmptyData(t *testing.T) {
	for data, want := range map[string]*protocol.Error{
		`null`: nil, `{}`: nil, `[ ]`: nil, `""`: nil, `0`: nil, `0.0`: nil, `-0`: nil, `"0"`: nil, `"\"0\""`: nil, `false`: nil,
		`{"a":1}`: nil, `[1]`: nil, `"{\"a\":1}"`: nil,
		`1`: protocol.ErrInvalidFormat, `0.5`: protocol.ErrInvalidFormat, `true`: protocol.ErrInvalidFormat,
		`"a"`: protocol.ErrInvalidFormat, `"5"`: protocol.ErrInvalidFormat, `" "`: protocol.ErrInvalidFormat,
	} {
		if err := decode(t, `{"event":"pusher:ping","data":`+data+`}`).CheckEmptyData(); err != want {
			t.Errorf("CheckEmptyData(%s) = %v, want %v", data, err, want)
		}
	}
	if err := decode(t, `{"event":"pusher:ping"}`).CheckEmptyData(); err != nil {
		t.Errorf("CheckEmptyData without data: %v", err)
	}
}

func TestIsProtocol(t *testing.T) {
	for event, want := range map[string]bool{
		"pusher:ping": true, "pusher:": true, "pusher:pusher:ping": true,
		"Pusher:ping": false, " pusher:ping": false, "pusher_internal:member_added": false, "client-a": false, "pusher": false,
	} {
		if got := decode(t, `{"event":"`+event+`"}`).IsProtocol(); got != want {
			t.Errorf("IsProtocol(%q) = %v", event, got)
		}
	}
}

func TestClientEvent(t *testing.T) {
	tests := []struct {
		name, fields  string
		channel, data string
		channels      []string
	}{
		{"object", `"channel":"a","data":{"b": 1}`, "a", `{"b": 1}`, nil},
		{"list", `"channel":"a","data":[]`, "a", `[]`, nil},
		{"JSON text", `"channel":"a","data":"{\"b\":1}"`, "a", `{"b":1}`, nil},
		{"no data", `"channel":"a"`, "a", `null`, nil},
		{"null data", `"channel":"a","data":null`, "a", `null`, nil},
		{"null text", `"channel":"a","data":"null"`, "a", `null`, nil},
		{"empty data", `"channel":"a","data":""`, "a", `""`, nil},
		{"blank data", `"channel":"a","data":"  "`, "a", `"  "`, nil},
		{"escaped channel", `"channel":"\u00e9\/"`, "é/", `null`, nil},
		{"channels", `"channel":"a","channels":["b", 7, true,null,[],{},"\u0063"]`, "a", `null`, []string{"b", "7", "1", "c"}},
		{"no channels", `"channel":"a","channels":[ ]`, "a", `null`, []string{}},
		{"null channels", `"channel":"a","channels":null`, "a", `null`, nil},
		{"one channel", `"channel":"a","channels":"b"`, "a", `null`, []string{"b"}},
		{"object of channels", `"channel":"a","channels":{"x":"b"}`, "a", `null`, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := decode(t, `{"event":"client-x",`+tt.fields+`}`).ClientEvent()
			if err != nil {
				t.Fatalf("ClientEvent(%s): %v", tt.fields, err)
			}
			if string(e.Event) != "client-x" || e.Channel != tt.channel || string(e.Data) != tt.data {
				t.Errorf("got %q %q %s, want client-x %q %s", e.Event, e.Channel, e.Data, tt.channel, tt.data)
			}
			if !slices.Equal(e.Channels, tt.channels) || (e.Channels == nil) != (tt.channels == nil) {
				t.Errorf("channels = %#v, want %#v", e.Channels, tt.channels)
			}
		})
	}
	hundred := `"channel":"a","channels":["b"` + strings.Repeat(`,"b"`, 99)
	if e, err := decode(t, `{"event":"client-x",`+hundred+`]}`).ClientEvent(); err != nil || len(e.Channels) != 1 {
		t.Errorf("one channel 100 times: %d, %v", len(e.Channels), err)
	}
	different := `"channel":"a","channels":[0`
	for i := range 99 {
		different += fmt.Sprintf(`,"b%d"`, i)
	}
	if e, err := decode(t, `{"event":"client-x",`+different+`]}`).ClientEvent(); err != nil || len(e.Channels) != 100 {
		t.Errorf("100 channels: %d, %v", len(e.Channels), err)
	}
	for _, fields := range []string{
		hundred + `,"b"]`,
		`"data":{}`, `"channel":null`, `"channel":""`, `"channel":" "`, `"channel":5`, `"channel":["a"]`, `"channel":{}`,
		`"channel":"a","data":5`, `"channel":"a","data":"text"`, `"channel":"a","data":true`, `"channel":"a","data":"5"`,
	} {
		if e, err := decode(t, `{"event":"client-x",`+fields+`}`).ClientEvent(); err != protocol.ErrInvalidFormat {
			t.Errorf("ClientEvent(%s) = %+v, %v", fields, e, err)
		}
	}
}

// Under Pusher's rules the data of a client event is any JSON and stays what it was.
func TestClientEventAsSent(t *testing.T) {
	for data, want := range map[string]string{
		`"text"`: `"text"`, `5`: `5`, `-0.0`: `-0.0`, `true`: `true`, `false`: `false`, `null`: `null`, `""`: `""`, `"5"`: `"5"`, `"null"`: `"null"`,
		`"{\"b\":1}"`: `"{\"b\":1}"`, `{"b": 1.0}`: `{"b": 1.0}`, `[ ]`: `[ ]`, `"\u00e9\/"`: `"\u00e9\/"`, `1,"data":2`: `2`,
	} {
		e, err := decode(t, `{"event":"client-x","channel":"a","data":`+data+`}`).ClientEventAsSent()
		if err != nil || string(e.Data) != want {
			t.Errorf("data %s: got %s, %v, want %s", data, e.Data, err, want)
		}
	}
	if e, err := decode(t, `{"event":"client-x","channel":"a"}`).ClientEventAsSent(); err != nil || string(e.Data) != "null" {
		t.Errorf("no data: got %s, %v, want null", e.Data, err)
	}
	for _, fields := range []string{`"data":5`, `"channel":null,"data":5`, `"channel":" ","data":5`, `"channel":7,"data":5`} {
		if e, err := decode(t, `{"event":"client-x",`+fields+`}`).ClientEventAsSent(); err != protocol.ErrInvalidFormat {
			t.Errorf("ClientEventAsSent(%s) = %+v, %v", fields, e, err)
		}
	}
}

func TestIsClient(t *testing.T) {
	for event, want := range map[string]bool{"client-": true, "client-a": true, "Client-a": false, "client": false, "a": false} {
		if e := (protocol.ClientEvent{Event: []byte(event)}); e.IsClient() != want {
			t.Errorf("IsClient(%q) = %v", event, !want)
		}
	}
}

func TestParseMemberData(t *testing.T) {
	tests := []struct{ name, text, raw, id, idRaw, info string }{
		{"absent", ``, `{}`, "", "", ""},
		{"number", `{"user_id":1,"user_info":{"name":"A"}}`, `{"user_id":1,"user_info":{"name":"A"}}`, "1", `1`, `{"name":"A"}`},
		{"text", ` {"user_id":"a\u00e9"} `, `{"user_id":"a\u00e9"}`, "aé", `"a\u00e9"`, ""},
		{"big", `{"user_id":12345678901234567890}`, `{"user_id":12345678901234567890}`, "12345678901234567890", `12345678901234567890`, ""},
		{"true", `{"user_id":true}`, `{"user_id":true}`, "1", `true`, ""},
		{"float", `{"user_id":1.5}`, `{"user_id":1.5}`, "1.5", `1.5`, ""},
		{"padded text", `{"user_id":"01"}`, `{"user_id":"01"}`, "01", `"01"`, ""},
		{"no id", `{"name":"Joe"}`, `{"name":"Joe"}`, "", "", ""},
		{"null info", `{"user_info":null}`, `{"user_info":null}`, "", "", "null"},
		{"list", `[1]`, `[1]`, "", "", ""},
		{"zero", `{"user_id":0}`, `{"user_id":0}`, "0", "0", ""},
		{"float zero", `{"user_id":0.0}`, `{"user_id":0.0}`, "0", "0.0", ""},
		{"zero text", `{"user_id":"0"}`, `{"user_id":"0"}`, "0", `"0"`, ""},
		{"empty", `{"user_id":""}`, `{"user_id":""}`, "", "", ""},
		{"null", `{"user_id":null}`, `{"user_id":null}`, "", "", ""},
		{"false", `{"user_id":false}`, `{"user_id":false}`, "", "", ""},
		{"last duplicate", `{"user_id":[],"user_id":2}`, `{"user_id":[],"user_id":2}`, "2", "2", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := protocol.ParseMemberData(tt.text)
			if err != nil {
				t.Fatalf("ParseMemberData(%s): %v", tt.text, err)
			}
			if string(d.Raw) != tt.raw || d.UserID != tt.id || string(d.UserIDRaw) != tt.idRaw || string(d.UserInfo) != tt.info {
				t.Errorf("got %s %q %s %s, want %s %q %s %s", d.Raw, d.UserID, d.UserIDRaw, d.UserInfo, tt.raw, tt.id, tt.idRaw, tt.info)
			}
			if (d.UserIDRaw == nil) != (tt.idRaw == "") || (d.UserInfo == nil) != (tt.info == "") {
				t.Errorf("got %#v, want nil for what is absent", d)
			}
		})
	}
	for _, text := range []string{`5`, `"a"`, `null`, `true`, ` `, `{`, `{"user_id":[]}`, `{"user_id":{}}`, "{\"a\":\"\xff\"}"} {
		if d, err := protocol.ParseMemberData(text); err != protocol.ErrInvalidFormat {
			t.Errorf("ParseMemberData(%s) = %+v, %v", text, d, err)
		}
	}
}
