package journal

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"

	"reverb/internal/console"
	"reverb/protocol"
)

const (
	// tracePayload is the largest message that is dumped, in bytes. Of a larger one only the size is told.
	tracePayload = 64 << 10
	// traceOverhead is what a line is counted for beside its message, in bytes.
	traceOverhead = 256
)

// Trace is the stream of data of `start --debug`: what the server tells of each connection, as lines of the journal. It
// implements server.Trace, whose methods are called on the event loops and must not wait: they copy what they need into
// the journal's queue, and the goroutine that writes makes the lines.
type Trace struct {
	// Constant after construction.
	queue  traceQueue
	render func(traceLine) []byte
}

// traceQueue is a logging.Queue.
type traceQueue interface {
	Add(size int, render func() []byte)
}

// traceLine is one two-column line, with the dump of a message or an error block where there is one.
type traceLine struct {
	title, name, value string // name is what value is: "socket_id", "channel"
	dump               bool
	payload            []byte // owned by the line; nil dumps as null
	size               int    // of a payload that was too large to keep, in bytes
	failure            error
}

// Trace shows the stream on stdout.
func (j *Journal) Trace() *Trace {
	var text bytes.Buffer // of one line; only the goroutine that writes has it
	t := &Trace{queue: j.stdout}
	print := (&traceText{j.console.To(&text)}).print
	if j.json != nil {
		print = traceJSON(j.handler(nil, &text, slog.LevelDebug))
	}
	t.render = func(l traceLine) []byte {
		text.Reset()
		print(l)
		return text.Bytes()
	}
	return t
}

func (t *Trace) Established(socketID string) { t.add("Connection Established", socketID) }

func (t *Trace) MessageReceived(socketID string, payload []byte) {
	t.addDump("Message Received", "socket_id", socketID, payload)
}

func (t *Trace) MessageHandled(socketID string) { t.add("Message Handled", socketID) }

func (t *Trace) ControlFrame(socketID string) {
	t.addDump("Control Frame Received", "socket_id", socketID, nil)
}

func (t *Trace) BroadcastingTo(channel string, payload []byte) {
	t.addDump("Broadcasting To", "channel", channel, payload)
}

func (t *Trace) PruningStale() { t.add("Pruning Stale Connections", "") }

func (t *Trace) PingingInactive() { t.add("Pinging Inactive Connections", "") }

func (t *Trace) Pinged(socketID string) { t.add("Connection Pinged", socketID) }

func (t *Trace) Pruned(socketID string) { t.add("Connection Pruned", socketID) }

func (t *Trace) Closed(socketID string) { t.add("Connection Closed", socketID) }

func (t *Trace) Error(socketID string, err error) {
	t.put(traceLine{name: "socket_id", value: socketID, failure: err})
}

func (t *Trace) add(title, socketID string) {
	t.put(traceLine{title: title, name: "socket_id", value: socketID})
}

// addDump keeps a copy of payload, which belongs to the caller.
func (t *Trace) addDump(title, name, value string, payload []byte) {
	line := traceLine{title: title, name: name, value: value, dump: true}
	if len(payload) > tracePayload {
		line.size = len(payload)
	} else if len(payload) > 0 {
		line.payload = append([]byte(nil), payload...)
	}
	t.put(line)
}

func (t *Trace) put(line traceLine) {
	t.queue.Add(len(line.payload)+traceOverhead, func() []byte { return t.render(line) })
}

// kind is what Reverb calls an error that a message resulted in.
func (l traceLine) kind() string {
	var visible *protocol.Error
	if errors.As(l.failure, &visible) {
		return "a pusher error"
	}
	return "an unknown error"
}

// traceText makes the lines of Reverb's console.
type traceText struct{ console *console.Console }

func (t *traceText) print(line traceLine) {
	if line.failure != nil {
		t.printError(line)
		return
	}
	t.console.Detail(line.title, line.value)
	switch {
	case line.size > 0:
		t.console.Text("      (" + strconv.Itoa(line.size) + " bytes, not shown)\n")
	case line.dump:
		t.console.Text(dump(line.payload))
	}
}

// printError writes what Reverb's console logger writes: a red block, then the text of the error as a line of its own.
func (t *traceText) printError(line traceLine) {
	block := " [ERROR] Message from " + console.Printable(line.value) + " resulted in " + line.kind() + " "
	t.console.Text("\n" + t.console.PaintFailure(block) + "\n\n")
	t.console.Detail(line.failure.Error(), "")
}

// traceJSON makes records of the level debug.
func traceJSON(handler slog.Handler) func(traceLine) {
	log := slog.New(handler)
	return func(line traceLine) {
		var attrs []slog.Attr
		if line.value != "" {
			attrs = append(attrs, slog.String(line.name, line.value))
		}
		switch {
		case line.failure != nil:
			line.title = "Message resulted in " + line.kind()
			attrs = append(attrs, slog.String("err", line.failure.Error()))
		case line.size > 0:
			attrs = append(attrs, slog.Int("bytes", line.size))
		case line.dump:
			attrs = append(attrs, slog.String("message", compact(line.payload)))
		}
		log.LogAttrs(context.Background(), slog.LevelDebug, line.title, attrs...)
	}
}
