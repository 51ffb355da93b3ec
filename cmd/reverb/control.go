package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"reverb/internal/listener"
	"reverb/node/handover"
)

// The control socket speaks lines. The client sends one command; a server answers
//
//	restart          → "ok ADDRESS PID", then "draining CONNECTIONS" once a second, at the end "stopped", then it closes the connection
//	handover SECONDS → "ok ADDRESS PID", then "starting" once a second, then "started PID" and on as above, or "error TEXT"
//	reload           → see reload.go
//	client SOCKET-ID → see controlclient.go
//	any other        → "error TEXT"
const (
	commandRestart  = "restart"
	commandHandover = "handover"
	answerOK        = "ok"
	answerStarting  = "starting"
	answerStarted   = "started"
	answerDraining  = "draining"
	answerStopped   = "stopped"
	answerError     = "error"
)

const (
	controlLine    = 128             // the longest command, in bytes
	controlAnswer  = 16 << 10        // the longest answer, in bytes: why a new server did not start
	controlTimeout = 2 * time.Second // for a command to arrive, and for an answer to be taken
	controlWaiting = 16              // clients that are told of one stop
	maxHandover    = 3600            // seconds that a new server may take
)

// control is the server's side of the control socket. A nil control is one that could not be made: nobody ever asks it. Its methods
// belong to the goroutine that runs the node, apart from what its own accept loop does.
type control struct {
	// Constant after startControl.
	socket    *net.UnixListener
	listener  net.Listener // accepts from socket, also after the system lacked something
	address   string       // of the server, for the answer
	log       *slog.Logger
	asked     chan struct{}         // closed by the first restart
	handovers chan *handoverRequest // that wait for the node's goroutine
	reloads   chan net.Conn         // likewise

	activated bool // the socket is the service manager's
	private   bool // the socket is for the server's own user, and root

	clients clientFinder // any goroutine

	mu       sync.Mutex
	waiting  []net.Conn // clients that want to know how the stop goes
	accepted sync.WaitGroup
}

// handoverRequest is a client that wants the next process to take over.
type handoverRequest struct {
	conn    net.Conn
	timeout time.Duration // for the next process to be ready
}

// startControl opens the socket. One that was asked for must be; without the one at the default place a server runs all the same, and says
// once what is missing.
func startControl(sockets *handover.Sockets, path string, environ []string, port int, address string, log *slog.Logger, acceptFailed func()) (*control, error) {
	ln, err := listenControl(sockets, path, environ, port)
	if err != nil && path != "" {
		return nil, fmt.Errorf("make server.control_socket = %q: %s", path, listener.Reason(err))
	}
	if err != nil {
		log.Warn("no control socket: `reverb restart` will not reach this server, signals do", "err", err)
		return nil, nil //nolint:nilnil // a missing control is no special case, see control
	}
	activated := sockets.Activated(handover.Control)
	c := &control{
		socket: ln, listener: listener.Patient(ln, log, acceptFailed), address: address, log: log,
		activated: activated, private: path == "" && !activated,
		asked: make(chan struct{}), handovers: make(chan *handoverRequest), reloads: make(chan net.Conn),
	}
	c.accepted.Go(c.accept)
	return c, nil
}

// requested is closed when a restart was asked for.
func (c *control) requested() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.asked
}

// handoverAsked yields those who want a handover.
func (c *control) handoverAsked() <-chan *handoverRequest {
	if c == nil {
		return nil
	}
	return c.handovers
}

// reloadAsked yields those who want a reload.
func (c *control) reloadAsked() <-chan net.Conn {
	if c == nil {
		return nil
	}
	return c.reloads
}

// accept serves one client after the other: each has controlTimeout to say its one line, and only users of this machine who may open
// the socket get here.
func (c *control) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return // endListening
		}
		if err := ours().peer(conn, ""); c.private && err != nil {
			refuseControl(conn, err.Error())
			continue
		}
		c.answer(conn)
	}
}

func (c *control) answer(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(controlTimeout))
	line, err := bufio.NewReaderSize(conn, controlLine).ReadSlice('\n')
	if err != nil {
		_ = conn.Close() // also those who only look whether anybody listens
		return
	}
	command, parameter, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
	switch command {
	case commandRestart:
		_, _ = fmt.Fprintf(conn, "%s %s %d\n", answerOK, c.address, os.Getpid())
		if c.keep(conn) == 1 {
			c.log.Info("restart requested")
			close(c.asked)
		}
	case commandHandover:
		_, _ = fmt.Fprintf(conn, "%s %s %d\n", answerOK, c.address, os.Getpid())
		c.askHandover(conn, parameter)
	case commandReload:
		select {
		case c.reloads <- conn:
		case <-time.After(controlTimeout):
			refuseControl(conn, "the server is about to end, or to be relieved")
		}
	case commandClient:
		c.clients.answer(conn, parameter)
	default:
		refuseControl(conn, "unknown command")
	}
}

// askHandover gives the client to the node, which is busy only with another handover or with its end.
func (c *control) askHandover(conn net.Conn, parameter string) {
	seconds, err := strconv.Atoi(parameter)
	if err != nil || seconds < 1 || seconds > maxHandover {
		refuseControl(conn, "want the seconds that the new server may take, 1 to "+strconv.Itoa(maxHandover))
		return
	}
	_ = conn.SetDeadline(time.Time{})
	select {
	case c.handovers <- &handoverRequest{conn, time.Duration(seconds) * time.Second}:
	case <-time.After(controlTimeout):
		refuseControl(conn, "the server is about to end, or to be relieved")
	}
}

// refuseControl answers with an error, and that is all.
func refuseControl(conn net.Conn, text string) {
	_ = conn.SetWriteDeadline(time.Now().Add(controlTimeout))
	_, _ = fmt.Fprintf(conn, "%s %s\n", answerError, strings.ReplaceAll(text, "\n", " "))
	_ = conn.Close()
}

// keep remembers a client until finish, to whom it is told how the stop goes, and returns how many there are.
func (c *control) keep(conn net.Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == controlWaiting {
		_ = conn.Close()
		return controlWaiting + 1
	}
	c.waiting = append(c.waiting, conn)
	return len(c.waiting)
}

// stopListening removes the socket, before the port becomes free for a next server that makes its own. May be called twice.
func (c *control) stopListening() { c.endListening(true) }

// endListening leaves the socket to the next process unless it is removed.
func (c *control) endListening(remove bool) {
	if c == nil {
		return
	}
	c.socket.SetUnlinkOnClose(remove && !c.activated)
	_ = c.listener.Close()
	c.accepted.Wait()
}

// tell writes one line to all who wait. Errors are theirs: a client that left need not be told.
func (c *control) tell(line string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	waiting := c.waiting
	c.mu.Unlock()
	for _, conn := range waiting {
		_ = conn.SetWriteDeadline(time.Now().Add(controlTimeout))
		_, _ = conn.Write([]byte(line))
	}
}

// finish is the last word: everything has stopped, the process is about to end.
func (c *control) finish() {
	if c == nil {
		return
	}
	c.tell(answerStopped + "\n")
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.waiting {
		_ = conn.Close()
	}
	c.waiting = nil
}
