package doctor

import (
	"context"
	"crypto/rand"
	"crypto/sha1" // the WebSocket handshake has it (RFC 6455 4.2.2)
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gobwas/ws"
)

// maxMessage is the longest message that is read, bytes.
const maxMessage = 1 << 20

// socket is a WebSocket connection as pusher-js makes it.
type socket struct {
	line *line
	id   string // socket id
}

func (s *socket) close() { _ = s.line.Close() }

// event is a message of the server.
type event struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
}

// data decodes the data of an event into v, whether it is JSON or a text that holds JSON.
func (ev event) data(v any) error {
	var text string
	if json.Unmarshal(ev.Data, &text) == nil {
		return json.Unmarshal([]byte(text), v)
	}
	return json.Unmarshal(ev.Data, v)
}

// refusal is a pusher:error.
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return fmt.Sprintf("%d, %s", r.Code, short(r.Message)) }

// hangUpError is the end of a connection; Code 0 is TCP's alone.
type hangUpError struct {
	Code   int
	Reason string
}

func (h *hangUpError) Error() string {
	if h.Code == 0 {
		return "the connection was cut without a close frame"
	}
	return fmt.Sprintf("closed with %d %s", h.Code, short(h.Reason))
}

// upgrade asks for a WebSocket. With status 101 the socket is open.
func (e *examination) upgrade(ctx context.Context, t target, key string, from *net.TCPAddr) (*socket, answer, error) {
	l, err := e.open(ctx, t, from)
	if err != nil {
		return nil, answer{}, err
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	challenge := base64.StdEncoding.EncodeToString(nonce)
	a, err := l.exchange(e.probes.Now, http.MethodGet, t.authority(), t.prefix+"/app/"+key+"?protocol=7&client=reverb-doctor&version=1&flash=false", []string{
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + challenge, "Origin: " + e.origin(t),
	}, "")
	if err == nil && a.status == http.StatusSwitchingProtocols && a.header.Get("Sec-WebSocket-Accept") != accept(challenge) {
		err = errAccept
	}
	if err != nil || a.status != http.StatusSwitchingProtocols {
		_ = l.Close()
		return nil, a, err
	}
	_ = l.SetDeadline(time.Time{})
	return &socket{line: l}, a, nil
}

var errAccept = errors.New("the answer to the upgrade is not one to our question: something in between keeps answers")

// origin is the page that the browser would have loaded.
func (e *examination) origin(t target) string {
	for _, page := range []string{e.o.Origin, e.variable("APP_URL")} {
		if u, err := url.Parse(page); err == nil && u.Scheme != "" && u.Hostname() != "" {
			return u.Scheme + "://" + u.Host
		}
	}
	return t.scheme() + "://" + t.authority()
}

func accept(challenge string) string {
	sum := sha1.Sum([]byte(challenge + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// greet reads the first message: connection_established, or why not.
func (s *socket) greet(ctx context.Context) error {
	ev, err := s.read(ctx)
	if err != nil {
		return err
	}
	if ev.Event != "pusher:connection_established" {
		return fmt.Errorf("the first message is %q: it is no Pusher server", short(ev.Event))
	}
	var d struct {
		SocketID string `json:"socket_id"`
	}
	if err := ev.data(&d); err != nil || d.SocketID == "" {
		return errors.New("the first message has no socket_id")
	}
	s.id = d.SocketID
	return nil
}

// read returns the next event; an error of the server is a *refusal, the end of the connection a *hangUpError. Pings of
// both kinds are not answered when their frames are asked for.
func (s *socket) read(ctx context.Context) (event, error) {
	for {
		op, payload, err := s.frame(ctx)
		if err != nil {
			return event{}, err
		}
		if op != ws.OpText {
			continue
		}
		var ev event
		if err := json.Unmarshal(payload, &ev); err != nil {
			return event{}, errors.New("a message is not JSON")
		}
		if ev.Event == "pusher:error" {
			r := &refusal{}
			if err := ev.data(r); err != nil {
				return event{}, errors.New("an error of the server cannot be read")
			}
			return event{}, r
		}
		return ev, nil
	}
}

// frame reads one whole frame.
func (s *socket) frame(ctx context.Context) (ws.OpCode, []byte, error) {
	deadline, _ := ctx.Deadline()
	_ = s.line.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = s.line.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	h, err := ws.ReadHeader(s.line.in)
	if err == nil && (h.Length > maxMessage || h.Masked || !h.Fin) {
		return 0, nil, errors.New("a frame is none that a Pusher server sends")
	}
	var payload []byte
	if err == nil {
		payload = make([]byte, h.Length)
		_, err = io.ReadFull(s.line.in, payload)
	}
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return 0, nil, err
		}
		return 0, nil, &hangUpError{}
	}
	if h.OpCode == ws.OpClose {
		code, text := ws.ParseCloseFrameData(payload)
		return 0, nil, &hangUpError{Code: int(code), Reason: text}
	}
	return h.OpCode, payload, nil
}

// send writes one text message.
func (s *socket) send(text string) error {
	if err := ws.WriteFrame(s.line, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text)))); err != nil {
		return &hangUpError{}
	}
	return nil
}

// leave closes politely, so that the server counts no broken connection.
func (s *socket) leave() {
	_ = ws.WriteFrame(s.line, ws.MaskFrameInPlace(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))))
	s.close()
}
