package laravel_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/laravel"
)

func TestPublishesAsReverb(t *testing.T) {
	redis := redistest.Start(t)
	p, a, b := startPHP(t, redis.Addr), startGo(t, redis.Addr), startGo(t, redis.Addr)
	for i, e := range events {
		a.join(t, e.channel)
		b.join(t, e.channel)
		m := scaling.Message{App: app.ID, Channel: e.channel, Payload: []byte(e.payload), Except: socketID(t, e.except)}
		if err := a.Publish(m); err != nil {
			t.Fatal(err)
		}
		if got := a.payloads(); len(got) != i+1 || got[i] != e.channel+" "+e.payload {
			t.Fatalf("%s: not delivered here at once: %q", e.file, got)
		}
		await(t, "event on the PHP node", func() bool { return len(p.events()) == i+1 })
		text := p.events()[i]
		tail := strings.LastIndex(text, `,"node":`)
		if got, want := text[:tail]+"}", string(golden(t, e.file)); got != want {
			t.Errorf("%s\n got %s\nwant %s", e.file, got, want)
		}
		await(t, "event on the other node", func() bool { return len(b.payloads()) == i+1 })
		if got := b.delivered[i]; got.Except != m.Except || got.Channel != e.channel {
			t.Errorf("%s: %+v", e.file, got)
		}
	}
	// Whatever comes after them, the events of a came back to it and were not delivered again.
	p.publish(string(golden(t, "message_batch.json")))
	await(t, "last event", func() bool { return len(a.payloads()) == len(events)+1 && len(b.payloads()) == len(events)+1 })
}

func TestDeliversEventsOfReverb(t *testing.T) {
	redis := redistest.Start(t)
	p := startPHP(t, redis.Addr)
	nodes := []*goNode{startGo(t, redis.Addr), startGo(t, redis.Addr)}
	for _, e := range events {
		for _, n := range nodes {
			n.join(t, e.channel)
		}
		p.publish(string(golden(t, e.file)))
	}
	p.publish(string(golden(t, "message_channels.json"))) // "one" is a channel of events too
	for _, n := range nodes {
		await(t, "events", func() bool { return len(n.payloads()) == len(events)+1 })
		for i, e := range events {
			got := n.delivered[i]
			if got.Except.String() != e.except || got.Channel != e.channel || !json.Valid(got.Payload) {
				t.Errorf("%s: %s on %s without %q", e.file, got.Payload, got.Channel, got.Except)
			}
		}
	}
}

// Other nodes only: presence that PHP nodes do not share.
func TestKeepsPresenceFromReverb(t *testing.T) {
	redis := redistest.Start(t)
	p, a, b := startPHP(t, redis.Addr), startGo(t, redis.Addr), startGo(t, redis.Addr)
	a.join(t, "presence-room")
	b.join(t, "presence-room")
	event := []byte(`{"event":"pusher_internal:member_added","data":"{}","channel":"presence-room"}`)
	if err := a.Publish(scaling.Message{App: app.ID, Channel: "presence-room", Payload: event, Elsewhere: true}); err != nil {
		t.Fatal(err)
	}
	await(t, "event on the other node", func() bool { return slices.Contains(b.payloads(), "presence-room "+string(event)) })
	if len(a.payloads()) > 0 || len(p.events()) > 0 {
		t.Errorf("here %q, on the PHP node %q, want nothing", a.payloads(), p.events())
	}
}

func TestTerminatesAcross(t *testing.T) {
	redis := redistest.Start(t)
	p, a, b := startPHP(t, redis.Addr), startGo(t, redis.Addr), startGo(t, redis.Addr)
	all := func(want ...string) func() bool {
		return func() bool {
			return slices.Equal(a.texts(&a.terminated), want) && slices.Equal(b.texts(&b.terminated), want)
		}
	}
	a.Relay.Terminate(app.ID, "8") // the PHP node fails the test if it hears of it
	await(t, "terminate of a node", all(app.ID+" 8"))
	// From redis-cli, as it were: another PHP node.
	redis.Do("PUBLISH", redisChannel, "{}")
	if n := redis.Do("PUBLISH", "elsewhere", "x"); n != int64(0) {
		t.Errorf("%v listen elsewhere", n)
	}
	p.bus.Close()
	redis.Do("PUBLISH", redisChannel, string(golden(t, "terminate.json")))
	await(t, "terminate of a PHP node", all(app.ID+" 8", app.ID+" 7"))
}

func TestOneSubscriptionOfEachNode(t *testing.T) {
	redis := redistest.Start(t)
	startPHP(t, redis.Addr)
	a := startGo(t, redis.Addr)
	b := startGo(t, redis.Addr)
	a.join(t, "room", "presence-room", "cache-x")
	if n := redis.Subscribers(redisChannel); n != 3 {
		t.Errorf("%d subscriptions of 3 nodes", n)
	}
	b.Close()
	if n := redis.Subscribers(redisChannel); n != 2 {
		t.Errorf("%d subscriptions of 2 nodes", n)
	}
}

