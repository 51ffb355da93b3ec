package phpnodes_test

import (
	"reflect"
	"strings"
	"testing"

	"reverb/laravel/php"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/phpnodes"
)

// The app of the golden files.
var app = phpnodes.App{
	ID: "123456", Key: "reverb-key", Secret: "reverb-secret",
	PingInterval: 60, ActivityTimeout: 30, AllowedOrigins: []string{"*"}, MaxMessageSize: 10_000, AcceptClientEventsFrom: "members",
	RateLimit: phpnodes.RateLimit{MaxAttempts: 60, DecaySeconds: 60},
	Host:      "localhost", Port: 18080, Scheme: "http",
}

// Another, with all that can be set, but told to connect nowhere.
var limited = phpnodes.App{
	ID: "7", Key: "k", Secret: "s",
	PingInterval: 10, ActivityTimeout: 20, AllowedOrigins: []string{"laravel.com", "*.example.com"}, MaxMessageSize: 1000,
	MaxConnections: 500, AcceptClientEventsFrom: "all",
	RateLimit: phpnodes.RateLimit{Enabled: true, MaxAttempts: 5, DecaySeconds: 1, TerminateOnLimit: true},
}

func socketID(t testing.TB, s string) protocol.SocketID {
	t.Helper()
	id, ok := protocol.ParseSocketID(s)
	if !ok && s != "" {
		t.Fatalf("socket id %q", s)
	}
	return id
}

// events are messages of Reverb and what this program passes on for the same event.
var events = []struct {
	file, channel, payload, except string
}{
	{"message_events.json", "orders", `{"event":"App\\Events\\OrderShipped","data":"{\"id\":7,\"note\":\"\\u00e9\\\/\\ud83d\\ude00 \\\"quoted\\\"\"}","channel":"orders"}`, ""},
	{"message_events_except.json", "a/b é", `{"event":"e","data":"{}","channel":"a/b é"}`, "123.456"},
	{"message_batch.json", "one", `{"event":"e","channel":"one","data":"{\"a\":1}"}`, ""},
	{"message_client.json", "presence-room", "{\"event\":\"client-typing\",\"channel\":\"presence-room\",\"data\":{ \"a\": [1,2.5,null,true], \"s\":\"tab\\t nul\\u0000 del\x7f\"},\"user_id\":7}", "1.2"},
	{"message_extra.json", "room", `{"event":"client-x","channel":"room","data":null,"extra":{"deep":{"er":1}}}`, "1.2"},
}

func TestWritesEventsAsReverb(t *testing.T) {
	for _, e := range events {
		m := scaling.Message{App: app.ID, Channel: e.channel, Payload: outbound.New(e.payload), Except: socketID(t, e.except)}
		got, err := phpnodes.EncodeEvent(app, true, m)
		if want := string(golden(t, e.file)); err != nil || got != want {
			t.Errorf("%s: %v\n got %s\nwant %s", e.file, err, got, want)
		}
	}
}

