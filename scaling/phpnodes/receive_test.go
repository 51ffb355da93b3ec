package phpnodes_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	counting "reverb/metrics"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/phpnodes"
)

// minimal is a serialised app, as JSON.
const minimal = `"O:26:\"Laravel\\Reverb\\Application\":1:{s:5:\"\u0000*\u0000id\";s:6:\"123456\";}"`

// idle is a relay that is not started: what it does with a message is seen at h and nodes.
func idle(t testing.TB) (r *phpnodes.Relay, h *node, nodes *alone) {
	t.Helper()
	nodes = newAlone()
	r, err := phpnodes.New(phpnodes.Options{Apps: []phpnodes.App{app}, Metrics: counters}, nodes)
	if err != nil {
		t.Fatal(err)
	}
	return r, new(node), nodes
}

// counters are of all relays of this test that do not look at them.
var counters = counting.New("").Relay()

func join(r interface {
	Join(scaling.Join, func(error))
}, channels ...string) {
	for _, channel := range channels {
		r.Join(scaling.Join{App: app.ID, Channel: channel, Kind: protocol.KindOf(channel)}, func(error) {})
	}
}

func message(payload, rest string) []byte {
	return []byte(`{"type":"message","application":` + minimal + `,"payload":` + payload + rest + `}`)
}

