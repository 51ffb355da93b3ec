package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/protocol"
	"reverb/scaling"
)

// ask asks all nodes, and expects an answer before the time is up.
func (n *peer) ask(q scaling.Query) scaling.Answer {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	a := n.relay.Query(ctx, q)
	if ctx.Err() != nil {
		n.t.Errorf("no answer within %v", soon)
	}
	return a
}

// silence is how long a question waits for nodes that do not answer, where one of them does not: long enough for the others.
const silence = 3 * time.Second

func TestQueryMerges(t *testing.T) {
	s := redistest.Start(t)
	a, b, c := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	a.subscribe("room")
	b.subscribe("room")
	b.subscribe("room")
	c.subscribe("cache-room")
	a.publish("cache-room", "event")
	c.remembers("event")
	answer := a.ask(scaling.Query{Of: scaling.QueryChannels, App: "app"})
	if answer.Partial() || answer.Nodes != 3 || answer.Connections != 9 {
		t.Errorf("answer %+v", answer)
	}
	var got []string
	for _, info := range answer.Channels {
		got = append(got, fmt.Sprintf("%s %d %s", info.Name, info.Subscriptions, info.Cache))
	}
	if want := []string{"cache-room 1 event", "room 3 "}; !slices.Equal(got, want) {
		t.Errorf("channels %q, want %q", got, want)
	}
}

func TestQueryMergesUsers(t *testing.T) {
	s := redistest.Start(t)
	a, b := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	knows := func(n *peer, users ...string) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.answering = func(q scaling.Query) (a scaling.Answer) {
			if q.Of != scaling.QueryUsers || q.App != "app" || q.Channel != "presence-room" {
				t.Errorf("asked %+v", q)
			}
			for _, u := range users {
				a.Users = append(a.Users, protocol.RosterMember{ID: u, IDRaw: []byte(u)})
			}
			return a
		}
	}
	knows(a, "1", "2")
	knows(b, "2", "3")
	answer := a.ask(scaling.Query{Of: scaling.QueryUsers, App: "app", Channel: "presence-room"})
	var got []string
	for _, u := range answer.Users {
		got = append(got, u.ID+string(u.IDRaw))
	}
	if want := []string{"11", "22", "33"}; !slices.Equal(got, want) || answer.Partial() {
		t.Errorf("users %q of %d nodes, want %q", got, answer.Nodes, want)
	}
}

// TestQueryOfAStoppedNode: it is waited for once, then not any more until it answers again.
func TestQueryOfAStoppedNode(t *testing.T) {
	s := redistest.Start(t)
	o := peerOptions(s)
	o.QueryTimeout = silence
	o.Lease = time.Minute
	a, b, c := startPeer(t, o), startPeer(t, o), startPeer(t, o)
	await(t, "all know each other", func() bool { return a.relay.Status().Nodes == 3 })
	goOn := make(chan struct{})
	b.mu.Lock()
	b.answering = func(scaling.Query) scaling.Answer { <-goOn; return scaling.Answer{Connections: 100} }
	b.mu.Unlock()
	q := scaling.Query{Of: scaling.QueryConnections, App: "app"}
	for i := range 2 {
		begun := time.Now()
		answer := a.ask(q)
		if took := time.Since(begun); i == 0 && took < silence || i > 0 && took >= silence {
			t.Errorf("question %d took %v", i, took)
		}
		if !answer.Partial() || answer.Nodes != 3 || answer.Answered != 2 || answer.Connections != 6 {
			t.Errorf("question %d: answer %+v", i, answer)
		}
	}
	if a.relay.Counts().Partial != 2 {
		t.Errorf("counted %+v", a.relay.Counts())
	}
	close(goOn)
	await(t, "b is asked again", func() bool {
		x, y := a.ask(q), c.ask(q)
		return !x.Partial() && !y.Partial() && x.Connections == 106
	})
}

// TestQueryOfAForeignSubscriber: somebody who listens in and never answers is waited for once.
func TestQueryOfAForeignSubscriber(t *testing.T) {
	s := redistest.Start(t)
	o := peerOptions(s)
	o.QueryTimeout = silence
	a, _ := startPeer(t, o), startPeer(t, o)
	await(t, "both know each other", func() bool { return a.relay.Status().Nodes == 2 })
	listen(t, s, "reverb:{all}")
	q := scaling.Query{Of: scaling.QueryConnections, App: "app"}
	a.ask(q)
	begun := time.Now()
	answer := a.ask(q)
	if took := time.Since(begun); took >= silence || answer.Partial() || answer.Connections != 6 {
		t.Errorf("after %v: %+v", took, answer)
	}
}

func TestQueryWithoutRedis(t *testing.T) {
	s := redistest.Start(t)
	a, _ := startPeer(t, peerOptions(s)), startPeer(t, peerOptions(s))
	s.Kill()
	await(t, "down", func() bool { return !a.relay.Status().Up })
	answer := a.ask(scaling.Query{Of: scaling.QueryConnections, App: "app"}) // waits for nobody
	if !answer.Partial() || answer.Connections != 3 {
		t.Errorf("answer %+v", answer)
	}
}

func TestManyQueriesAtOnce(t *testing.T) {
	s := redistest.Start(t)
	o := peerOptions(s)
	o.QueryTimeout = 10 * time.Second
	o.Lease = time.Minute
	a, b := startPeer(t, o), startPeer(t, o)
	await(t, "both know each other", func() bool { return a.relay.Status().Nodes == 2 && b.relay.Status().Nodes == 2 })
	var askers sync.WaitGroup
	for range 8 {
		askers.Go(func() {
			for range 25 {
				if x := a.relay.Query(context.Background(), scaling.Query{Of: scaling.QueryConnections, App: "app"}); x.Connections != 6 || x.Partial() {
					t.Errorf("answer %+v", x)
				}
			}
		})
	}
	askers.Wait()
}

func TestQueryOfACallerWhoGoesAway(t *testing.T) {
	s := redistest.Start(t)
	o := peerOptions(s)
	o.QueryTimeout = time.Minute
	a, b := startPeer(t, o), startPeer(t, o)
	goOn := make(chan struct{})
	defer close(goOn)
	b.mu.Lock()
	b.answering = func(scaling.Query) scaling.Answer { <-goOn; return scaling.Answer{} }
	b.mu.Unlock()
	await(t, "a knows b", func() bool { return a.relay.Status().Nodes == 2 })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if answer := a.relay.Query(ctx, scaling.Query{Of: scaling.QueryConnections, App: "app"}); !answer.Partial() {
		t.Errorf("answer %+v", answer)
	}
}
