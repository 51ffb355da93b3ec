package management

import (
	"strconv"
	"strings"
)

// Kind is what an Event tells.
type Kind string

// The kinds of events. After each of the last four nothing more comes.
const (
	Accepted     Kind = "accepted"      // the server that answers: Address, PID
	Starting     Kind = "starting"      // the next process is not ready yet
	Started      Kind = "started"       // it serves: PID
	Draining     Kind = "draining"      // Connections are left
	AppChanged   Kind = "app"           // App, Text
	NeedsRestart Kind = "needs_restart" // Text
	Stopped      Kind = "stopped"
	Reloaded     Kind = "reloaded"
	Client       Kind = "client" // Address
	Failed       Kind = "error"  // Text; a reload may fail for several reasons
)

// Event is one step of the answer to an order, a line of JSON over HTTP.
type Event struct {
	Kind        Kind   `json:"event"`
	Address     string `json:"address,omitempty"`
	PID         int    `json:"pid,omitempty"`
	Connections int    `json:"connections,omitempty"`
	App         string `json:"app,omitempty"`
	Text        string `json:"text,omitempty"`
}

// The words of the protocol of lines. A client sends one command and a server answers
//
//	restart          → "ok ADDRESS PID", then "draining CONNECTIONS" once a second, at the end "stopped", then it closes the connection
//	handover SECONDS → "ok ADDRESS PID", then "starting" once a second, then "started PID" and on as above, or "error TEXT"
//	reload           → "ok ADDRESS PID", then "app ID CHANGE" or "restart KEY" for each change and "reloaded", or "error TEXT" for each fault
//	client SOCKET-ID → "ok ADDRESS:PORT", or "error TEXT"
//	any other        → "error unknown command"
const (
	wordOK      = "ok"
	wordRestart = "restart" // in the answer to reload
	unknown     = "unknown command"
)

// line is the event in the protocol of lines.
func (e *Event) line() string {
	switch e.Kind {
	case Accepted:
		return wordOK + " " + e.Address + " " + strconv.Itoa(e.PID) + "\n"
	case Client:
		return wordOK + " " + e.Address + "\n"
	case Started:
		return string(e.Kind) + " " + strconv.Itoa(e.PID) + "\n"
	case Draining:
		return string(e.Kind) + " " + strconv.Itoa(e.Connections) + "\n"
	case AppChanged:
		return string(e.Kind) + " " + e.App + " " + e.Text + "\n"
	case NeedsRestart:
		return wordRestart + " " + e.Text + "\n"
	case Failed:
		return string(e.Kind) + " " + e.Text + "\n"
	}
	return string(e.Kind) + "\n"
}

// parseLine reads a line. A word that is not known is an error of the server.
func parseLine(line string) Event {
	word, rest, _ := strings.Cut(line, " ")
	first, second, _ := strings.Cut(rest, " ")
	number, _ := strconv.Atoi(first)
	switch kind := Kind(word); {
	case word == wordOK && second == "":
		return Event{Kind: Client, Address: first}
	case word == wordOK:
		pid, _ := strconv.Atoi(second)
		return Event{Kind: Accepted, Address: first, PID: pid}
	case word == wordRestart:
		return Event{Kind: NeedsRestart, Text: rest}
	case kind == Started:
		return Event{Kind: kind, PID: number}
	case kind == Draining:
		return Event{Kind: kind, Connections: number}
	case kind == AppChanged:
		return Event{Kind: kind, App: first, Text: second}
	case kind == Starting, kind == Stopped, kind == Reloaded:
		return Event{Kind: kind}
	}
	return Event{Kind: Failed, Text: rest}
}
