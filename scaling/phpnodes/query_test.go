package phpnodes_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/phpnodes"
)

func users(ids ...string) []protocol.RosterMember {
	var all []protocol.RosterMember
	for _, id := range ids {
		all = append(all, protocol.RosterMember{ID: strings.Trim(id, `"`), IDRaw: []byte(id)})
	}
	return all
}

// member joins a presence channel.
func (n *goNode) member(t testing.TB, channel, id string) {
	t.Helper()
	data, refused := protocol.ParseMemberData(`{"user_id":` + id + `}`)
	if refused != nil {
		t.Fatal(refused)
	}
	done := make(chan error, 1)
	n.Join(scaling.Join{App: app.ID, Channel: channel, Kind: protocol.KindOf(channel), Member: &data}, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestAnswersReverb(t *testing.T) {
	redis := redistest.Start(t)
	p, a := startPHP(t, redis.Addr), startGo(t, redis.Addr)
	a.member(t, "presence-room", `1`)
	a.member(t, "presence-room", `"2"`)
	a.member(t, "presence-room", `1`)
	a.mu.Lock()
	a.connected = 2
	a.channels = []scaling.ChannelInfo{
		{Name: "cache-x", Subscriptions: 1, Cache: []byte(`{"event":"é","data":"d","channel":"cache-x"}`)},
		{Name: "one", Subscriptions: 3},
		{Name: "presence-room", Subscriptions: 4, Users: 50, Anonymous: true},
		{Name: "room", Subscriptions: 2},
	}
	a.users = map[string][]protocol.RosterMember{"presence-room": users(`1`, `"2"`)}
	a.mu.Unlock()

	id := a.ID()
	for _, test := range []struct {
		metric phpnodes.Metric
		want   string
	}{
		{phpnodes.Metric{Of: "CONNECTIONS"}, `{"` + id + `.0":{},"` + id + `.1":{}}`},
		{phpnodes.Metric{Of: "CHANNELS"}, `{"cache-x":[],"one":[],"presence-room":[],"room":[]}`},
		{phpnodes.Metric{Of: "CHANNELS", Filter: "presence-", Info: "user_count,subscription_count"}, `{"presence-room":{"user_count":3}}`},
		{phpnodes.Metric{Of: "CHANNELS", Filter: "none-"}, `[]`},
		{phpnodes.Metric{Of: "CHANNELS", Info: "subscription_count", Channels: []string{"one", "two"}}, `{"one":{"subscription_count":3},"two":[]}`},
		{phpnodes.Metric{Of: "CHANNELS", Info: "occupied", Channels: []string{"two"}}, `{"two":{"occupied":false}}`},
		{phpnodes.Metric{Of: "CHANNEL", Channel: "room", Info: "user_count,occupied"}, `{"occupied":true}`},
		{phpnodes.Metric{Of: "CHANNEL", Channel: "cache-x", Info: "cache,occupied"}, `{"occupied":true,"cache":{"event":"\u00e9","data":"d","channel":"cache-x"}}`},
		{phpnodes.Metric{Of: "CHANNEL", Channel: "two", Info: "subscription_count,occupied"}, `{"occupied":false}`},
		{phpnodes.Metric{Of: "CHANNEL", Channel: "two", Info: "subscription_count"}, `[]`},
		{phpnodes.Metric{Of: "CHANNEL_USERS", Channel: "presence-room"}, `[{"id":1},{"id":"2"}]`},
		{phpnodes.Metric{Of: "CHANNEL_USERS", Channel: "presence-none"}, `[]`},
		{phpnodes.Metric{Of: "SOMETHING_LATER"}, `[]`},
		{phpnodes.Metric{Of: "CONNECTIONS", App: "unknown"}, `[]`},
		{phpnodes.Metric{Of: "CHANNEL", App: "unknown", Channel: "room", Info: "occupied"}, `{"occupied":false}`},
	} {
		m := test.metric
		m.Key = ownKey
		if m.App == "" {
			m.App = app.ID
		}
		p.mu.Lock()
		p.silent, p.replies = true, nil
		p.mu.Unlock()
		p.publish(phpnodes.EncodeMetric(app, m))
		await(t, "answer to "+m.Of, func() bool { return len(p.texts(&p.replies)) > 0 })
		if got := p.texts(&p.replies); !slices.Equal(got, []string{test.want}) {
			t.Errorf("%+v\n got %s\nwant %s", test.metric, got, test.want)
		}
	}
}

func TestAsksReverb(t *testing.T) {
	redis := redistest.Start(t)
	patient := func(o *phpnodes.Options) { o.QueryTimeout = limit }
	p, a, b := startPHP(t, redis.Addr), startGo(t, redis.Addr, patient), startGo(t, redis.Addr)
	p.answers = map[string]string{
		"CONNECTIONS": `{"1.2":{},"3.4":{},"5.6":{}}`,
		"CHANNELS":    `{"room":{"occupied":true,"subscription_count":5},"presence-room":{"occupied":true,"user_count":2},"none":[],"odd":{"occupied":"yes","user_count":-1},"php":{"occupied":true,"subscription_count":1}}`,
		"CHANNEL":     `{"occupied":true,"user_count":2}`,
		// A map, as PHP makes of a list with gaps.
		"CHANNEL_USERS": `{"0":{"id":"1"},"2":{"id":3},"5":{},"6":[]}`,
	}
	for _, n := range []*goNode{a, b} {
		n.mu.Lock()
		n.connected = 1
		n.channels = []scaling.ChannelInfo{{Name: "presence-room", Subscriptions: 1, Users: 2}, {Name: "room", Subscriptions: 2}}
		n.users = map[string][]protocol.RosterMember{"presence-room": users(`1`, `2`)}
		n.mu.Unlock()
	}
	for _, test := range []struct {
		query scaling.Query
		want  scaling.Answer
		asked []string
	}{
		{scaling.Query{Of: scaling.QueryConnections}, scaling.Answer{Connections: 5}, []string{"CONNECTIONS"}},
		{scaling.Query{Of: scaling.QueryChannels}, scaling.Answer{Channels: []scaling.ChannelInfo{
			{Name: "php", Subscriptions: 1}, {Name: "presence-room", Subscriptions: 4, Users: 4}, {Name: "room", Subscriptions: 9},
		}}, []string{"CHANNELS"}},
		{scaling.Query{Of: scaling.QueryChannels, Names: []string{}}, scaling.Answer{}, nil},
		{scaling.Query{Of: scaling.QueryUsers, Channel: "presence-room"}, scaling.Answer{
			Users:    users(`1`, `2`, `3`),
			Channels: []scaling.ChannelInfo{{Name: "presence-room", Subscriptions: 2, Users: 2}},
		}, []string{"CHANNEL", "CHANNEL_USERS"}},
		{scaling.Query{Of: scaling.QueryUsers, Channel: "room"}, scaling.Answer{
			Channels: []scaling.ChannelInfo{{Name: "room", Subscriptions: 2, Users: 2}},
		}, []string{"CHANNEL"}},
		{scaling.Query{Of: scaling.QueryChannels, Prefix: "caf\xc3"}, scaling.Answer{}, nil},
	} {
		p.mu.Lock()
		p.asked = nil
		p.mu.Unlock()
		test.query.App = app.ID
		begin := time.Now()
		got := a.Query(context.Background(), test.query)
		if took := time.Since(begin); took > limit/2 {
			t.Errorf("%+v took %v", test.query, took)
		}
		if got.Partial() || len(test.asked) > 0 && (got.Nodes != 3 || got.Answered != 3) {
			t.Errorf("%+v: %d of %d nodes", test.query, got.Answered, got.Nodes)
		}
		got.Nodes, got.Answered = 0, 0
		if len(got.Channels) == 0 {
			got.Channels = nil
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%+v\n got %+v\nwant %+v", test.query, got, test.want)
		}
		if asked := p.texts(&p.asked); !slices.Equal(asked, test.asked) {
			t.Errorf("%+v: asked %q, want %q", test.query, asked, test.asked)
		}
	}
}

// PHP writes a map whose keys are 0, 1, 2, … as a list: of channels with such names, too.
func TestAsksForChannelsThatAreNumbers(t *testing.T) {
	redis := redistest.Start(t)
	patient := func(o *phpnodes.Options) { o.QueryTimeout = limit }
	p, a := startPHP(t, redis.Addr), startGo(t, redis.Addr, patient)
	two := scaling.ChannelInfo{Name: "1", Subscriptions: 2}
	for answer, want := range map[string][]scaling.ChannelInfo{
		`[{"occupied":true,"subscription_count":1},{"occupied":true,"subscription_count":2}]`:      {{Name: "0", Subscriptions: 1}, two},
		`[[],{"occupied":true,"subscription_count":2}]`:                                            {two},
		`{"1":{"occupied":true,"subscription_count":2}}`:                                           {two},
		`[{"occupied":true,"subscription_count":3}]`:                                               {{Name: "0", Subscriptions: 3}},
		`{"0":{"occupied":true,"subscription_count":3},"room":{"occupied":true,"user_count":"x"}}`: {{Name: "0", Subscriptions: 3}, {Name: "room", Subscriptions: 1}},
		`[]`: nil,
	} {
		p.mu.Lock()
		p.answers["CHANNELS"] = answer
		p.mu.Unlock()
		got := a.Query(context.Background(), scaling.Query{Of: scaling.QueryChannels, App: app.ID})
		if got.Partial() || !slices.EqualFunc(got.Channels, want, func(x, y scaling.ChannelInfo) bool { return reflect.DeepEqual(x, y) }) {
			t.Errorf("%s: got %+v of %d/%d nodes, want %+v", answer, got.Channels, got.Answered, got.Nodes, want)
		}
	}
}

// A receiver that does not answer costs the bound once, and the answer says that it is not whole.
func TestAsksASilentNode(t *testing.T) {
	redis := redistest.Start(t)
	const patience = 3 * time.Second
	p, a := startPHP(t, redis.Addr), startGo(t, redis.Addr, func(o *phpnodes.Options) { o.QueryTimeout = patience })
	p.mu.Lock()
	p.silent = true
	p.mu.Unlock()
	for i := range 3 {
		begin := time.Now()
		got := a.Query(context.Background(), scaling.Query{Of: scaling.QueryConnections, App: app.ID})
		took := time.Since(begin)
		if got.Nodes != 2 || got.Answered != 1 {
			t.Errorf("question %d: %d of %d nodes", i, got.Answered, got.Nodes)
		}
		if i == 0 && took < patience || i > 0 && took >= patience {
			t.Errorf("question %d took %v", i, took)
		}
	}
}
