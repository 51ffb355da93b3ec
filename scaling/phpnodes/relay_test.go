package phpnodes_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"reverb/internal/redistest"
	"reverb/outbound"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/phpnodes"
)

func TestPublishesAsReverb(t *testing.T) {
	redis := redistest.Start(t)
	p, a, b := startPHP(t, redis.Addr), startGo(t, redis.Addr), startGo(t, redis.Addr)
	for i, e := range events {
		a.join(t, e.channel)
		b.join(t, e.channel)
		m := scaling.Message{App: app.ID, Channel: e.channel, Payload: outbound.New(e.payload), Except: socketID(t, e.except)}
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
			if got.Except.String() != e.except || got.Channel != e.channel || !json.Valid(got.Payload.JSON()) {
				t.Errorf("%s: %s on %s without %q", e.file, got.Payload.JSON(), got.Channel, got.Except)
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
	if err := a.Publish(scaling.Message{App: app.ID, Channel: "presence-room", Payload: outbound.New(event), Elsewhere: true}); err != nil {
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

// Nodes of a Reverb that survives it hear of a termination, in Reverb's words, and nodes of this program hear of it once.
func TestTerminatesOnReverb(t *testing.T) {
	redis := redistest.Start(t)
	p := startPHP(t, redis.Addr)
	p.survives = true
	pass := func(o *phpnodes.Options) { o.TerminatePHP = true }
	a, b := startGo(t, redis.Addr, pass), startGo(t, redis.Addr, pass)
	for _, user := range []string{"7", `é"/`, "not\xffUTF-8"} {
		a.Relay.Terminate(app.ID, user)
	}
	var got []string
	await(t, "terminate on the PHP node", func() bool {
		got = nil
		for _, text := range p.texts(&p.received) {
			var m struct {
				Type    string
				Payload struct {
					UserID string `json:"user_id"`
				}
			}
			if err := json.Unmarshal([]byte(text), &m); err != nil {
				t.Fatal(err)
			}
			got = append(got, m.Type+" "+m.Payload.UserID)
		}
		return len(got) == 2
	})
	if want := []string{"terminate 7", `terminate é"/`}; !slices.Equal(got, want) {
		t.Errorf("the PHP node got %q, want %q", got, want)
	}
	want := []string{app.ID + " 7", app.ID + ` é"/`, app.ID + " not\xffUTF-8"}
	await(t, "terminate on both nodes", func() bool { return len(b.texts(&b.terminated)) >= len(want) })
	a.join(t, "cache-x")
	b.join(t, "cache-x")
	p.publish(`{"type":"message","application":` + minimal + `,"payload":{"event":"e","channel":"cache-x","data":"last"}}`)
	for _, n := range []*goNode{a, b} {
		await(t, "what came after", func() bool { return len(n.payloads()) > 0 })
		if got := n.texts(&n.terminated); !slices.Equal(got, want) {
			t.Errorf("terminated %q, want %q", got, want)
		}
	}
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
	if err := a.Publish(scaling.Message{App: app.ID, Channel: "cache-x", Payload: outbound.New(next), Cache: true}); err != nil {
		t.Fatal(err)
	}
	await(t, "next event in Redis", func() bool { return redis.Do("GET", "other:{123456/cache-x}:e") == next })
	await(t, "next event on its way to nobody", func() bool { return slices.Contains(b.payloads(), "cache-x "+next) })
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
		if err := a.Publish(scaling.Message{App: app.ID, Channel: "room", Payload: outbound.New(payload)}); err != nil {
			t.Errorf("%.40s: %v", payload, err)
		}
	}
	last := scaling.Message{App: app.ID, Channel: "room", Payload: outbound.New(`{"event":"client-last","channel":"room","data":{}}`)}
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
			if err := a.Publish(scaling.Message{App: app.ID, Channel: "room", Payload: outbound.New(payload)}); err != nil {
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
	if _, err := phpnodes.New(phpnodes.Options{Redis: bus.Options{Cluster: true}}, newAlone()); err == nil {
		t.Error("no error, but Laravel Reverb knows no Redis Cluster")
	}
	if _, err := phpnodes.New(phpnodes.Options{Apps: []phpnodes.App{{ID: "\xff"}}}, newAlone()); err == nil {
		t.Error("no error, but PHP nodes would end over the id")
	}
}

func TestBeforeStart(t *testing.T) {
	r, _, _ := idle(t)
	if err := r.Publish(scaling.Message{}); !errors.Is(err, scaling.ErrNotStarted) {
		t.Errorf("Publish: %v", err)
	}
	r.Close()
}
