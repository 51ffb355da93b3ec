package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"reverb/channels"
	"reverb/config"
	"reverb/outbound"
	"reverb/scaling"
	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

// brokenRelay fails for the channels that it names.
type brokenRelay struct {
	slowRelay
	fail      map[string]error
	published []string
}

func (r *brokenRelay) Publish(m scaling.Message) error {
	r.published = append(r.published, m.Channel)
	return r.fail[m.Channel]
}

func TestPublishFails(t *testing.T) {
	lost := errors.New("no connection")
	relay := &brokenRelay{fail: map[string]error{"full": channels.ErrBacklog, "lost": lost}}
	relay.atOnce = true
	n := newScaled(t, relay, nil) // others may be subscribed, so everything is published
	defer n.stop()

	p := server.Publication{Event: "e", Data: "d", Channels: []string{"a", "full", "lost", "b"}}
	if err := n.Publish(context.Background(), n.App("1"), p); !errors.Is(err, channels.ErrBacklog) {
		t.Errorf("got %v, want the first failure", err)
	}
	if got := strings.Join(relay.published, " "); got != "a full lost b" {
		t.Errorf("published to %q: one channel's failure must not keep the event from others", got)
	}
	for _, reason := range []string{"backlog", "relay"} {
		if got := n.metric(`reverb_messages_dropped_total{reason="` + reason + `"}`); got != "1" {
			t.Errorf("dropped for %s: %q, want 1", reason, got)
		}
	}
	if err := n.Publish(context.Background(), config.NewApp("9", "", ""), p); err == nil {
		t.Error("published for an unknown app")
	}

	conn := new(transporttest.Conn)
	s := n.Open(conn, &transport.Request{Path: "/app/key"})
	s.Message([]byte(`{"event":"pusher:subscribe","data":{"channel":"full"}}`), false)
	s.Message([]byte(`{"event":"client-a","channel":"full","data":{}}`), false)
	got, want := conn.Take(), pusherError(4100, "Server is over capacity")
	if got[len(got)-1] != want {
		t.Errorf("client event: got %s, want %s", got, want)
	}
	s.Closed(transport.ReasonHangup)
}

// What a relay brings for channels that nobody here has, and for apps that are not here, goes nowhere.
func TestDeliverToNobody(t *testing.T) {
	scaled(t, nil, func(t *testing.T, n *node, _ *slowRelay) {
		if err := n.Deliver(scaling.Message{App: "1", Channel: "cache-nobody", Payload: outbound.New("{}"), Cache: true}); err != nil {
			t.Error(err)
		}
		if err := n.Deliver(scaling.Message{App: "9", Channel: "room", Payload: outbound.New("{}")}); err != nil {
			t.Error(err)
		}
		n.Terminate("9", "1")
		if got := n.hub.Stats().Channels; got != 0 {
			t.Errorf("%d channels", got)
		}
		if count, _ := n.ConnectionCount(context.Background(), config.NewApp("9", "", "")); n.App("9") != nil || count != 0 {
			t.Error("app 9 is not here")
		}
	})
}
