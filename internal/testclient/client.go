package testclient

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// readTimeout is how long an expected frame may take.
const readTimeout = 30 * time.Second

// Client is one WebSocket connection of a browser or phone. Its reads fail the test when the server does anything that a strict
// client would not accept: masked, fragmented or compressed frames, text that is not JSON.
type Client struct {
	SocketID string // set by Connect

	t    testing.TB
	conn net.Conn
	in   io.Reader
}

// DialOptions of Dial.
type DialOptions struct {
	Origin string
	Path   string // default /app/KEY?protocol=7&client=js&version=8.6.0&flash=false
	Header http.Header
	Dialer *ws.Dialer // for TLS; nil = plain
	Scheme string     // ws, wss
}

// Dial opens the WebSocket and returns before the first message is read.
func Dial(t testing.TB, addr, key string, o DialOptions) *Client {
	t.Helper()
	header := o.Header
	if header == nil {
		header = http.Header{}
	}
	if o.Origin != "" {
		header.Set("Origin", o.Origin)
	}
	d := ws.Dialer{Timeout: readTimeout}
	if o.Dialer != nil {
		d = *o.Dialer
	}
	d.Header = ws.HandshakeHeaderHTTP(header)
	path := o.Path
	if path == "" {
		path = "/app/" + key + "?protocol=7&client=js&version=8.6.0&flash=false"
	}
	scheme := o.Scheme
	if scheme == "" {
		scheme = "ws"
	}
	conn, buffered, _, err := d.Dial(context.Background(), scheme+"://"+addr+path)
	if err != nil {
		t.Fatalf("dial %s: %v", path, err)
	}
	c := &Client{t: t, conn: conn, in: conn}
	if buffered != nil {
		c.in = buffered
	}
	t.Cleanup(func() { _ = conn.Close() })
	return c
}

// Connect dials and reads pusher:connection_established.
func Connect(t testing.TB, addr, key string) *Client {
	t.Helper()
	c := Dial(t, addr, key, DialOptions{})
	c.Established()
	return c
}

// Established reads the first message and keeps the socket id.
func (c *Client) Established() Established {
	c.t.Helper()
	e := c.Event("pusher:connection_established")
	var text string
	var d Established
	if json.Unmarshal(e.Data, &text) != nil || json.Unmarshal([]byte(text), &d) != nil {
		c.t.Fatalf("connection_established data is not a JSON text: %s", e.Data)
	}
	c.SocketID = d.SocketID
	return d
}

// Established is the data of pusher:connection_established.
type Established struct {
	SocketID        string `json:"socket_id"`
	ActivityTimeout int    `json:"activity_timeout"`
}

// Event is one message of the server.
type Event struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
	UserID  json.RawMessage `json:"user_id"`
}

// CloseError is how the server ended the connection: Code 0 is a TCP close without a close frame.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("closed with %d %q", e.Code, e.Reason) }

// Frame reads one frame of any kind.
func (c *Client) Frame() (ws.OpCode, []byte, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(readTimeout))
	h, err := ws.ReadHeader(c.in)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return 0, nil, fmt.Errorf("nothing came within %v", readTimeout)
		}
		return 0, nil, &CloseError{}
	}
	if h.Masked || h.Rsv != 0 || !h.Fin {
		return 0, nil, fmt.Errorf("frame header no server may send: %+v", h)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		return 0, nil, &CloseError{}
	}
	return h.OpCode, payload, nil
}

// Read returns the next message text; a close is a *CloseError.
func (c *Client) Read() (string, error) {
	for {
		op, payload, err := c.Frame()
		switch {
		case err != nil:
			return "", err
		case op == ws.OpText:
			if !json.Valid(payload) {
				return "", fmt.Errorf("message is not JSON: %q", payload)
			}
			return string(payload), nil
		case op == ws.OpClose:
			code, reason := ws.ParseCloseFrameData(payload)
			return "", &CloseError{Code: int(code), Reason: reason}
		}
	}
}

// Expect reads one message and compares its text byte for byte.
func (c *Client) Expect(want string) {
	c.t.Helper()
	got, err := c.Read()
	if err != nil {
		c.t.Fatalf("got %v, want %s", err, want)
	}
	if got != want {
		c.t.Fatalf("message\n got %s\nwant %s", got, want)
	}
}

// Event reads one message with that event name.
func (c *Client) Event(name string) Event {
	c.t.Helper()
	text, err := c.Read()
	if err != nil {
		c.t.Fatalf("got %v, want %s", err, name)
	}
	var e Event
	if err := json.Unmarshal([]byte(text), &e); err != nil || e.Event != name {
		c.t.Fatalf("got %s, want event %s", text, name)
	}
	return e
}

// ExpectError reads the pusher:error with code and message in Reverb's form.
func (c *Client) ExpectError(code int, message string) {
	c.t.Helper()
	c.Expect(fmt.Sprintf(`{"event":"pusher:error","data":"{\"code\":%d,\"message\":\"%s\"}"}`, code, message))
}

// ExpectClose demands that the connection ends with code (0: no close frame).
func (c *Client) ExpectClose(code int) *CloseError {
	c.t.Helper()
	text, err := c.Read()
	var closed *CloseError
	if !errors.As(err, &closed) {
		c.t.Fatalf("got %s %v, want a close with %d", text, err, code)
	}
	if closed.Code != code {
		c.t.Fatalf("closed with %d %q, want %d", closed.Code, closed.Reason, code)
	}
	return closed
}

// Quiet demands that nothing is on its way: the answer to a ping is the next message.
func (c *Client) Quiet() {
	c.t.Helper()
	c.Send(`{"event":"pusher:ping","data":{}}`)
	c.Expect(`{"event":"pusher:pong"}`)
}

// Send writes one text message.
func (c *Client) Send(text string) {
	c.t.Helper()
	c.SendFrame(ws.NewTextFrame([]byte(text)))
}

// SendFrame masks and writes f.
func (c *Client) SendFrame(f ws.Frame) {
	c.t.Helper()
	if err := ws.WriteFrame(c.conn, ws.MaskFrame(f)); err != nil {
		c.t.Fatalf("write frame: %v", err)
	}
}

// Write sends raw bytes.
func (c *Client) Write(p []byte) error {
	_, err := c.conn.Write(p)
	return err
}

// Close ends the connection without a close frame.
func (c *Client) Close() { _ = c.conn.Close() }

// Auth is the auth string of a channel, as an application's endpoint makes it.
func (c *Client) Auth(secret, channel, channelData string) string {
	text := c.SocketID + ":" + channel
	if channelData != "" {
		text += ":" + channelData
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return "app-key:" + hex.EncodeToString(mac.Sum(nil))
}

// Subscribe sends pusher:subscribe, signed when the channel's name asks for it.
func (c *Client) Subscribe(secret, channel, channelData string) {
	c.t.Helper()
	data := map[string]string{"channel": channel}
	if strings.HasPrefix(channel, "private") || strings.HasPrefix(channel, "presence") {
		data["auth"] = c.Auth(secret, channel, channelData)
	}
	if channelData != "" {
		data["channel_data"] = channelData
	}
	text, err := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": data})
	if err != nil {
		c.t.Fatal(err)
	}
	c.Send(string(text))
}

// Join subscribes and reads subscription_succeeded.
func (c *Client) Join(secret, channel, channelData string) Event {
	c.t.Helper()
	c.Subscribe(secret, channel, channelData)
	return c.Event("pusher_internal:subscription_succeeded")
}
