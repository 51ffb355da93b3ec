package server_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/server"
	"reverb/transport"
)

// withCrowdedChannel runs body on a node whose channel "room" has one client, which is behind, and room for nothing
// more.
func withCrowdedChannel(t *testing.T, change func(*config.App), body func(t *testing.T, n *node, slow *client, fill func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNodeWith(t, configured(appWith(change)), nil, channels.Options{PendingBytes: 20_000, Pace: server.PaceOf})
		defer n.stop()
		slow := n.connect()
		slow.join("room", "")
		slow.conn.SetPace(transport.Behind)
		fill := func() {
			for n.Room(n.App("1"), []string{"room"}) {
				if err := n.Publish(t.Context(), n.App("1"), publication("fill", "room")); err != nil {
					t.Fatal(err)
				}
			}
		}
		fill()
		body(t, n, slow, fill)
	})
}

func publication(event string, names ...string) server.Publication {
	return server.Publication{Event: event, Data: strings.Repeat("x", 1000), Channels: names}
}

// A publisher that outruns everybody in a channel waits, the other channels of its event have it at once, and it is
// refused only when there was no room for two seconds.
func TestPublisherWaitsForRoom(t *testing.T) {
	withCrowdedChannel(t, nil, func(t *testing.T, n *node, slow *client, fill func()) {
		other := n.connect()
		other.join("other", "")
		begun := time.Now()
		answer := make(chan error)
		publish := func() { answer <- n.Publish(t.Context(), n.App("1"), publication("waits", "room", "other")) }
		go publish()
		synctest.Wait()
		if got := fmt.Sprint(other.got()); !strings.Contains(got, "waits") {
			t.Errorf("the other channel got %s before the answer", got)
		}
		if err := <-answer; !errors.Is(err, channels.ErrBacklog) || time.Since(begun) != 2*time.Second {
			t.Errorf("answered %v after %v, want %v after 2s", err, time.Since(begun), channels.ErrBacklog)
		}
		if got := n.metric(`reverb_messages_dropped_total{reason="backlog"}`); got != "1" {
			t.Errorf("%s dropped, want 1", got)
		}
		go publish()
		time.Sleep(time.Second)
		slow.conn.SetPace(transport.KeepsUp)
		if err := <-answer; err != nil {
			t.Errorf("answered %v though there was room in time", err)
		}
		time.Sleep(time.Second)
		if got := fmt.Sprint(slow.got()); strings.Count(got, "waits") != 1 {
			t.Errorf("the slow client got %d events that had to wait, want 1", strings.Count(got, "waits"))
		}
	})
}

// A publisher that cannot wait is not made to, and a client that whispers is told at once.
func TestNoRoomForClientEvents(t *testing.T) {
	withCrowdedChannel(t, nil, func(t *testing.T, n *node, slow *client, fill func()) {
		begun := time.Now()
		p := publication("now", "room")
		p.AtOnce = true
		if err := n.Publish(t.Context(), n.App("1"), p); err != nil {
			t.Error(err)
		}
		c := n.connect()
		c.join("room", "")
		fill()
		c.say(`{"event":"client-x","channel":"room","data":"{}"}`)
		c.expect(string(protocol.ErrorMessage(protocol.ErrOverCapacity, false).JSON()))
		if took := time.Since(begun); took != 0 {
			t.Errorf("waited %v", took)
		}
	})
}

// Under Pusher's rules the error names the channel, as that of every other client event that is refused.
func TestNoRoomNamesTheChannel(t *testing.T) {
	pusherErrors := func(a *config.App) { a.Rules.ErrorObject = true }
	withCrowdedChannel(t, pusherErrors, func(t *testing.T, n *node, slow *client, fill func()) {
		c := n.connect()
		c.join("room", "")
		fill()
		c.say(`{"event":"client-x","channel":"room","data":"{}"}`)
		c.expect(string(protocol.EventErrorMessage(protocol.ErrOverCapacity, "room").JSON()))
	})
}
