package journal

import (
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"reverb/config"
	"reverb/internal/console"
	"reverb/protocol"
)

func TestTraceShowsTheStream(t *testing.T) {
	var out strings.Builder
	tr := traceTo(&out, config.LogConsole)
	payload := []byte(`{"event":"pusher:ping"}`)
	tr.Established("1.2")
	tr.MessageReceived("1.2", payload)
	copy(payload, "overwritten by the next message")
	tr.MessageHandled("1.2")
	tr.ControlFrame("1.2")
	tr.BroadcastingTo("news", []byte(`{"event":"e","data":"{\"a\":1}"}`))
	tr.PruningStale()
	tr.PingingInactive()
	tr.Pinged("1.2")
	tr.Pruned("1.2")
	tr.Closed("1.2")
	tr.MessageReceived("1.2", make([]byte, tracePayload+1))
	c := strings.Builder{}
	want := console.New(&c, nil)
	want.Detail("Connection Established", "1.2")
	want.Detail("Message Received", "1.2")
	want.Text("    1▕ {\n    2▕     \"event\": \"pusher:ping\"\n    3▕ }\n")
	want.Detail("Message Handled", "1.2")
	want.Detail("Control Frame Received", "1.2")
	want.Text("    1▕ null\n")
	want.Detail("Broadcasting To", "news")
	want.Text("    1▕ {\n    2▕     \"event\": \"e\",\n    3▕     \"data\": {\n    4▕         \"a\": 1\n    5▕     }\n    6▕ }\n")
	want.Detail("Pruning Stale Connections", "")
	want.Detail("Pinging Inactive Connections", "")
	want.Detail("Connection Pinged", "1.2")
	want.Detail("Connection Pruned", "1.2")
	want.Detail("Connection Closed", "1.2")
	want.Detail("Message Received", "1.2")
	want.Text("      (65537 bytes, not shown)\n")
	if out.String() != c.String() {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), c.String())
	}
}

func TestTraceShowsErrors(t *testing.T) {
	var out strings.Builder
	tr := traceTo(&out, config.LogConsole)
	tr.Error("1.2", &protocol.Error{Code: 4200, Message: "Invalid message format"})
	tr.Error("3.4", errors.New("disk on fire"))
	for _, want := range []string{
		"\n [ERROR] Message from 1.2 resulted in a pusher error \n\n",
		"\n [ERROR] Message from 3.4 resulted in an unknown error \n\n",
		"  disk on fire ...",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

// The stream as JSON: one object a line, with what belongs to it, and no secret.
func TestTraceAsJSON(t *testing.T) {
	var out strings.Builder
	tr := traceTo(&out, config.LogJSON)
	tr.Established("1.2")
	tr.MessageReceived("1.2", []byte(`{"event":"pusher:subscribe", "data":{"auth":"k:SECRET","channel":"private-a"}}`))
	tr.BroadcastingTo("news", []byte(`{"event":"e"}`))
	tr.PruningStale()
	tr.MessageReceived("1.2", make([]byte, tracePayload+1))
	tr.Error("1.2", &protocol.Error{Code: 4200, Message: "Invalid message format"})
	var got []string
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		delete(fields, "time")
		text, _ := json.Marshal(fields)
		got = append(got, string(text))
	}
	want := []string{
		`{"level":"DEBUG","msg":"Connection Established","socket_id":"1.2"}`,
		`{"level":"DEBUG","message":"{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"k:********\",\"channel\":\"private-a\"}}","msg":"Message Received","socket_id":"1.2"}`,
		`{"channel":"news","level":"DEBUG","message":"{\"event\":\"e\"}","msg":"Broadcasting To"}`,
		`{"level":"DEBUG","msg":"Pruning Stale Connections"}`,
		`{"bytes":65537,"level":"DEBUG","msg":"Message Received","socket_id":"1.2"}`,
		`{"err":"` + (&protocol.Error{Code: 4200, Message: "Invalid message format"}).Error() + `","level":"DEBUG","msg":"Message resulted in a pusher error","socket_id":"1.2"}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// traceTo is a stream whose lines are written at once.
func traceTo(out *strings.Builder, format string) *Trace {
	said := &Journal{console: console.New(out, nil), handler: console.Records}
	if format == config.LogJSON {
		said.handler, said.json = jsonRecords, slog.New(slog.DiscardHandler)
	}
	tr := said.Trace()
	tr.queue = direct{out}
	return tr
}

// direct is a queue that waits for its output.
type direct struct{ out *strings.Builder }

func (d direct) Add(_ int, render func() []byte) { d.out.Write(render()) }

// A message is counted in the queue for no less than the bytes that wait.
func TestTraceCountsWhatWaits(t *testing.T) {
	var sizes counter
	tr := &Trace{queue: &sizes}
	tr.MessageReceived("1.2", make([]byte, tracePayload))
	tr.MessageReceived("1.2", make([]byte, 100*tracePayload))
	tr.Established("1.2")
	if sizes < tracePayload || sizes > tracePayload+10*traceOverhead {
		t.Errorf("counted for %d bytes", sizes)
	}
}

// counter adds up sizes.
type counter int

func (c *counter) Add(size int, _ func() []byte) { *c += counter(size) }
