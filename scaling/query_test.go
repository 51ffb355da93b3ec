package scaling_test

import (
	"reflect"
	"testing"

	"reverb/protocol"
	"reverb/scaling"
)

func TestMerge(t *testing.T) {
	user := func(id, raw string) protocol.RosterMember { return protocol.RosterMember{ID: id, IDRaw: []byte(raw)} }
	a := scaling.Answer{
		Connections: 2, Nodes: 1, Answered: 1,
		Channels: []scaling.ChannelInfo{
			{Name: "a", Subscriptions: 1},
			{Name: "c", Subscriptions: 2, Users: 3, Anonymous: true},
		},
		Users: []protocol.RosterMember{user("1", "1"), user("2", "2")},
	}
	b := scaling.Answer{
		Connections: 3, Nodes: 3, Answered: 2,
		Channels: []scaling.ChannelInfo{
			{Name: "b", Subscriptions: 1, Cache: []byte("{}")},
			{Name: "c", Subscriptions: 5, Users: 4, Cache: []byte("[]")},
			{Name: "d", Subscriptions: 7},
		},
		Users: []protocol.RosterMember{user("3", "3"), user("1", `"1"`), user("3", "3")},
	}
	want := scaling.Answer{
		Connections: 5, Nodes: 4, Answered: 3,
		Channels: []scaling.ChannelInfo{
			{Name: "a", Subscriptions: 1},
			{Name: "b", Subscriptions: 1, Cache: []byte("{}")},
			{Name: "c", Subscriptions: 7, Users: 4, Anonymous: true, Cache: []byte("[]")},
			{Name: "d", Subscriptions: 7},
		},
		Users: []protocol.RosterMember{user("1", "1"), user("2", "2"), user("3", "3")},
	}
	var sum scaling.Answer
	sum.Merge(a)
	if !reflect.DeepEqual(sum, a) {
		t.Errorf("merged with nothing: %+v", sum)
	}
	sum.Merge(scaling.Answer{})
	sum.Merge(b)
	if !reflect.DeepEqual(sum, want) {
		t.Errorf("got  %+v\nwant %+v", sum, want)
	}
	if !sum.Partial() || len(a.Users) != 2 {
		t.Errorf("partial %v, a has %d users now", sum.Partial(), len(a.Users))
	}
}
