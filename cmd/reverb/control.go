package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// The control socket speaks lines. The client sends one command; a server answers
//
//	restart   → "ok ADDRESS PID", then "draining CONNECTIONS" once a second, at the end "stopped", then it closes the connection
//	any other → "error TEXT"
const (
	commandRestart = "restart"
	answerOK       = "ok"
	answerDraining = "draining"
	answerStopped  = "stopped"
	answerError    = "error"
)

const (
	controlLine     = 128             // the longest line, in bytes
	controlTimeout  = 2 * time.Second // for a command to arrive, and for an answer to be taken
	controlProgress = time.Second     // between two lines of progress
	controlWaiting  = 16              // clients that are told of one stop
)

// control is the server's side of the control socket. A nil control is one that could not be made: nobody ever asks it. Its methods
// belong to the goroutine that runs the node, apart from what its own accept loop does.
type control struct {
	// Constant after startControl.
	listener net.Listener
	address  string // of the server, for the answer
	log      *slog.Logger
	asked    chan struct{} // closed by the first restart

	mu       sync.Mutex
	waiting  []net.Conn // clients that want to know how the stop goes
	accepted sync.WaitGroup
}

// startControl opens the socket. A server that cannot have one runs all the same, and says once what is missing.
func startControl(path string, environ []string, port int, address string, log *slog.Logger) *control {
	ln, err := listenControl(path, environ, port)
	if err != nil {
		log.Warn("no control socket: `reverb restart` will not reach this server, signals do", "err", err)
		return nil
	}
	c := &control{listener: ln, address: address, log: log, asked: make(chan struct{})}
	c.accepted.Go(c.accept)
	return c
}

// requested is closed when a restart was asked for.
func (c *control) requested() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.asked
}

// accept serves one client after the other: each has controlTimeout to say its one line, and only users of this machine who may open
// the socket get here.
func (c *control) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return // stopListening; any other error leaves signals to stop the server
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
	if command := strings.TrimSpace(string(line)); command != commandRestart {
		_, _ = fmt.Fprintf(conn, "%s unknown command\n", answerError)
		_ = conn.Close()
		return
	}
	_, _ = fmt.Fprintf(conn, "%s %s %d\n", answerOK, c.address, os.Getpid())
	c.keep(conn)
}

// keep remembers a client of restart until finish, and asks for the stop.
func (c *control) keep(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == controlWaiting {
		_ = conn.Close()
		return
	}
	c.waiting = append(c.waiting, conn)
	if len(c.waiting) == 1 {
		c.log.Info("restart requested")
		close(c.asked)
	}
}

// stopListening removes the socket, before the port becomes free for a next server that makes its own. May be called twice.
func (c *control) stopListening() {
	if c == nil {
		return
	}
	_ = c.listener.Close()
	c.accepted.Wait()
}

// tellProgress tells those who wait how many connections are left, until ctx ends.
func (c *control) tellProgress(ctx context.Context, connections func() int64) {
	if c == nil {
		return
	}
	tick := time.NewTicker(controlProgress)
	defer tick.Stop()
	for {
		c.tell(fmt.Sprintf("%s %d\n", answerDraining, connections()))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tell writes one line to all who wait. Errors are theirs: a client that left need not be told.
func (c *control) tell(line string) {
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
