package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// Channels of the site.
const (
	newsChannel = "private-news"
	roomChannel = "presence-room"
)

// retry is how long a client that was not let in waits, as pusher-js does for codes that ask for it.
const retry = time.Second

// visit is one connection of a client, from its subscriptions to its end.
type visit struct {
	subscribed, ended time.Time // ended is zero while it lasts
	code              int       // of the close frame; 0 is none
	events            []int     // their numbers, in order
}

// client is one browser that always comes back.
type client struct {
	site site
	user int

	mu      sync.Mutex
	visits  []*visit
	removed []time.Time // when it saw a member leave
	added   []time.Time
	failed  int    // attempts that did not end in a connection
	state   string // what it does while it is not connected
}

func (c *client) connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.visits) > 0 && c.visits[len(c.visits)-1].ended.IsZero()
}

func (c *client) say(state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = state
}

func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		if c.visit(ctx) || ctx.Err() != nil {
			continue // sent away with 4200 to 4299: come back at once
		}
		if pause(ctx, retry) != nil {
			return
		}
	}
}

// visit connects and reads until the end. It reports whether the server asked to come back at once.
func (c *client) visit(ctx context.Context) bool {
	d := ws.Dialer{Timeout: 10 * time.Second, TLSConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the script has just made the certificate
	conn, early, _, err := d.Dial(ctx, "wss://"+c.site.address+"/app/"+c.site.key+"?protocol=7&client=js&version=8.4.0&flash=false")
	if err != nil {
		c.mu.Lock()
		c.failed++
		c.state = cause(err)
		c.mu.Unlock()
		return false
	}
	c.say("waits for its subscriptions")
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	in := struct {
		io.Reader
		io.Writer
	}{conn, conn}
	if early != nil {
		in.Reader = early
		defer ws.PutReader(early)
	}
	v := new(visit)
	for {
		payload, err := wsutil.ReadServerText(in)
		if err == nil {
			err = c.message(conn, v, payload)
		}
		if err != nil {
			return c.leave(ctx, v, err)
		}
	}
}

func (c *client) leave(ctx context.Context, v *visit, err error) bool {
	var closed wsutil.ClosedError
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.As(err, &closed) {
		v.code = int(closed.Code)
	}
	v.ended = time.Now()
	if ctx.Err() == nil {
		c.state = cause(err)
	}
	return v.code >= 4200 && v.code < 4300
}

// cause is err without addresses, so that equal ones can be counted.
func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

// event is a message of the server.
type event struct {
	Event   string
	Channel string
	Data    string
}

func (c *client) message(conn net.Conn, v *visit, payload []byte) error {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	switch e.Event {
	case "pusher:connection_established":
		return c.subscribe(conn, e.Data)
	case "pusher:ping":
		return send(conn, map[string]any{"event": "pusher:pong", "data": map[string]any{}})
	case "pusher:error":
		return fmt.Errorf("refused: %s", e.Data)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e.Event {
	case "pusher_internal:subscription_succeeded":
		if e.Channel == roomChannel { // the last of the two
			v.subscribed = time.Now()
			c.visits = append(c.visits, v)
		}
	case "pusher_internal:member_removed":
		c.removed = append(c.removed, time.Now())
	case "pusher_internal:member_added":
		c.added = append(c.added, time.Now())
	case eventName:
		var d struct{ N int }
		if err := json.Unmarshal([]byte(e.Data), &d); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		v.events = append(v.events, d.N)
	}
	return nil
}

// subscribe does what Laravel Echo does, with the signatures of /broadcasting/auth.
func (c *client) subscribe(conn net.Conn, data string) error {
	var established struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal([]byte(data), &established); err != nil {
		return fmt.Errorf("read connection_established: %w", err)
	}
	member := fmt.Sprintf(`{"user_id":%d,"user_info":{"name":"User %d"}}`, c.user, c.user)
	id := established.SocketID
	for _, data := range []map[string]string{
		{"channel": newsChannel, "auth": c.site.sign(id + ":" + newsChannel)},
		{"channel": roomChannel, "auth": c.site.sign(id + ":" + roomChannel + ":" + member), "channel_data": member},
	} {
		if err := send(conn, map[string]any{"event": "pusher:subscribe", "data": data}); err != nil {
			return err
		}
	}
	return nil
}

func (s site) sign(text string) string {
	mac := hmac.New(sha256.New, []byte(s.secret))
	mac.Write([]byte(text))
	return s.key + ":" + hex.EncodeToString(mac.Sum(nil))
}

func send(conn net.Conn, message any) error {
	b, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	return wsutil.WriteClientText(conn, b)
}
