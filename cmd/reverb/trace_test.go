package main

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"reverb/protocol"
)

func TestTraceShowsTheStream(t *testing.T) {
	var out strings.Builder
	tr := newTrace(newConsole(&out, nil))
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
	tr.close()
	c := strings.Builder{}
	want := newConsole(&c, nil)
	want.detail("Connection Established", "1.2")
	want.detail("Message Received", "1.2")
	want.text("    1▕ {\n    2▕     \"event\": \"pusher:ping\"\n    3▕ }\n")
	want.detail("Message Handled", "1.2")
	want.detail("Control Frame Received", "1.2")
	want.text("    1▕ null\n")
	want.detail("Broadcasting To", "news")
	want.text("    1▕ {\n    2▕     \"event\": \"e\",\n    3▕     \"data\": {\n    4▕         \"a\": 1\n    5▕     }\n    6▕ }\n")
	want.detail("Pruning Stale Connections", "")
	want.detail("Pinging Inactive Connections", "")
	want.detail("Connection Pinged", "1.2")
	want.detail("Connection Pruned", "1.2")
	want.detail("Connection Closed", "1.2")
	want.detail("Message Received", "1.2")
	want.text("      (65537 bytes, not shown)\n")
	if out.String() != c.String() {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), c.String())
	}
}

func TestTraceShowsErrors(t *testing.T) {
	var out strings.Builder
	tr := newTrace(newConsole(&out, nil))
	tr.Error("1.2", &protocol.Error{Code: 4200, Message: "Invalid message format"})
	tr.Error("3.4", errors.New("disk on fire"))
	tr.close()
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

// stuck is a terminal on which somebody pressed Ctrl-S.
type stuck struct {
	entered chan struct{}
	release chan struct{}
	once    sync.Once

	mu   sync.Mutex
	text strings.Builder
}

func (s *stuck) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.entered); <-s.release })
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func TestTraceNeverWaitsForTheTerminal(t *testing.T) {
	terminal := &stuck{entered: make(chan struct{}), release: make(chan struct{})}
	tr := newTrace(newConsole(terminal, nil))
	tr.Established("1.2")
	<-terminal.entered
	for range traceQueue + 17 {
		tr.Established("1.2")
	}
	close(terminal.release)
	tr.close()
	if want := "17 lines were not shown"; !strings.Contains(terminal.text.String(), want) {
		t.Errorf("no %q in the end of the output", want)
	}
}

func TestTraceBoundsWhatWaits(t *testing.T) {
	terminal := &stuck{entered: make(chan struct{}), release: make(chan struct{})}
	tr := newTrace(newConsole(terminal, nil))
	tr.Established("1.2")
	<-terminal.entered
	payload := make([]byte, tracePayload)
	for range 2 * traceBytes / tracePayload {
		tr.MessageReceived("1.2", payload)
	}
	if n := tr.waiting.Load(); n > traceBytes+tracePayload {
		t.Errorf("%d bytes wait, want at most %d", n, traceBytes+tracePayload)
	}
	close(terminal.release)
	tr.close()
	if n := tr.waiting.Load(); n != 0 {
		t.Errorf("%d bytes wait after the end", n)
	}
}