func TestWritesOnlyTheIDOfAnApp(t *testing.T) {
	m := scaling.Message{App: app.ID, Channel: "c", Payload: outbound.New(`{"event":"e","channel":"c","data":"d"}`)}
	got, err := phpnodes.EncodeEvent(app, false, m)
	want := `{"type":"message","application":"O:26:\"Laravel\\Reverb\\Application\":1:{s:5:\"\u0000*\u0000id\";s:6:\"123456\";}",` +
		`"payload":{"event":"e","channel":"c","data":"d"}}`
	if err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

func TestWritesAppsAsReverb(t *testing.T) {
	for file, a := range map[string]phpnodes.App{"application.txt": app, "application_limited.txt": limited} {
		m := scaling.Message{App: a.ID, Channel: "c", Payload: outbound.New(`{}`)}
		got, err := phpnodes.EncodeEvent(a, true, m)
		if err != nil {
			t.Fatal(err)
		}
		e, ok := strings.CutPrefix(got, `{"type":"message","application":`)
		application, _, _ := strings.Cut(e, `,"payload":`)
		text, _ := protocol.Text([]byte(application))
		if want := golden(t, file); !ok || string(text) != string(want) {
			t.Errorf("%s\n got %q\nwant %q", file, text, want)
		}
		if _, err := php.Decode(golden(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestReadsEventsOfReverb(t *testing.T) {
	for _, e := range events {
		got, err := phpnodes.DecodeEvent(golden(t, e.file))
		if err != nil {
			t.Errorf("%s: %v", e.file, err)
			continue
		}
		if got.App != app.ID || !reflect.DeepEqual(got.Channels, []string{e.channel}) || got.Except != e.except {
			t.Errorf("%s: %+v", e.file, got)
			continue
		}
		// Clients get the same JSON; the escapes in it are PHP's, which has sent it.
		plain, err := phpnodes.EscapeJSON(e.payload)
		if delivered, err2 := phpnodes.EscapeJSON(got.Deliveries[0]); err != nil || err2 != nil || delivered != plain {
			t.Errorf("%s: %v %v\n got %s\nwant %s", e.file, err, err2, delivered, plain)
		}
	}
}

// Among nodes of this program PHP's escapes leave no trace.
func TestReadsEventsOfThisProgram(t *testing.T) {
	for _, want := range []string{
		`{"event":"e/é","data":"{\"a\":\"/ü\\u00e9\",\"b\":\"😀<>&'\\n\"}\n\u0001","channel":"a/ü"}`,
		`{"event":"e","channel":"a/ü","data":""}`,
		`{"event":"client-x","channel":"a/ü","data":{"ü/":["/","😀",1.0,{},"\\"],"":"\""},"user_id":"jö/"}`,
	} {
		text, err := phpnodes.EncodeEvent(app, false, scaling.Message{App: app.ID, Channel: "a/ü", Payload: outbound.New(want)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := phpnodes.DecodeEvent(phpnodes.Sign(strings.TrimSuffix(text, "}"), "0123456789abcdef", 1, false))
		if err != nil || !reflect.DeepEqual(got.Deliveries, []string{want}) {
			t.Errorf("%v\n got %s\nwant %s", err, got.Deliveries, want)
		}
	}
}

func TestReadsEventForManyChannels(t *testing.T) {
	got, err := phpnodes.DecodeEvent(golden(t, "message_channels.json"))
	want := phpnodes.Event{
		App: app.ID, Channels: []string{"one", "two"}, Except: "1.2",
		Deliveries: []string{`{"event":"e","data":"{\"a\":1}","channel":"one"}`, `{"event":"e","data":"{\"a\":1}","channel":"two"}`},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

var metrics = map[string]phpnodes.Metric{
	"metrics_connections.json":     {Of: "CONNECTIONS"},
	"metrics_channels.json":        {Of: "CHANNELS"},
	"metrics_channels_filter.json": {Of: "CHANNELS", Filter: "presence-", Info: "user_count"},
	"metrics_channels_named.json":  {Of: "CHANNELS", Info: "subscription_count", Channels: []string{"one", "two"}},
	"metrics_channel.json":         {Of: "CHANNEL", Channel: "room", Info: "user_count,occupied"},
	"metrics_users.json":           {Of: "CHANNEL_USERS", Channel: "presence-room"},
}

func TestMetricsAsReverb(t *testing.T) {
	for file, m := range metrics {
		m.Key, m.App = "4cOq3cEEjo", app.ID
		want := string(golden(t, file))
		if got := phpnodes.EncodeMetric(app, m); got != want {
			t.Errorf("%s\n got %s\nwant %s", file, got, want)
		}
		got, err := phpnodes.DecodeMetric([]byte(want))
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", file, err, got, m)
		}
	}
}

// A peer may leave out what the constructor of PHP sets.
func TestReadsMetricWithoutDefaults(t *testing.T) {
	text := strings.NewReplacer(
		`:6:{s:14:\"\u0000*\u0000subscribers\";N;s:7:\"\u0000*\u0000data\";a:0:{}`, `:4:{`,
	).Replace(string(golden(t, "metrics_users.json")))
	m, err := phpnodes.DecodeMetric([]byte(text))
	if err != nil || m.Of != "CHANNEL_USERS" || m.Channel != "presence-room" {
		t.Errorf("%+v, %v", m, err)
	}
}
