package cluster_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/protocol"
	"reverb/scaling"
)

// A user whose client was told that it is in is among the users on every node, also where the news of it is still on its way.
func TestUsersWaitForTheRoster(t *testing.T) {
	const channel = "presence-den"
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	a.subscribe(channel)
	b.subscribe(channel)
	gate := make(chan struct{})
	a.mu.Lock()
	a.gate = gate
	a.mu.Unlock()
	b.publish(channel, "in front of the news")

	data, err := protocol.ParseMemberData(`{"user_id":7}`)
	if err != nil {
		t.Fatal(err)
	}
	joined := make(chan error, 1)
	b.relay.Join(scaling.Join{App: "app", Channel: channel, Kind: protocol.KindOf(channel), Member: &data}, func(err error) { joined <- err })
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	answers := make(chan scaling.Answer, 1)
	go func() {
		answers <- a.relay.Query(context.Background(), scaling.Query{Of: scaling.QueryUsers, App: "app", Channel: channel})
	}()
	select {
	case answer := <-answers:
		close(gate)
		t.Fatalf("answered %+v before the roster was there", answer)
	case <-time.After(50 * time.Millisecond):
	}
	close(gate)
	answer := <-answers
	known := slices.ContainsFunc(answer.Channels, func(c scaling.ChannelInfo) bool { return c.Name == channel && c.Users == 1 })
	if !known || answer.Partial() {
		t.Errorf("answered %+v", answer)
	}
}