// Plain channels need nothing of Redis; what is shared does.
func TestJoinsOnlyWhatIsShared(t *testing.T) {
	r, _, nodes := idle(t)
	join(r, "room", "private-room", "private-encrypted-room")
	if nodes.joined != 0 {
		t.Errorf("%d plain channels were joined", nodes.joined)
	}
	join(r, "presence-room", "cache-x", "private-cache-x", "presence-cache-x")
	if nodes.joined != 4 {
		t.Errorf("%d channels were joined, want 4", nodes.joined)
	}
}

func TestCacheOfReverbIsForLaterSubscribers(t *testing.T) {
	redis := redistest.Start(t)
	p, a, b := startPHP(t, redis.Addr), startGo(t, redis.Addr), startGo(t, redis.Addr)
	text := strings.Replace(string(golden(t, "message_batch.json")), `"one"`, `"cache-x"`, 1)
	p.publish(text)
	const event = `{"event":"e","channel":"cache-x","data":"{\"a\":1}"}`
	await(t, "last event in Redis", func() bool { return redis.Do("GET", "other:{123456/cache-x}:e") == event })
	a.join(t, "cache-x")
	if want := []string{"123456 cache-x " + event}; !slices.Equal(a.texts(&a.cached), want) {
		t.Errorf("cached %q, want %q", a.cached, want)
	}

	const next = `{"event":"next","channel":"cache-x","data":"d"}`
	if err := a.Publish(scaling.Message{App: app.ID, Channel: "cache-x", Payload: []byte(next), Cache: true}); err != nil {
		t.Fatal(err)
	}
	await(t, "next event in Redis", func() bool { return redis.Do("GET", "other:{123456/cache-x}:e") == next })
	b.join(t, "cache-x")
	if want := []string{"123456 cache-x " + next}; !slices.Equal(b.texts(&b.cached), want) {
		t.Errorf("cached %q, want %q", b.cached, want)
	}
}

// What would end a PHP node does not reach it, and what follows does.
func TestSparesPHPNodes(t *testing.T) {
	redis := redistest.Start(t)
	p, a := startPHP(t, redis.Addr), startGo(t, redis.Addr)
	for _, payload := range []string{
		`{"event":"client-deep","channel":"room","data":` + strings.Repeat("[", 505) + strings.Repeat("]", 505) + `}`,
		`{"event":"client-infinite","channel":"room","data":{"a":1e999}}`,
	} {
		if err := a.Publish(scaling.Message{App: app.ID, Channel: "room", Payload: []byte(payload)}); err != nil {
			t.Errorf("%.40s: %v", payload, err)
		}
	}
	last := scaling.Message{App: app.ID, Channel: "room", Payload: []byte(`{"event":"client-last","channel":"room","data":{}}`)}
	if err := a.Publish(last); err != nil {
		t.Fatal(err)
	}
	await(t, "last event", func() bool { return len(p.events()) > 0 })
	if got := p.events(); len(got) != 1 || !strings.Contains(got[0], "client-last") {
		t.Errorf("got %q", got)
	}
	if n := len(a.payloads()); n != 3 {
		t.Errorf("%d delivered here, want 3", n)
	}
}

func TestSurvivesWhatItCannotRead(t *testing.T) {
	redis := redistest.Start(t)
	a := startGo(t, redis.Addr)
	a.join(t, "one")
	for _, text := range []string{"", "null", "[]", "{", `{"type":"message"}`, "\xff\x00", strings.Repeat("[", 100_000), `{"type":"metrics","payload":"O:99:"}`} {
		redis.Do("PUBLISH", redisChannel, text)
	}
	redis.Do("PUBLISH", redisChannel, string(golden(t, "message_batch.json")))
	await(t, "event", func() bool { return len(a.payloads()) == 1 })
}

