package management

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Order is what a command asks of a server, in both protocols.
type Order struct {
	method, path string
	line         string
}

// The orders.
var (
	OrderRestart = Order{http.MethodPost, "/api/restart", "restart"}
	OrderReload  = Order{http.MethodPost, "/api/reload", "reload"}
)

// OrderHandover has the next process take over, which may take so many seconds to be ready.
func OrderHandover(seconds int) Order {
	n := strconv.Itoa(seconds)
	return Order{http.MethodPost, "/api/handover?timeout=" + n, "handover " + n}
}

// OrderClient asks from where a client comes.
func OrderClient(socketID string) Order {
	return Order{http.MethodGet, "/api/clients/" + url.PathEscape(socketID), "client " + socketID}
}

// ErrHungUp is the error of a server that ended before its answer did.
var ErrHungUp = errors.New("the server ended without a word")

// maxEvent bounds one event, bytes: why a new server did not start.
const maxEvent = 64 << 10

// Reply is the answer to an order, event by event.
type Reply struct {
	conn  net.Conn
	lines *bufio.Scanner
	json  bool
}

// Running is a server that was found, for one order.
type Running struct {
	at   Target
	conn net.Conn
}

// Dial connects to the server, if it is one that may be believed: an UntrustedError says why not.
func (t Target) Dial() (*Running, error) {
	conn, err := t.dial()
	if err != nil {
		return nil, err
	}
	return &Running{t, conn}, nil
}

// Ask gives the server an order. A context without a deadline bounds the wait for the first event only.
func (r *Running) Ask(ctx context.Context, o Order) (*Reply, error) {
	reply, old, err := askHTTP(ctx, r.conn, o)
	if err == nil && !old {
		return reply, nil
	}
	_ = r.conn.Close()
	if err != nil {
		return nil, err
	}
	if r.conn, err = r.at.dial(); err != nil {
		return nil, err
	}
	if err = send(ctx, r.conn, o.line+"\n"); err != nil {
		_ = r.conn.Close()
		return nil, err
	}
	return newReply(r.conn, r.conn, false), nil
}

// askHTTP asks by HTTP. A server of before knows no HTTP: it takes the request for a command of the protocol of lines,
// and not for one of its own.
func askHTTP(ctx context.Context, conn net.Conn, o Order) (reply *Reply, old bool, err error) {
	if err := send(ctx, conn, o.method+" "+o.path+" HTTP/1.1\r\nHost: reverb\r\n\r\n"); err != nil {
		return nil, false, err
	}
	in := bufio.NewReader(conn)
	head, err := in.Peek(len("HTTP/"))
	if err != nil {
		return nil, false, hungUp(err)
	}
	if string(head) == "HTTP/" {
		answer, err := http.ReadResponse(in, nil) //nolint:bodyclose // the end of the connection is that of the body, see Reply.Close
		if err != nil {
			return nil, false, hungUp(err)
		}
		if answer.StatusCode != http.StatusOK {
			return nil, false, refusal(answer)
		}
		return newReply(conn, answer.Body, true), false, nil
	}
	reply = newReply(conn, in, false)
	line, err := in.Peek(min(in.Buffered(), len(unknownLine)))
	return reply, err == nil && string(line) == unknownLine, nil
}

// unknownLine is the answer of a server of before to a request of HTTP.
const unknownLine = "error " + unknown + "\n"

func send(ctx context.Context, conn net.Conn, text string) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(answerTimeout)
	}
	_ = conn.SetDeadline(deadline)
	if _, err := io.WriteString(conn, text); err != nil {
		return fmt.Errorf("ask server: %w", err)
	}
	return nil
}

// answerTimeout bounds the wait for the first event when the context has no deadline.
const answerTimeout = 30 * time.Second

func newReply(conn net.Conn, in io.Reader, isJSON bool) *Reply {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxEvent)
	return &Reply{conn: conn, lines: lines, json: isJSON}
}

// Next waits for the next event until a time.
func (r *Reply) Next(until time.Time) (Event, error) {
	_ = r.conn.SetReadDeadline(until)
	if !r.lines.Scan() {
		if err := r.lines.Err(); err != nil {
			return Event{}, hungUp(err)
		}
		return Event{}, ErrHungUp
	}
	if !r.json {
		return parseLine(r.lines.Text()), nil
	}
	var e Event
	if err := json.Unmarshal(r.lines.Bytes(), &e); err != nil {
		return Event{}, fmt.Errorf("read answer: %w", err)
	}
	return e, nil
}

// Close ends the conversation, whether the server has said all or not.
func (r *Reply) Close() { _ = r.conn.Close() }

// hungUp says why an answer ended early.
func hungUp(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		return ErrHungUp
	}
	return fmt.Errorf("read answer: %w", err)
}

// refusal is the error that a server answers with.
func refusal(answer *http.Response) error {
	var body struct{ Error string }
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxEvent)).Decode(&body); err != nil || body.Error == "" {
		return errors.New("the server answers " + strings.ToLower(answer.Status))
	}
	return errors.New(body.Error)
}
