package main

import (
	"errors"
	"strconv"
	"sync/atomic"

	"reverb/protocol"
)

const (
	// traceQueue is how many lines may wait for the terminal.
	traceQueue = 4096
	// traceBytes bounds the messages that wait with them, in bytes.
	traceBytes = 4 << 20
	// tracePayload is the largest message that is dumped, in bytes. Of a larger one only the size is told.
	tracePayload = 64 << 10
)

// trace is the stream of data of `start --debug`: what the server tells of each connection, as lines on the console. It implements
// server.Trace, whose methods are called on the event loops and must not wait: they copy what they need into a bounded queue that one
// goroutine writes out. What finds the queue full is dropped, and the number of those is told as soon as the terminal has caught up.
type trace struct {
	// Constant after construction.
	console *console
	lines   chan traceLine
	quit    chan struct{} // closed by close
	done    chan struct{} // closed by run

	// Atomic.
	waiting atomic.Int64 // bytes of payloads in lines
	dropped atomic.Uint64
}

// traceLine is one two-column line, with the dump of a message or an error block where there is one.
type traceLine struct {
	title, value string
	dump         bool
	payload      []byte // owned by the line; nil dumps as null
	size         int    // of a payload that was too large to keep, in bytes
	failure      error
}

func newTrace(c *console) *trace {
	t := &trace{console: c, lines: make(chan traceLine, traceQueue), quit: make(chan struct{}), done: make(chan struct{})}
	go t.run()
	return t
}

// close writes out what waits and ends the goroutine. Calls that come later are lost without harm.
func (t *trace) close() {
	close(t.quit)
	<-t.done
}

func (t *trace) Established(socketID string) { t.add("Connection Established", socketID) }

func (t *trace) MessageReceived(socketID string, payload []byte) {
	t.addDump("Message Received", socketID, payload)
}

func (t *trace) MessageHandled(socketID string) { t.add("Message Handled", socketID) }

func (t *trace) ControlFrame(socketID string) { t.addDump("Control Frame Received", socketID, nil) }

func (t *trace) BroadcastingTo(channel string, payload []byte) {
	t.addDump("Broadcasting To", channel, payload)
}

func (t *trace) PruningStale() { t.add("Pruning Stale Connections", "") }

func (t *trace) PingingInactive() { t.add("Pinging Inactive Connections", "") }

func (t *trace) Pinged(socketID string) { t.add("Connection Pinged", socketID) }

func (t *trace) Pruned(socketID string) { t.add("Connection Pruned", socketID) }

func (t *trace) Closed(socketID string) { t.add("Connection Closed", socketID) }

func (t *trace) Error(socketID string, err error) {
	t.queue(traceLine{value: socketID, failure: err})
}

func (t *trace) add(title, value string) { t.queue(traceLine{title: title, value: value}) }

// addDump keeps a copy of payload, which belongs to the caller.
func (t *trace) addDump(title, value string, payload []byte) {
	line := traceLine{title: title, value: value, dump: true}
	if len(payload) > tracePayload {
		line.size = len(payload)
	} else if len(payload) > 0 {
		if t.waiting.Load() > traceBytes {
			t.dropped.Add(1)
			return
		}
		line.payload = append([]byte(nil), payload...)
	}
	t.queue(line)
}

// queue never waits. Bytes are counted before the line is handed over, because afterwards it may be written already.
func (t *trace) queue(line traceLine) {
	t.waiting.Add(int64(len(line.payload)))
	select {
	case t.lines <- line:
	default:
		t.waiting.Add(-int64(len(line.payload)))
		t.dropped.Add(1)
	}
}

func (t *trace) run() {
	defer close(t.done)
	for {
		select {
		case line := <-t.lines:
			t.print(line)
		case <-t.quit:
			t.flush()
			return
		}
		if len(t.lines) == 0 {
			t.tellDropped()
		}
	}
}

// flush writes what is queued and does not wait for more.
func (t *trace) flush() {
	for {
		select {
		case line := <-t.lines:
			t.print(line)
		default:
			t.tellDropped()
			return
		}
	}
}

func (t *trace) print(line traceLine) {
	t.waiting.Add(-int64(len(line.payload)))
	if line.failure != nil {
		t.printError(line.value, line.failure)
		return
	}
	t.console.detail(line.title, line.value)
	switch {
	case line.size > 0:
		t.console.text("      (" + strconv.Itoa(line.size) + " bytes, not shown)\n")
	case line.dump:
		t.console.text(dump(line.payload))
	}
}

// printError writes what Reverb's console logger writes: a red block, then the text of the error as a line of its own.
func (t *trace) printError(socketID string, err error) {
	kind := "an unknown error"
	var visible *protocol.Error
	if errors.As(err, &visible) {
		kind = "a pusher error"
	}
	block := " [ERROR] Message from " + printable(socketID) + " resulted in " + kind + " "
	t.console.text("\n" + t.console.styles.fail.Sprint(block) + "\n\n")
	t.console.detail(err.Error(), "")
}

func (t *trace) tellDropped() {
	if n := t.dropped.Swap(0); n > 0 {
		t.console.warn(strconv.FormatUint(n, 10) + " lines were not shown, because the terminal was too slow")
	}
}
