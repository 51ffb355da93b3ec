package server_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/server"
)

// askedRelay answers for the cluster: this node's answer and that of another, and maybe of one that is silent.
type askedRelay struct {
	slowRelay
	other scaling.Answer
	down  bool
	full  error
}

func (r *askedRelay) Query(_ context.Context, q scaling.Query) scaling.Answer {
	answer := r.node.Answer(q)
	answer.Merge(r.other)
	return answer
}

func (r *askedRelay) Status() scaling.Status { return scaling.Status{Up: !r.down} }

func (r *askedRelay) Publish(m scaling.Message) error {
	return errors.Join(r.slowRelay.Publish(m), r.full)
}

func TestAnswersOfTheCluster(t *testing.T) {
	r := &askedRelay{slowRelay: slowRelay{atOnce: true}}
	n := newScaled(t, r, nil)
	defer n.stop()
	app := n.App("1")
	a, b := n.connectUnwatched(t), n.connectUnwatched(t)
	a.subscribe("room", "")
	a.subscribe(den, joe)
	b.subscribe(den, "")
	defer a.leave()
	defer b.leave()

	r.other = scaling.Answer{
		Connections: 5, Nodes: 2, Answered: 1,
		Channels: []scaling.ChannelInfo{
			{Name: den, Subscriptions: 3, Users: 1, Anonymous: true}, {Name: "presence-far", Subscriptions: 1, Users: 1},
		},
		Users: []protocol.RosterMember{{ID: "1", IDRaw: []byte(`"1"`)}, {ID: "2", IDRaw: []byte(`2`)}},
	}
	if got, reach := n.ConnectionCount(t.Context(), app); got != 7 || reach != (server.Reach{Asked: 3, Answered: 2}) {
		t.Errorf("%d connections, %+v", got, reach)
	}
	wantDen := channels.Info{Name: den, Kind: protocol.KindOf(den), Subscriptions: 5, Users: 2, Anonymous: true}
	wantFar := channels.Info{Name: "presence-far", Kind: protocol.KindOf(den), Subscriptions: 1, Users: 1}
	wantRoom := channels.Info{Name: "room", Kind: protocol.KindOf("room"), Subscriptions: 1}
	if got, _ := n.Channels(t.Context(), app, ""); !reflect.DeepEqual(got, []channels.Info{wantDen, wantFar, wantRoom}) {
		t.Errorf("Channels: %+v", got)
	}
	if got, _ := n.NamedChannels(t.Context(), app, []string{"room", "none", den, "room"}); !reflect.DeepEqual(got, []channels.Info{wantDen, wantFar, wantRoom}) {
		t.Errorf("NamedChannels: %+v", got)
	}
	users, ok, reach := n.Users(t.Context(), app, den)
	if !ok || len(users) != 2 || string(users[0].IDRaw) != "1" || users[1].ID != "2" || !reach.Partial() {
		t.Errorf("Users: %q, %v, %+v", users, ok, reach)
	}
	r.other = scaling.Answer{Nodes: 1, Answered: 1}
	if _, ok, reach := n.Users(t.Context(), app, "presence-far"); ok || reach.Partial() {
		t.Errorf("Users of nobody: %v, %+v", ok, reach)
	}
	for result, want := range map[string]string{"partial": "4", "whole": "1"} {
		if got := n.metric(`reverb_relay_queries_total{result="` + result + `"}`); got != want {
			t.Errorf("%s queries: %q, want %s", result, got, want)
		}
	}
	unknown := config.NewApp("9", "", "")
	if got, reach := n.ConnectionCount(t.Context(), unknown); got != 0 || reach.Partial() {
		t.Errorf("unknown app: %d, %+v", got, reach)
	}
	if answer := n.Answer(scaling.Query{Of: scaling.QueryConnections, App: "9"}); answer.Connections != 0 || answer.Answered != 1 {
		t.Errorf("unknown app: %+v", answer)
	}
}

func TestDegraded(t *testing.T) {
	r := &askedRelay{slowRelay: slowRelay{atOnce: true}}
	n := newScaled(t, r, nil)
	defer n.stop()
	if n.Degraded() || !n.Ready() {
		t.Error("degraded while the relay is up")
	}
	r.down, r.full = true, scaling.ErrDropped
	if !n.Degraded() || !n.Ready() {
		t.Error("not degraded, or not ready, while the relay is down")
	}
	c := n.connectUnwatched(t)
	c.subscribe("room", "")
	c.conn.Take()
	n.publish(server.Publication{Event: "e", Data: "d", Channels: []string{"room"}}) // fails the test on an error
	if got := c.conn.Take(); len(got) != 1 {
		t.Errorf("got %q, want the event", got)
	}
	c.leave()
	single := newNode(t, configured(appWith(nil)), nil)
	defer single.stop()
	if single.Degraded() {
		t.Error("a single node is degraded")
	}
}
