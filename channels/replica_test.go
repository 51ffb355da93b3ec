package channels_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"reverb/channels"
	"reverb/outbound"
	"reverb/protocol"
)

func member(tb testing.TB, data string) *protocol.MemberData {
	tb.Helper()
	return options(tb, room, data).Data
}

func TestReplicatedRosterIsTold(t *testing.T) {
	h := newHub(t, channels.Options{Replicated: true})
	a, b := newSocket(), newSocket()
	h.Hold(app, room, options(t, room, ""))
	h.AddMember(app, room, member(t, `{"user_id":7,"user_info":{"name":"far"}}`))
	h.AddMember(app, room, member(t, `{"user_id":1}`))
	subA := join(t, h, room, a, `{"user_id":1}`)
	wantGot(t, "a", a, present(`{"count":2,"ids":[7,1],"hash":{"7":{"name":"far"},"1":null}}`))

	h.AddMember(app, room, member(t, `{"user_id":2}`))
	wantGot(t, "a", a, added(room, `{"user_id":2}`))
	h.AddMember(app, room, member(t, `{"user_id":2,"user_info":"new"}`))
	wantGot(t, "a", a) // known already
	subB := join(t, h, room, b, `{"user_id":2}`)
	wantGot(t, "b", b, present(`{"count":3,"ids":[7,1,2],"hash":{"7":{"name":"far"},"1":null,"2":"new"}}`))

	h.Unsubscribe(subB)
	wantGot(t, "a", a) // whether the user has gone is not known here
	h.RemoveMember(app, room, "2")
	h.RemoveMember(app, room, "2")
	wantGot(t, "a", a, removed(room, `2`))
	if got := h.Roster(app, room); len(got) != 2 || got[0].UserID != "7" || got[1].UserID != "1" {
		t.Errorf("Roster: %v", got)
	}
	check(t, h)

	h.Unsubscribe(subA)
	if _, ok := h.Info(app, room); ok || h.Stats() != (channels.Stats{}) {
		t.Errorf("a held channel counts as occupied: %+v", h.Stats())
	}
	if got := h.Roster(app, room); len(got) != 2 {
		t.Errorf("the roster of a held channel has %d users, want 2", len(got))
	}
	join(t, h, room, a, `{"user_id":1}`)
	wantGot(t, "a", a, present(`{"count":2,"ids":[7,1],"hash":{"7":{"name":"far"},"1":null}}`))
}

func TestReplicatedAnonymous(t *testing.T) {
	h := newHub(t, channels.Options{Replicated: true})
	a, b := newSocket(), newSocket()
	h.Hold(app, room, options(t, room, ""))
	h.AddMember(app, room, member(t, `{"user_id":1}`))
	sub := join(t, h, room, a, `{"user_id":1}`)
	a.take()
	o := options(t, room, "")
	o.MaxMembers = 1
	if _, err := h.Subscribe(app, room, b, nil, o); !errors.Is(err, channels.ErrMembers) {
		t.Errorf("Subscribe: %v, want %v", err, channels.ErrMembers)
	}
	o.MaxMembers = 2
	anonymous, err := h.Subscribe(app, room, b, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	wantGot(t, "a", a, added(room, `{}`))
	if info, _ := h.Info(app, room); info.Users != 2 || !info.Anonymous {
		t.Errorf("Info: %+v", info)
	}
	rejoin(t, h, room, a, sub, "") // becomes anonymous too
	wantGot(t, "b", b, present(`{"count":1,"ids":[1],"hash":{"1":null}}`), added(room, `{}`))
	h.Unsubscribe(anonymous)
	h.Unsubscribe(sub)
	check(t, h)
	if got := h.UserSockets(app, "1"); len(got) != 0 {
		t.Errorf("%d sockets of 1", len(got))
	}
}

func TestReplicatedCache(t *testing.T) {
	const name = "cache-room"
	h := newHub(t, channels.Options{Replicated: true})
	store := func(text string) {
		exists, err := h.Broadcast(app, name, channels.Event{Message: outbound.New(text), Cache: true})
		if exists || err != nil {
			t.Errorf("Broadcast to nobody: %v, %v", exists, err)
		}
	}
	wantReply := func(want string) {
		t.Helper()
		s := newSocket()
		sub := join(t, h, name, s, "")
		wantGot(t, "s", s, succeeded(name), want)
		h.Unsubscribe(sub)
	}
	h.SetCache(app, name, outbound.New(`{"too":"early"}`), false)
	store(`{"too":"early"}`)
	wantReply(miss(name))
	h.Hold(app, name, options(t, name, ""))
	h.SetCache(app, name, outbound.Message{}, false)
	wantReply(miss(name))
	store(`{"n":1}`)
	wantReply(`{"n":1}`)
	h.SetCache(app, name, outbound.New(`{"n":2}`), false)
	wantReply(`{"n":2}`)
	h.Release(app, name)
	h.Release(app, name)
	wantReply(miss(name))
	check(t, h)
}

// The sockets of a user who is not in the roster, as while the copy lags behind, are found all the same.
func TestReplicatedUserWithoutRoster(t *testing.T) {
	h := newHub(t, channels.Options{Replicated: true})
	join(t, h, room, newSocket(), `{"user_id":1}`)
	if got := h.UserSockets(app, "1"); len(got) != 1 {
		t.Errorf("%d sockets of 1, want 1", len(got))
	}
}

// TestReplicatedAgainstModel is TestAgainstModel for a hub whose rosters are told from outside.
func TestReplicatedAgainstModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runReplicated(t, rand.New(rand.NewPCG(seed, 2))) })
		})
	}
}

