package sdk_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/pusher/pusher-http-go/v5"
)

// message is one of the protocol.
type message struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
}

// browser is a client of the WebSocket side.
type browser struct {
	t        *testing.T
	conn     net.Conn
	read     io.ReadWriter // conn behind what came with the handshake
	socketID string
}

func connect(t *testing.T, addr string) *browser {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, early, _, err := ws.Dial(ctx, "ws://"+addr+"/app/"+key+"?protocol=7")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	b := &browser{t: t, conn: conn, read: conn}
	if early != nil {
		b.read = struct {
			io.Reader
			io.Writer
		}{early, conn}
	}
	var text string
	if err := json.Unmarshal(b.next().Data, &text); err != nil {
		t.Fatal(err)
	}
	var established struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal([]byte(text), &established); err != nil {
		t.Fatal(err)
	}
	b.socketID = established.SocketID
	return b
}

// next is the next message; the test ends when none comes.
func (b *browser) next() message {
	b.t.Helper()
	if err := b.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		b.t.Fatal(err)
	}
	text, err := wsutil.ReadServerText(b.read)
	if err != nil {
		b.t.Fatalf("read: %v", err)
	}
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		b.t.Fatalf("%s: %v", text, err)
	}
	return m
}

// join subscribes with what the library signs, as a site's endpoint answers.
func (b *browser) join(client *pusher.Client, channel, userID string) {
	b.t.Helper()
	auth := struct {
		Channel     string `json:"channel"`
		Auth        string `json:"auth,omitempty"`
		ChannelData string `json:"channel_data,omitempty"`
	}{Channel: channel}
	params := []byte("socket_id=" + b.socketID + "&channel_name=" + channel)
	var signed []byte
	var err error
	switch {
	case strings.HasPrefix(channel, "presence-"):
		signed, err = client.AuthorizePresenceChannel(params, pusher.MemberData{UserID: userID, UserInfo: map[string]string{"name": "A"}})
	case strings.HasPrefix(channel, "private-"):
		signed, err = client.AuthorizePrivateChannel(params)
	default:
		signed = []byte("{}")
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal(signed, &auth); err != nil {
		b.t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": auth})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := wsutil.WriteClientText(b.conn, text); err != nil {
		b.t.Fatal(err)
	}
	if m := b.next(); m.Event != "pusher_internal:subscription_succeeded" {
		b.t.Fatalf("join %s: %s %s", channel, m.Event, m.Data)
	}
}
