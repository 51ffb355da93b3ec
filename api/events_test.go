package api_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/server"
)

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

const (
	eventsPath = "/apps/" + appID + "/events"
	batchPath  = "/apps/" + appID + "/batch_events"
)

func TestEventsAnswers(t *testing.T) {
	const (
		noTarget = `"channels":["The channels field is required when channel is not present."],` +
			`"channel":["The channel field is required when channels is not present."]`
		noName = `"name":["The name field is required."]`
		noData = `"data":["The data field is required."]`
	)
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"one channel", `{"name":"E","data":"[]","channel":"a"}`, 200, `{}`},
		{"several channels", `{"name":"E","data":"[]","channels":["a","b"]}`, 200, `{}`},
		{"channels as an object", `{"name":"E","data":"[]","channels":{"0":"a","2":"b"}}`, 200, `{}`},
		{"info", `{"name":"E","data":"[]","channels":["presence-one","two"],"info":"user_count"}`, 200,
			`{"channels":{"presence-one":{"user_count":1},"two":{}}}`},
		{"info of subscriptions", `{"name":"E","data":"[]","channels":["presence-one","two"],"info":"subscription_count"}`, 200,
			`{"channels":{"presence-one":{},"two":{"subscription_count":1}}}`},
		{"info blank", `{"name":"E","data":"[]","channels":["two","nochan"],"info":""}`, 200, `{"channels":{"two":{},"nochan":{}}}`},
		{"info unknown", `{"name":"E","data":"[]","channel":"two","info":"colour"}`, 200, `{"channels":{"two":{}}}`},
		{"info not trimmed", `{"name":"E","data":"[]","channel":"two","info":"user_count, occupied"}`, 200, `{"channels":{"two":{}}}`},
		{"info of nobody's channel", `{"name":"E","data":"[]","channel":"nochan","info":"occupied,subscription_count,cache"}`, 200,
			`{"channels":{"nochan":{"occupied":false}}}`},
		{"info of a channel named twice", `{"name":"E","data":"[]","channels":["two","two"],"info":"occupied"}`, 200,
			`{"channels":{"two":{"occupied":true}}}`},
		{"unknown fields", `{"name":"E","data":"[]","channel":"a","colour":{"x":[1,{}]}}`, 200, `{}`},
		{"no data with channel", `{"name":"E","channel":"a"}`, 422, `{` + noData + `}`},
		{"no data with channels", `{"name":"E","channels":["a","b"]}`, 422, `{` + noData + `}`},
		{"nothing", `{}`, 422, `{` + noName + `,` + noData + `,` + noTarget + `}`},
		{"a list", `["name"]`, 422, `{` + noName + `,` + noData + `,` + noTarget + `}`},
		{"blank", `{"name":" ","data":"\t","channel":"\u0000"}`, 422, `{` + noName + `,` + noData + `,` + noTarget + `}`},
		{"nulls", `{"name":null,"data":null,"channel":null,"channels":null}`, 422,
			`{` + noName + `,` + noData + `,` + noTarget + `}`},
		{"empty channels", `{"name":"E","data":"x","channels":[]}`, 422, `{` + noTarget + `}`},
		{"empty name list", `{"name":[],"data":{},"channel":"a"}`, 422, `{` + noName + `,` + noData + `}`},
		{"data not a string", `{"name":"E","data":{"a":1},"channel":"a"}`, 422, `{"data":["The data field must be a string."]}`},
		{"name not a string", `{"name":false,"data":"x","channel":"a"}`, 422, `{"name":["The name field must be a string."]}`},
		{"channels not an array", `{"name":"E","data":"x","channels":"a"}`, 422, `{"channels":["The channels field must be an array."]}`},
		{"channels null", `{"name":"E","data":"x","channel":"a","channels":null}`, 200, `{}`},
		{"channel not a string", `{"name":"E","data":"x","channel":7}`, 422, `{"channel":["The channel field must be a string."]}`},
		{"channel null", `{"name":"E","data":"x","channels":["a"],"channel":null}`, 200, `{}`},
		{"nested channels", `{"name":"E","data":"x","channels":["a",["b"]]}`, 422,
			`{"channels.1":["The channels.1 field must be a string."]}`},
		{"socket id not a string", `{"name":"E","data":"x","channel":"a","socket_id":1234}`, 422,
			`{"socket_id":["The socket id field must be a string."]}`},
		{"socket id null", `{"name":"E","data":"x","channel":"a","socket_id":null}`, 200, `{}`},
		{"info null", `{"name":"E","data":"x","channel":"two","info":null}`, 200, `{}`},
		{"info null at the end", `{"name":"E","data":"x","channel":"two","info":"occupied","info":null}`, 200, `{}`},
		{"all that may be null", `{"name":"E","data":"x","channels":null,"channel":"a","socket_id":null,"info":null,"tags":null}`, 200, `{}`},
		{"info not a string", `{"name":"E","data":"x","channel":"a","info":1234}`, 422, `{"info":["The info field must be a string."]}`},
		{"empty", ``, 400, `The body is not a JSON object.`},
		{"not JSON", `name=E`, 400, `The body is not a JSON object.`},
		{"cut", `{"name":"E"`, 400, `The body is not a JSON object.`},
		{"a string", `"name"`, 400, `The body is not a JSON object.`},
		{"null", `null`, 400, `The body is not a JSON object.`},
		{"not UTF-8", "{\"name\":\"\xff\"}", 400, `The body is not a JSON object.`},
		{"too deep", strings.Repeat("[", 512) + strings.Repeat("]", 512), 400, `The body is not a JSON object.`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.node.occupy("presence-one", 1, 1, "")
			w.node.occupy("two", 1, 0, "")
			rec := w.signed(http.MethodPost, eventsPath, tt.body)
			wantAnswer(t, rec, tt.status, tt.want)
			if want := tt.status == 200; (len(w.node.published) == 1) != want {
				t.Errorf("published %d times, want published %v", len(w.node.published), want)
			}
		})
	}
}