func runReplicated(t *testing.T, random *rand.Rand) {
	t.Helper()
	h := channels.NewHub(channels.Options{Workers: 3, PendingBytes: 1 << 30, Replicated: true})
	defer h.Close()
	names := []string{"room", "presence-room", "cache-room", "presence-cache-room"}
	count := 1 + random.IntN(3*channels.InlineMax)
	models, places := map[string]*model{}, map[string][]*place{}
	for _, name := range names {
		models[name] = &model{kind: protocol.KindOf(name), name: name, replicated: true}
		for i := range count {
			places[name] = append(places[name], &place{socket: newSocketOf(i)})
		}
	}
	for step := range 800 {
		m := models[names[random.IntN(len(names))]]
		p := places[m.name][random.IntN(count)]
		switch choice := random.IntN(10); {
		case choice == 0:
			m.hold(t, h)
		case choice == 1 && m.held && random.IntN(3) == 0:
			synctest.Wait()
			m.release(h)
		case choice < 5:
			m.tellRoster(t, h, random)
		case p.sub == nil || random.IntN(12) == 0:
			if p.sub != nil {
				synctest.Wait() // for the reply before
			}
			p.sub = rejoin(t, h, m.name, p.socket, p.sub, randomData(random))
			m.subscribe(p, p.sub.Data())
		case random.IntN(3) == 0:
			synctest.Wait()
			h.Unsubscribe(p.sub)
			p.sub = nil
			m.unsubscribe(p)
		default:
			randomEvent(t, h, m, p, random, step)
		}
		if random.IntN(10) == 0 {
			synctest.Wait()
			compareReplicated(t, h, models, places)
			if t.Failed() {
				t.Fatalf("at step %d", step)
			}
		}
	}
	synctest.Wait()
	compareReplicated(t, h, models, places)
	for _, name := range names {
		h.Release(app, name)
		for _, p := range places[name] {
			if p.sub != nil {
				h.Unsubscribe(p.sub)
			}
		}
		if h.Occupied(app, name) {
			t.Errorf("%s is left", name)
		}
	}
	check(t, h)
}

func compareReplicated(t *testing.T, h *channels.Hub, models map[string]*model, places map[string][]*place) {
	t.Helper()
	compare(t, h, models, places)
	for name, m := range models {
		if got := h.Roster(app, name); !slices.Equal(got, m.rows) {
			t.Errorf("%s: roster of %d users, want %d", name, len(got), len(m.rows))
		}
	}
}

func (m *model) exists() bool { return m.held || len(m.subs) > 0 }

func (m *model) hold(t *testing.T, h *channels.Hub) {
	t.Helper()
	h.Hold(app, m.name, options(t, m.name, ""))
	m.held = true
}

func (m *model) release(h *channels.Hub) {
	h.Release(app, m.name)
	m.held = false
	m.vacate()
}

// tellRoster adds or removes a user, or brings a cached event.
func (m *model) tellRoster(t *testing.T, h *channels.Hub, random *rand.Rand) {
	t.Helper()
	if random.IntN(6) == 0 {
		event := fmt.Sprintf(`{"cached":%d}`, random.IntN(100))
		h.SetCache(app, m.name, outbound.New(event), false)
		if m.exists() && m.kind.IsCache() {
			m.cache = event
		}
		return
	}
	user := fmt.Sprint(1 + random.IntN(12))
	at := slices.IndexFunc(m.rows, func(d *protocol.MemberData) bool { return d.UserID == user })
	if random.IntN(3) == 0 {
		h.RemoveMember(app, m.name, user)
		if at >= 0 {
			id := string(m.rows[at].UserIDRaw)
			m.rows = slices.Delete(m.rows, at, at+1)
			m.tell(removed(m.name, id), nil)
		}
		return
	}
	d := member(t, fmt.Sprintf(`{"user_id":%s,"user_info":%d}`, user, random.IntN(1000)))
	h.AddMember(app, m.name, d)
	switch {
	case !m.exists() || !m.kind.IsPresence():
	case at >= 0:
		m.rows[at] = d
	default:
		m.rows = append(m.rows, d)
		m.tell(added(m.name, string(d.Raw)), nil)
	}
}

// TestReplicatedHammer has channels held and released while sockets and members come and go.
func TestReplicatedHammer(t *testing.T) {
	h := channels.NewHub(channels.Options{Replicated: true, Workers: 2})
	var all sync.WaitGroup
	for g := range 6 {
		all.Go(func() {
			for i := range 2000 {
				name := fmt.Sprintf("presence-cache-%d", i%3)
				data := fmt.Sprintf(`{"user_id":%d}`, g+1)
				h.Hold(app, name, options(t, name, ""))
				h.AddMember(app, name, member(t, data))
				sub := join(t, h, name, newSocket(), data)
				_, err := h.Broadcast(app, name, channels.Event{Message: outbound.New("{}"), Cache: true})
				if err != nil {
					t.Errorf("Broadcast: %v", err)
				}
				h.Unsubscribe(sub)
				h.RemoveMember(app, name, fmt.Sprint(g+1))
				h.Release(app, name)
			}
		})
	}
	all.Wait()
	h.Close()
	check(t, h)
	for i := range 3 {
		if name := fmt.Sprintf("presence-cache-%d", i); h.Occupied(app, name) {
			t.Errorf("%s is left", name)
		}
	}
}
