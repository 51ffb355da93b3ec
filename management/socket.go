package management

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"reverb/internal/listener"
	"reverb/node/handover"
)

const (
	maxCommand   = 128 // the longest command in the protocol of lines, bytes
	maxFirstLine = 8 << 10
	maxCalls     = 64 // connections that are open at once; the next one waits
	idleTimeout  = 10 * time.Second
)

// SocketOptions say what a Socket is made of. All must be set but Path.
type SocketOptions struct {
	Sockets      *handover.Sockets
	Path         string // "" = the default place
	Environ      []string
	Port         int // of the server: a part of the name at the default place
	Orders       *Orders
	Surface      *Surface
	Log          *slog.Logger
	AcceptFailed func() // counts
}

// Socket is the server's side of the control socket. A nil Socket is one that could not be made: no order ever comes.
// Its methods belong to the goroutine that runs the node.
type Socket struct {
	// Constant after Open.
	unix      *net.UnixListener
	listener  net.Listener // accepts from unix, also after the system lacked something
	orders    *Orders
	http      *http.Server
	handed    handed // connections that speak HTTP
	log       *slog.Logger
	activated bool // the socket is the service manager's
	private   bool // the socket is for the server's own user, and root
	places    chan struct{}
	closing   chan struct{} // closed by EndListening
	close     sync.Once

	accepting sync.WaitGroup
	calls     sync.WaitGroup

	mu sync.Mutex
	// Guarded by mu.
	silent   map[net.Conn]struct{} // those that have not said yet what they want
	finished bool
}

// Open opens the socket. One that was asked for must be; without the one at the default place a server runs all the
// same, and the log says once what is missing.
func Open(o SocketOptions) (*Socket, error) {
	ln, err := listen(o.Sockets, o.Path, o.Environ, o.Port)
	if err != nil && o.Path != "" {
		return nil, fmt.Errorf("make server.control_socket = %q: %s", o.Path, listener.Reason(err))
	}
	if err != nil {
		o.Log.Warn("no control socket: `reverb restart` will not reach this server, signals do", "err", err)
		return nil, nil //nolint:nilnil // a missing socket is no special case, see Socket
	}
	activated := o.Sockets.Activated(handover.Control)
	s := &Socket{
		unix: ln, listener: listener.Patient(ln, o.Log, o.AcceptFailed), orders: o.Orders, log: o.Log,
		handed:    handed{conns: make(chan net.Conn), closed: make(chan struct{}), address: ln.Addr()},
		activated: activated, private: o.Path == "" && !activated,
		places: make(chan struct{}, maxCalls), closing: make(chan struct{}), silent: make(map[net.Conn]struct{}),
	}
	s.http = &http.Server{
		Handler:           o.Surface.Handler(),
		ReadHeaderTimeout: callTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if call, ok := c.(*httpCall); ok {
				return withOperator(ctx, &operator{owner: call.owner})
			}
			return ctx
		},
	}
	s.calls.Go(func() { _ = s.http.Serve(&s.handed) }) // ends with Finish
	s.accepting.Go(s.accept)
	return s, nil
}

// accept takes callers. Only users of this machine that may open the socket get here.
func (s *Socket) accept() {
	for {
		select {
		case s.places <- struct{}{}:
		case <-s.closing:
			return
		}
		conn, err := s.listener.Accept()
		if err != nil {
			return // EndListening
		}
		s.calls.Go(func() { defer func() { <-s.places }(); s.serve(conn) })
	}
}

// serve reads the order of a caller, which has to come within callTimeout. The first line tells the protocol.
func (s *Socket) serve(conn net.Conn) {
	uid, err := peerUID(conn)
	owner := err == nil && ours().user(uid)
	if err := ours().peer(conn, ""); s.private && err != nil {
		c := newCaller(inLines{conn})
		c.Refuse(err.Error())
		_ = conn.Close()
		return
	}
	in := bufio.NewReaderSize(conn, maxFirstLine)
	_ = conn.SetDeadline(time.Now().Add(callTimeout))
	if !s.hear(conn) {
		_ = conn.Close()
		return
	}
	line, err := in.ReadSlice('\n')
	s.heard(conn)
	text := strings.TrimSpace(string(line))
	switch {
	case err == nil && (strings.HasSuffix(text, " HTTP/1.1") || strings.HasSuffix(text, " HTTP/1.0")):
		_ = conn.SetDeadline(time.Time{})
		call := &httpCall{Conn: conn, owner: owner, in: io.MultiReader(bytes.NewReader(bytes.Clone(line)), in), closed: make(chan struct{})}
		if s.handed.hand(call) {
			<-call.closed
			return
		}
	case err == nil && len(line) <= maxCommand:
		s.answerLine(conn, text)
	}
	_ = conn.Close() // also a caller that only looks whether a server listens
}

// answerLine carries out a command of the protocol of lines.
func (s *Socket) answerLine(conn net.Conn, text string) {
	_ = conn.SetDeadline(time.Time{})
	c := newCaller(inLines{conn})
	command, parameter, _ := strings.Cut(text, " ")
	switch command {
	case "restart":
		s.orders.askRestart(c)
	case "handover":
		s.orders.askHandover(c, parameter)
	case "reload":
		s.orders.askReload(c)
	case "client":
		s.orders.askClient(c, parameter)
	default:
		c.Refuse(unknown)
	}
	<-c.ended
}

// hear notes a caller that is still silent; false: the socket has come to its end.
func (s *Socket) hear(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.finished {
		s.silent[conn] = struct{}{}
	}
	return !s.finished
}

func (s *Socket) heard(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.silent, conn)
}

// StopListening removes the socket, before the port becomes free for a next server that makes its own. It may be called
// twice.
func (s *Socket) StopListening() { s.EndListening(true) }

// EndListening leaves the socket to the next process unless it is removed.
func (s *Socket) EndListening(remove bool) {
	if s == nil {
		return
	}
	s.unix.SetUnlinkOnClose(remove && !s.activated)
	s.close.Do(func() { close(s.closing) })
	_ = s.listener.Close()
	s.accepting.Wait()
}

// Finish tells the callers that everything has stopped, and ends the connections that are left. It follows
// EndListening.
func (s *Socket) Finish() {
	if s == nil {
		return
	}
	s.orders.Finish()
	s.mu.Lock()
	s.finished = true
	for conn := range s.silent {
		_ = conn.Close()
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
	}
	s.calls.Wait()
}