// Events wait while Redis is away, are sent once to whoever is back, and nobody of this program gets them twice.
func TestRedisAway(t *testing.T) {
	redis := redistest.Start(t)
	proxy := redistest.NewProxy(t, redis.Addr)
	p, b := startPHP(t, redis.Addr), startGo(t, redis.Addr)
	a := startGo(t, proxy.Addr)
	b.join(t, "room")
	send := func(from, to int) {
		for i := from; i < to; i++ {
			payload := fmt.Sprintf(`{"event":"%d","channel":"room","data":"d"}`, i)
			if err := a.Publish(scaling.Message{App: app.ID, Channel: "room", Payload: []byte(payload)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(0, 100)
	proxy.Cut()
	send(100, 200)
	await(t, "word that it is down", func() bool { return !a.Status().Up })
	if q := a.Query(t.Context(), scaling.Query{Of: scaling.QueryConnections, App: app.ID}); !q.Partial() {
		t.Errorf("an answer without the others is whole: %+v", q)
	}
	send(200, 300)
	proxy.Heal()
	await(t, "events", func() bool { return len(b.payloads()) >= 300 })
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprintf(`room {"event":"%d","channel":"room","data":"d"}`, i))
	}
	if got := b.payloads(); !slices.Equal(got, want) {
		t.Errorf("got %d events, want %d in order", len(got), len(want))
	}
	// What Redis did not confirm may come twice to a PHP node, which cannot tell.
	await(t, "events on the PHP node", func() bool { return len(p.events()) >= 300 })
	await(t, "word that it is up", func() bool { return a.Status().Up })
}

func TestRefusesACluster(t *testing.T) {
	if _, err := laravel.New(laravel.Options{Redis: bus.Options{Cluster: true}}, newAlone()); err == nil {
		t.Error("no error, but Laravel Reverb knows no Redis Cluster")
	}
	if _, err := laravel.New(laravel.Options{Apps: []laravel.App{{ID: "\xff"}}}, newAlone()); err == nil {
		t.Error("no error, but PHP nodes would end over the id")
	}
}

func TestBeforeStart(t *testing.T) {
	r, _, _ := idle(t)
	if err := r.Publish(scaling.Message{}); err != scaling.ErrNotStarted {
		t.Errorf("Publish: %v", err)
	}
	r.Close()
}

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
		metric laravel.Metric
		want   string
	}{
		{laravel.Metric{Of: "CONNECTIONS"}, `{"` + id + `.0":{},"` + id + `.1":{}}`},
		{laravel.Metric{Of: "CHANNELS"}, `{"cache-x":[],"one":[],"presence-room":[],"room":[]}`},
		{laravel.Metric{Of: "CHANNELS", Filter: "presence-", Info: "user_count,subscription_count"}, `{"presence-room":{"user_count":3}}`},
		{laravel.Metric{Of: "CHANNELS", Filter: "none-"}, `[]`},
		{laravel.Metric{Of: "CHANNELS", Info: "subscription_count", Channels: []string{"one", "two"}}, `{"one":{"subscription_count":3},"two":[]}`},
		{laravel.Metric{Of: "CHANNELS", Info: "occupied", Channels: []string{"two"}}, `{"two":{"occupied":false}}`},
		{laravel.Metric{Of: "CHANNEL", Channel: "room", Info: "user_count,occupied"}, `{"occupied":true}`},
		{laravel.Metric{Of: "CHANNEL", Channel: "cache-x", Info: "cache,occupied"}, `{"occupied":true,"cache":{"event":"\u00e9","data":"d","channel":"cache-x"}}`},
		{laravel.Metric{Of: "CHANNEL", Channel: "two", Info: "subscription_count,occupied"}, `{"occupied":false}`},
		{laravel.Metric{Of: "CHANNEL", Channel: "two", Info: "subscription_count"}, `[]`},
		{laravel.Metric{Of: "CHANNEL_USERS", Channel: "presence-room"}, `[{"id":1},{"id":"2"}]`},
		{laravel.Metric{Of: "CHANNEL_USERS", Channel: "presence-none"}, `[]`},
		{laravel.Metric{Of: "SOMETHING_LATER"}, `[]`},
		{laravel.Metric{Of: "CONNECTIONS", App: "unknown"}, `[]`},
		{laravel.Metric{Of: "CHANNEL", App: "unknown", Channel: "room", Info: "occupied"}, `{"occupied":false}`},
	} {
		m := test.metric
		m.Key = ownKey
		if m.App == "" {
			m.App = app.ID
		}
		p.mu.Lock()
		p.silent, p.replies = true, nil
		p.mu.Unlock()
		p.publish(laravel.EncodeMetric(app, m))
		await(t, "answer to "+m.Of, func() bool { return len(p.texts(&p.replies)) > 0 })
		if got := p.texts(&p.replies); !slices.Equal(got, []string{test.want}) {
			t.Errorf("%+v\n got %s\nwant %s", test.metric, got, test.want)
		}
	}
}

func TestAsksReverb(t *testing.T) {
	redis := redistest.Start(t)
	p, a, b := startPHP(t, redis.Addr), startGo(t, redis.Addr), startGo(t, redis.Addr)
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
		if took := time.Since(begin); took > 900*time.Millisecond {
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

// A receiver that does not answer costs the bound once, and the answer says that it is not whole.
func TestAsksASilentNode(t *testing.T) {
	redis := redistest.Start(t)
	p, a := startPHP(t, redis.Addr), startGo(t, redis.Addr, func(o *laravel.Options) { o.QueryTimeout = 200 * time.Millisecond })
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
		if i == 0 && took < 200*time.Millisecond || i > 0 && took > 150*time.Millisecond {
			t.Errorf("question %d took %v", i, took)
		}
	}
}