func TestEventsPublishes(t *testing.T) {
	id, ok := protocol.ParseSocketID("1234.5678")
	if !ok {
		t.Fatal("1234.5678 is no socket id")
	}
	tests := []struct {
		name, body string
		want       server.Publication
	}{
		{"one channel", `{"name":"E","data":"d","channel":"a"}`, server.Publication{Event: "E", Data: "d", Channels: []string{"a"}}},
		{"channels win", `{"name":"E","data":"d","channel":"z","channels":["a","b","a"]}`,
			server.Publication{Event: "E", Data: "d", Channels: []string{"a", "b", "a"}}},
		{"scalars in channels", `{"name":"E","data":"d","channels":["a",7,true,false,null]}`,
			server.Publication{Event: "E", Data: "d", Channels: []string{"a", "7", "1", "", ""}}},
		{"blank channels", `{"name":"E","data":"d","channel":"a","channels":" "}`,
			server.Publication{Event: "E", Data: "d", Channels: []string{"a"}}},
		{"escapes", `{"name":"A\\B\u00e9","data":"{\"m\":\"\ud83d\ude00\/\n\"}","channel":"a"}`,
			server.Publication{Event: `A\Bé`, Data: "{\"m\":\"😀/\n\"}", Channels: []string{"a"}}},
		{"the last of a name counts", `{"name":"X","name":"E","data":"d","channel":"a"}`,
			server.Publication{Event: "E", Data: "d", Channels: []string{"a"}}},
		{"except", `{"name":"E","data":"d","channel":"a","socket_id":"1234.5678"}`,
			server.Publication{Event: "E", Data: "d", Channels: []string{"a"}, Except: id}},
		{"unknown socket id", `{"name":"E","data":"d","channel":"a","socket_id":"nobody"}`,
			server.Publication{Event: "E", Data: "d", Channels: []string{"a"}}},
		{"blank socket id", `{"name":"E","data":"d","channel":"a","socket_id":""}`,
			server.Publication{Event: "E", Data: "d", Channels: []string{"a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			wantAnswer(t, w.signed(http.MethodPost, eventsPath, tt.body), 200, `{}`)
			if got := w.node.published; !reflect.DeepEqual(got, []server.Publication{tt.want}) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestBatchAnswers(t *testing.T) {
	tests := []struct {
		name, body string
		published  int
		status     int
		want       string
	}{
		{"one", `{"batch":[{"name":"E","data":"x","channel":"a"}]}`, 1, 200, `{"batch":{}}`},
		{"two", `{"batch":[{"name":"E","data":"x","channel":"a"},{"name":"E","data":"x","channel":"b","socket_id":"1.2"}]}`, 2, 200,
			`{"batch":{}}`},
		{"info", `{"batch":[{"name":"E","data":"x","channel":"presence-one","info":"user_count"},` +
			`{"name":"E","data":"x","channel":"two","info":"subscription_count"},` +
			`{"name":"E","data":"x","channel":"two","info":"subscription_count"}]}`, 3, 200,
			`{"batch":[{"user_count":1},{"subscription_count":1},{"subscription_count":1}]}`},
		{"info for some", `{"batch":[{"name":"E","data":"x","channel":"presence-one","info":"user_count"},` +
			`{"name":"E","data":"x","channel":"two"}]}`, 2, 200, `{"batch":[{"user_count":1},{}]}`},
		{"nulls", `{"batch":[{"name":"E","data":"x","channel":"a","socket_id":null,"info":null,"channels":null}]}`, 1, 200, `{"batch":{}}`},
		{"a null name", `{"batch":[{"name":null,"data":"x","channel":"a"}]}`, 0, 422, `{"batch.0.name":["The batch.0.name field is required."]}`},
		{"info that yields nothing", `{"batch":[{"name":"E","data":"x","channel":"two","info":"user_count"}]}`, 1, 200, `{"batch":{}}`},
		{"no batch", `{}`, 0, 422, `{"batch":["The batch field is required."]}`},
		{"empty batch", `{"batch":[]}`, 0, 422, `{"batch":["The batch field is required."]}`},
		{"batch not an array", `{"batch":7}`, 0, 422, `{"batch":["The batch field must be an array."]}`},
		{"a list", `[{"name":"E"}]`, 0, 422, `{"batch":["The batch field is required."]}`},
		{"none is sent when one is wrong", `{"batch":[{"name":"E","data":"x","channel":"a"},{"name":"E","channels":["a"]}]}`, 0, 422,
			`{"batch.1.data":["The batch.1.data field is required."],` +
				`"batch.1.channel":["The batch.1.channel field is required when channels is not present."]}`},
		{"item not an object", `{"batch":[5]}`, 0, 422, `{"batch.0.name":["The batch.0.name field is required."],` +
			`"batch.0.data":["The batch.0.data field is required."],` +
			`"batch.0.channel":["The batch.0.channel field is required when channels is not present."]}`},
		{"wrong types", `{"batch":[{"name":1,"data":"x","channel":2,"socket_id":3,"info":4}]}`, 0, 422,
			`{"batch.0.name":["The batch.0.name field must be a string."],"batch.0.channel":["The batch.0.channel field must be a string."],` +
				`"batch.0.socket_id":["The batch.0.socket id field must be a string."],"batch.0.info":["The batch.0.info field must be a string."]}`},
		{"empty", ``, 0, 400, `The body is not a JSON object.`},
		{"not JSON", `[}`, 0, 400, `The body is not a JSON object.`},
		{"a number", `5`, 0, 400, `The body is not a JSON object.`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.node.occupy("presence-one", 1, 1, "")
			w.node.occupy("two", 1, 0, "")
			wantAnswer(t, w.signed(http.MethodPost, batchPath, tt.body), tt.status, tt.want)
			if got := len(w.node.published); got != tt.published {
				t.Errorf("published %d, want %d", got, tt.published)
			}
			for _, p := range w.node.published {
				if !p.Batch || len(p.Channels) != 1 {
					t.Errorf("got %+v, want one channel of a batch", p)
				}
			}
		})
	}
}

func TestBatchErrorsAreBounded(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Server.MaxRequestSize = 1 << 20 })
	body := `{"batch":[` + strings.Repeat(`{},`, 200_000) + `{}]}`
	rec := w.signed(http.MethodPost, batchPath, body)
	var got map[string][]string
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 422 || len(got) != 100 {
		t.Errorf("got %d with %d fields, err %v, want 422 with 100", rec.Code, len(got), err)
	}
}

func TestPublishFails(t *testing.T) {
	body := `{"name":"E","data":"d","channel":"a","info":"occupied"}`
	for path, body := range map[string]string{eventsPath: body, batchPath: `{"batch":[` + body + `]}`} {
		w := newWorld(t)
		w.node.publishErr = fmt.Errorf("channel a: %w", channels.ErrBacklog)
		rec := w.signed(http.MethodPost, path, body)
		wantAnswer(t, rec, 503, "Too many messages are waiting for delivery.")
		if got := rec.Header().Get("Retry-After"); got != "1" {
			t.Errorf("got Retry-After %q, want 1", got)
		}
		w.node.publishErr = errors.New("relay is broken")
		wantAnswer(t, w.signed(http.MethodPost, path, body), 500, "Internal server error.")
		w.node.publishErr = protocol.ErrUnknownApp // taken away meanwhile
		wantAnswer(t, w.signed(http.MethodPost, path, body), 404, "No matching application for ID ["+appID+"].")
	}
}

func TestPusherRules(t *testing.T) {
	event := func(rest string) string { return `{"name":"E","data":"d",` + rest + `}` }
	names := func(n int) string { return `["` + strings.Join(make([]string, n), `a","`) + `a"]` }
	items := func(n int) string {
		return `{"batch":[` + strings.TrimSuffix(strings.Repeat(event(`"channel":"a"`)+",", n), ",") + `]}`
	}
	tests := []struct {
		name, path, body string
		status           int
		want             string
	}{
		{"plain", "events", event(`"channel":"a"`), 200, `{}`},
		{"data at the limit", "events", `{"name":"E","channel":"a","data":"` + strings.Repeat("x", 1000) + `"}`, 200, `{}`},
		{"data over it", "events", `{"name":"E","channel":"a","data":"` + strings.Repeat("x", 1001) + `"}`, 413,
			"The data content of this event exceeds the allowed maximum (1000 bytes)."},
		{"100 channels", "events", event(`"channels":` + names(100)), 200, `{}`},
		{"101 channels", "events", event(`"channels":` + names(101)), 400, "An event may go to 100 channels at most."},
		{"both targets", "events", event(`"channel":"a","channels":["a"]`), 400, "An event has either channel or channels."},
		{"no channels", "events", event(`"channels":[]`), 400,
			`{"channels":["The channels field is required when channel is not present."],` +
				`"channel":["The channel field is required when channels is not present."]}`},
		{"channel name", "events", event(`"channel":"a b"`), 400, "Invalid channel name."},
		{"long channel name", "events", event(`"channel":"` + strings.Repeat("a", 165) + `"`), 400, "Invalid channel name."},
		{"long event name", "events", `{"name":"` + strings.Repeat("a", 201) + `","data":"d","channel":"a"}`, 400, "Invalid event name."},
		{"a user's channel", "events", event(`"channels":["#server-to-user-12 3"]`), 200, `{}`},
		{"nobody's channel", "events", event(`"channels":["#server-to-user-"]`), 400, "Invalid channel name."},
		{"encrypted alone", "events", event(`"channels":["private-encrypted-a"]`), 200, `{}`},
		{"nulls", "events", event(`"channels":["a"],"channel":null,"socket_id":null,"info":null`), 200, `{}`},
		{"encrypted with another", "events", event(`"channels":["a","private-encrypted-a"]`), 400,
			"An event for an encrypted channel goes to that channel alone."},
		{"socket id", "events", event(`"channel":"a","socket_id":"1.2"`), 200, `{}`},
		{"malformed socket id", "events", event(`"channel":"a","socket_id":"1.2.3"`), 400, "Invalid socket id."},
		{"batch of 10", "batch_events", items(10), 200, `{}`},
		{"batch of 11", "batch_events", items(11), 400, "Batch too large: it may have 10 events at most."},
		{"an item without channel", "batch_events", `{"batch":[{"name":"E","data":"d"}]}`, 400,
			`{"batch.0.channel":["The batch.0.channel field is required when channels is not present."]}`},
		{"a wrong name in a batch", "batch_events", `{"batch":[` + event(`"channel":"a"`) + `,` + event(`"channel":"ä"`) + `]}`, 400,
			"Invalid channel name."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			wantAnswer(t, w.signed(http.MethodPost, "/apps/"+strictID+"/"+tt.path, tt.body), tt.status, tt.want)
			if published := len(w.node.published) > 0; published != (tt.status == 200) {
				t.Errorf("published %+v with status %d", w.node.published, tt.status)
			}
		})
	}
}

// Pusher counts the subscriptions of presence channels too, counts nobody where nobody is, and has nothing to say when nothing was asked.
func TestAnswersOfPusher(t *testing.T) {
	item := func(channel, more string) string {
		return `{"name":"E","data":"d","channel":"` + channel + `"` + more + `}`
	}
	const both = `,"info":"user_count,subscription_count"`
	tests := []struct{ name, path, body, want string }{
		{"nothing asked", "events", item("news", ``), `{}`},
		{"counts", "events", `{"name":"E","data":"d","channels":["news","presence-room","presence-none","none"]` + both + `}`,
			`{"channels":{"news":{"subscription_count":1},"presence-room":{"user_count":2,"subscription_count":3},` +
				`"presence-none":{"user_count":0,"subscription_count":0},"none":{"subscription_count":0}}}`},
		{"batch, nothing asked", "batch_events", `{"batch":[` + item("news", ``) + `,` + item("presence-room", `,"info":null`) + `]}`, `{}`},
		{"batch, some asked", "batch_events",
			`{"batch":[` + item("news", `,"info":"subscription_count"`) + `,` + item("other", ``) + `,` + item("presence-none", both) + `]}`,
			`{"batch":[{"subscription_count":1},{},{"user_count":0,"subscription_count":0}]}`},
		{"batch, asked in vain", "batch_events", `{"batch":[` + item("news", `,"info":"user_count"`) + `]}`, `{"batch":[{}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.node.occupy("news", 1, 0, "")
			w.node.occupy("presence-room", 3, 2, "")
			wantAnswer(t, w.signed(http.MethodPost, "/apps/"+strictID+"/"+tt.path, tt.body), 200, tt.want)
		})
	}
}

// What Pusher's rules allow is no body that is too large, and what they do not allow is told in their words. The limit of other apps stays.
func TestBodiesOfPusher(t *testing.T) {
	event := func(data string) string { return `{"name":"E","channel":"a","data":"` + data + `"}` }
	batch := func(n int, data string) string {
		return `{"batch":[` + strings.TrimSuffix(strings.Repeat(event(data)+",", n), ",") + `]}`
	}
	const tooLong = "The data content of this event exceeds the allowed maximum (10240 bytes)."
	for _, tt := range []struct {
		name, app, path, body string
		status                int
		want                  string
	}{
		{"the longest event", strictID, "events", event(strings.Repeat("x", 10<<10)), 200, `{}`},
		{"in escapes", strictID, "events", event(strings.Repeat(`\u00e9`, 5<<10)), 200, `{}`},
		{"one byte more", strictID, "events", event(strings.Repeat("x", 10<<10+1)), 413, tooLong},
		{"the longest batch", strictID, "batch_events", batch(10, strings.Repeat(`\"`, 10<<10)), 200, `{}`},
		{"one byte more in a batch", strictID, "batch_events", batch(2, strings.Repeat("x", 10<<10+1)), 413, tooLong},
		{"far more", strictID, "events", event(strings.Repeat("x", 1<<20)), 413, "Payload too large."},
		{"the other profile", appID, "events", event(strings.Repeat("x", 10<<10)), 413, "Payload too large."},
		{"no app", "zzz", "events", event(strings.Repeat("x", 10<<10)), 413, "Payload too large."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(c *config.Config) {
				app := c.Apps.ByID(strictID)
				app.Rules = config.ProfileRules(config.ProfilePusher)
			})
			rec := w.signed(http.MethodPost, "/apps/"+tt.app+"/"+tt.path, tt.body)
			if rec.Code != tt.status || rec.Body.String() != tt.want {
				t.Errorf("got %d %s, want %d %s", rec.Code, rec.Body, tt.status, tt.want)
			}
		})
	}
}

// A name that no client may subscribe to is refused in the reverb profile too; the server's own channels may be published to.
func TestLongChannelNames(t *testing.T) {
	const longest = 1 << 10
	bounded := func(c *config.Config) { c.Apps[0].Rules.MaxChannelName = longest }
	for name, status := range map[string]int{
		strings.Repeat("a", longest):   http.StatusOK,
		strings.Repeat("a", longest+1): http.StatusBadRequest,
		"#server-to-user-7":            http.StatusOK,
		"#":                            http.StatusOK,
	} {
		want := `{}`
		if status != http.StatusOK {
			want = "Invalid channel name."
		}
		w := newWorld(t, bounded)
		wantAnswer(t, w.signed(http.MethodPost, "/apps/"+appID+"/events", `{"name":"E","data":"d","channels":["b","`+name+`"]}`), status, want)
		want = strings.Replace(want, `{}`, `{"batch":{}}`, 1)
		body := `{"batch":[{"name":"E","data":"d","channel":"` + name + `"}]}`
		wantAnswer(t, w.signed(http.MethodPost, "/apps/"+appID+"/batch_events", body), status, want)
	}
}