func TestDeliversWhatIsAttended(t *testing.T) {
	for name, test := range map[string]struct {
		message []byte
		want    []string
	}{
		"one channel":           {message(`{"event":"e","channel":"room","data":"d"}`, ""), []string{`room {"event":"e","channel":"room","data":"d"}`}},
		"a list":                {message(`{"event":"e","channels":["x","room","hall"],"data":"d"}`, ""), []string{`room {"event":"e","data":"d","channel":"room"}`, `hall {"event":"e","data":"d","channel":"hall"}`}},
		"one name as channels":  {message(`{"channels":"room","event":"e"}`, ""), []string{`room {"event":"e","channel":"room"}`}},
		"a map as channels":     {message(`{"channels":{"0":"room","5":"hall"},"event":"e"}`, ""), []string{`room {"event":"e","channel":"room"}`, `hall {"event":"e","channel":"hall"}`}},
		"channels over channel": {message(`{"channel":"hall","channels":["room"],"event":"e"}`, ""), []string{`room {"channel":"room","event":"e"}`}},
		"null channels":         {message(`{"channel":"hall","channels":null,"event":"e"}`, ""), []string{`hall {"channel":"hall","event":"e"}`}},
		"number as a name":      {message(`{"channel":12,"event":"e"}`, ""), []string{`12 {"channel":"12","event":"e"}`}},
		"extra fields":          {message(`{"event":"e", "x" : {"y":[1, 2]},"channel":"room","user_id":7,"x":2}`, ""), []string{`room {"event":"e","x":{"y":[1, 2]},"channel":"room","user_id":7,"x":2}`}},
		"unknown keys":          {message(`{"event":"e","channel":"room"}`, `,"later":{"a":1}`), []string{`room {"event":"e","channel":"room"}`}},
		"nobody there":          {message(`{"event":"e","channel":"elsewhere"}`, ""), nil},
		"no channel":            {message(`{"event":"e"}`, ""), nil},
		"empty payload":         {message(`{}`, ""), nil},
		"another app":           {[]byte(strings.Replace(string(message(`{"event":"e","channel":"room"}`, "")), "123456", "654321", 1)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, h, _ := idle(t)
			join(r, "room", "hall", "12")
			r.Handle(h, test.message)
			if got := h.payloads(); !slices.Equal(got, test.want) {
				t.Errorf("\n got %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestHonoursTheSocketID(t *testing.T) {
	for rest, want := range map[string]string{
		"":                        "",
		`,"socket_id":"123.456"`:  "123.456",
		`,"socket_id":null`:       "",
		`,"socket_id":"nonsense"`: "",
		`,"socket_id":[]`:         "",
	} {
		r, h, _ := idle(t)
		join(r, "room")
		r.Handle(h, message(`{"event":"e","channel":"room"}`, rest))
		if len(h.delivered) != 1 || h.delivered[0].Except.String() != want {
			t.Errorf("%s: %+v, want one without %q", rest, h.delivered, want)
		}
	}
}

func TestTerminates(t *testing.T) {
	r, h, nodes := idle(t)
	r.Handle(h, golden(t, "terminate.json"))
	r.Handle(h, []byte(`{"type":"terminate","application":`+minimal+`,"payload":{"user_id":8}}`))
	if want := []string{"123456 7", "123456 8"}; !slices.Equal(h.terminated, want) {
		t.Errorf("got %q, want %q", h.terminated, want)
	}
	if len(nodes.published) > 0 {
		t.Error("what each node hears was passed on")
	}
}

// Hostile or unknown messages do nothing.
func TestIgnores(t *testing.T) {
	for _, text := range []string{
		"", " ", "null", "1", `"message"`, "[]", "{", "{}", `{"type":1}`, `{"type":null,"payload":{}}`, `{"type":"message"}`,
		`{"type":"later","payload":{}}`,
		`{"type":"message","payload":{"event":"e","channel":"room"}}`,
		`{"type":"message","application":null,"payload":{"event":"e","channel":"room"}}`,
		`{"type":"message","application":{},"payload":{"event":"e","channel":"room"}}`,
		`{"type":"message","application":"","payload":{"event":"e","channel":"room"}}`,
		`{"type":"message","application":"i:1;","payload":{"event":"e","channel":"room"}}`,
		`{"type":"message","application":"O:8:\"stdClass\":1:{s:2:\"id\";s:6:\"123456\";}","payload":{"event":"e","channel":"room"}}`,
		`{"type":"message","application":"O:26:\"Laravel\\Reverb\\Application\":0:{}","payload":{"event":"e","channel":"room"}}`,
		`{"type":"message","application":"O:26:\"Laravel\\Reverb\\Application\":1:{s:2:\"id\";N;}","payload":{"event":"e","channel":"room"}}`,
		string(message(`[]`, "")), string(message(`"x"`, "")), string(message(`null`, "")),
		string(message(`{"event":"e","channels":[["room"]]}`, "")),
		string(message("{\"event\":\"\xff\",\"channel\":\"room\"}", "")),
		string(message(`{"event":"\ud800","channel":"room"}`, "")),
		string(message(`{"event":"e","channel":"room"}`, "")) + "x",
		`{"type":"terminate","application":` + minimal + `,"payload":{}}`,
		`{"type":"terminate","application":` + minimal + `,"payload":{"user_id":[]}}`,
		`{"type":"terminate","application":` + minimal + `,"payload":{"user_id":""}}`,
		`{"type":"terminate","payload":{"user_id":"7"}}`,
		`{"type":"metrics"}`, `{"type":"metrics","payload":""}`, `{"type":"metrics","payload":"N;"}`, `{"type":"metrics","payload":{}}`,
		// Reverb up to 1.6.3.
		`{"type":"metrics","key":"4cOq3cEEjo","application":` + minimal + `,"payload":{"type":"connections","options":[]}}`,
		`{"type":"metrics-retrieved","key":"4cOq3cEEjo","application":` + minimal + `,"payload":[]}`,
	} {
		r, h, nodes := idle(t)
		join(r, "room")
		r.Handle(h, []byte(text))
		if len(h.delivered)+len(h.terminated)+len(nodes.remembered) > 0 {
			t.Errorf("%s: delivered %v, terminated %v", text, h.payloads(), h.terminated)
		}
	}
}

// A question whose key would make the answer something else is not answered.
func TestRefusesKeys(t *testing.T) {
	text := string(golden(t, "metrics_connections.json"))
	for _, key := range []string{`s:9:\"terminate\"`, `s:7:\"message\"`, `s:0:\"\"`, `s:10:\"a b c d e \"`, `N`, `s:11:\"aaaaaaaaaaa\"`} {
		broken := strings.Replace(text, `s:10:\"4cOq3cEEjo\"`, key, 1)
		if broken == text {
			t.Fatalf("%s is not in the text", key)
		}
		if m, err := phpnodes.DecodeMetric([]byte(broken)); err == nil {
			t.Errorf("%s: %+v, want an error", key, m)
		}
	}
}

func TestCachesInRedisOrder(t *testing.T) {
	const event, text = `{"event":"e","channel":"cache-x","data":"d"}`, `123456 cache-x {"event":"e","channel":"cache-x","data":"d"}`
	for name, test := range map[string]struct {
		message    func(id string) []byte
		remembered bool
		delivered  bool
		cached     bool
	}{
		"of a PHP node":             {func(string) []byte { return message(event, "") }, true, true, false},
		"of a peer":                 {func(string) []byte { return message(event, `,"cache":true,"node":"peer","seq":1`) }, true, true, false},
		"of a peer, not to be kept": {func(string) []byte { return message(event, `,"node":"peer","seq":1`) }, false, true, false},
		"own, come back":            {func(id string) []byte { return message(event, `,"cache":true,"node":"`+id+`","seq":1`) }, true, false, true},
		"own, not to be kept":       {func(id string) []byte { return message(event, `,"node":"`+id+`","seq":1`) }, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, h, nodes := idle(t)
			join(r, "cache-x")
			r.Handle(h, test.message(r.ID()))
			if got := slices.Equal(nodes.remembered, []string{text}); got != test.remembered || len(nodes.remembered) > 1 {
				t.Errorf("remembered %q", nodes.remembered)
			}
			if got := len(h.delivered) == 1; got != test.delivered || got && h.delivered[0].Cache != test.remembered {
				t.Errorf("delivered %+v", h.delivered)
			}
			if got := slices.Equal(h.cached, []string{text}); got != test.cached {
				t.Errorf("cached %q", h.cached)
			}
		})
	}
}

// An event for a cache channel is kept also when nobody is there.
func TestCachesForLaterSubscribers(t *testing.T) {
	r, h, nodes := idle(t)
	r.Handle(h, message(`{"event":"e","channels":["private-cache-x"],"data":"d"}`, ""))
	if want := []string{`123456 private-cache-x {"event":"e","data":"d","channel":"private-cache-x"}`}; !slices.Equal(nodes.remembered, want) {
		t.Errorf("remembered %q, want %q", nodes.remembered, want)
	}
}

func TestDropsWhatCameTwice(t *testing.T) {
	r, h, _ := idle(t)
	join(r, "room")
	event := func(data, rest string) []byte { return message(`{"event":"`+data+`","channel":"room"}`, rest) }
	for _, text := range [][]byte{
		event("1", `,"node":"a","seq":7`),
		event("2", `,"node":"a","seq":8`),
		event("again", `,"node":"a","seq":7`),
		event("again", `,"node":"a","seq":8`),
		event("3", `,"node":"b","seq":1`),
		event("4", `,"node":"a","seq":20`),
	} {
		r.Handle(h, text)
	}
	want := []string{}
	for _, data := range []string{"1", "2", "3", "4"} {
		want = append(want, `room {"event":"`+data+`","channel":"room"}`)
	}
	if got := h.payloads(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIsOwnEvent(t *testing.T) {
	for text, want := range map[string]bool{
		`{"type":"message","payload":{},"node":"me","seq":12}`:              true,
		`{"type":"message","payload":{},"cache":true,"node":"me","seq":12}`: false,
		`{"type":"message","payload":{},"node":"you","seq":12}`:             false,
		`{"type":"message","payload":{"a":1,"node":"me","seq":12}}`:         false,
		`{"type":"message","payload":{"a":1,"node":"me","seq":12},"x":1}`:   false,
		`{"type":"message","payload":{"a":",\"node\":\"me\",\"seq\":12"}}`:  false,
		`{"type":"message","payload":{},"node":"me"}`:                       false,
		`{"type":"message","payload":{},"node":"me","seq":}`:                false,
		`{"type":"message","payload":{},"anode":"me","seq":1}`:              false,
		`me","seq":1}`: false,
		`}`:            false,
		``:             false,
	} {
		if got := phpnodes.IsOwnEvent([]byte(text), "me"); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	for _, cache := range []bool{false, true} {
		text := phpnodes.Sign(`{"type":"message","payload":{}`, "0123456789abcdef", 18446744073709551615, cache)
		if got := phpnodes.IsOwnEvent(text, "0123456789abcdef"); got == cache {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Whatever comes, clients only get JSON, on channels where they are.
func FuzzHandle(f *testing.F) {
	// Short ones: the fuzzer tries to shorten what it finds, and that takes long enough.
	app := phpnodes.App{ID: "1"}
	for _, e := range events {
		text, err := phpnodes.EncodeEvent(app, false, scaling.Message{App: "1", Payload: outbound.New(e.payload), Except: socketID(f, e.except)})
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(text))
	}
	for _, m := range metrics {
		m.Key, m.App = "4cOq3cEEjo", "2"
		f.Add([]byte(phpnodes.EncodeMetric(app, m)))
	}
	f.Add(golden(f, "answer_channels.json"))
	f.Add([]byte(`{"type":"terminate","application":` + minimal + `,"payload":{"user_id":"7"}}`))
	f.Add(message(`{"event":"e","channels":["one","two"]}`, `,"socket_id":"1.2"`))
	f.Add(message(`{"event":"e","channel":"cache-x"}`, `,"cache":true,"node":"peer","seq":1`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, h, _ := idle(t)
		join(r, "room", "one", "a/b é", "cache-x")
		if !strings.Contains(string(text), `"node"`) { // a peer's question is answered, and there is no Redis
			r.Handle(h, text)
		}
		for _, m := range h.delivered {
			if !protocol.Members(m.Payload.JSON(), func(_, _ []byte) bool { return true }) {
				t.Errorf("%q: delivered %q", text, m.Payload.JSON())
			}
		}
		e, err := phpnodes.DecodeEvent(text)
		if err == nil && len(e.Channels) != len(e.Deliveries) {
			t.Errorf("%q: %+v", text, e)
		}
		if m, err := phpnodes.DecodeMetric(text); err == nil {
			m.App = app.ID
			if again, err := phpnodes.DecodeMetric([]byte(phpnodes.EncodeMetric(app, m))); err != nil || again.Key != m.Key || again.Of != m.Of || !reflect.DeepEqual(again.Channels, m.Channels) && m.Of == "CHANNELS" {
				t.Errorf("%q: %+v, then %+v, %v", text, m, again, err)
			}
		}
	})
}
