package channels_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"reverb/channels"
	"reverb/outbound"
	"reverb/protocol"
)

// model is the registry as one would write it with no thought of cost: lists, and everything counted anew each time.
type model struct {
	kind  protocol.Kind
	name  string
	subs  []*place
	rows  []*protocol.MemberData // users in the order they came
	cache string

	replicated, held bool
}

// place is one socket's place in a channel, in the model and in the hub.
type place struct {
	socket *socket
	sub    *channels.Subscription
	data   *protocol.MemberData
	want   []string
}

func id(d *protocol.MemberData) string {
	if d == nil {
		return ""
	}
	return d.UserID
}

func (m *model) sockets(user string) int {
	n := 0
	for _, p := range m.subs {
		if id(p.data) == user {
			n++
		}
	}
	return n
}

func (m *model) tell(text string, except *place) {
	for _, p := range m.subs {
		if p != except {
			p.want = append(p.want, text)
		}
	}
}

// enter and exit keep the rows and announce; p is not in m.subs, or is but with data that does not count.
func (m *model) enter(p *place, d *protocol.MemberData) {
	if m.kind.IsPresence() {
		if id(d) == "" {
			data := "{}"
			if d != nil {
				data = string(d.Raw)
			}
			m.tell(added(m.name, data), p)
		} else if !m.replicated {
			first := m.sockets(id(d)) == 0
			if first {
				m.rows = append(m.rows, d)
			}
			if first {
				m.tell(added(m.name, string(d.Raw)), p)
			}
		}
	}
	p.data = d
}

func (m *model) exit(p *place) {
	d := p.data
	p.data = nil
	if m.kind.IsPresence() && !m.replicated && id(d) != "" && m.sockets(d.UserID) == 0 {
		m.rows = slices.DeleteFunc(m.rows, func(row *protocol.MemberData) bool { return row.UserID == d.UserID })
		m.tell(removed(m.name, string(d.UserIDRaw)), p)
	}
}

func (m *model) reply(p *place) {
	text := succeeded(m.name)
	if m.kind.IsPresence() {
		var ids, hash []byte
		for _, d := range m.rows {
			ids, hash = protocol.AppendRosterRow(ids, hash, protocol.RosterMember{ID: d.UserID, IDRaw: d.UserIDRaw, Info: d.UserInfo})
		}
		text = string(protocol.PresenceSucceededMessage(m.name, len(m.rows), ids, hash).JSON())
	}
	p.want = append(p.want, text)
	if m.kind.IsCache() {
		if m.cache == "" {
			p.want = append(p.want, miss(m.name))
		} else {
			p.want = append(p.want, m.cache)
		}
	}
}

func (m *model) subscribe(p *place, d *protocol.MemberData) {
	if !slices.Contains(m.subs, p) {
		m.enter(p, d)
		m.subs = append(m.subs, p)
		m.reply(p)
		return
	}
	if former := p.data; m.kind.IsPresence() && id(d) != "" && id(d) == id(former) {
		for i, row := range m.rows {
			if row == former && !m.replicated {
				m.rows[i] = d
			}
		}
		p.data = d
	} else {
		m.exit(p)
		m.enter(p, d)
	}
	m.reply(p)
}

func (m *model) unsubscribe(p *place) {
	m.subs = slices.DeleteFunc(m.subs, func(other *place) bool { return other == p })
	m.exit(p)
	m.vacate()
}

// vacate forgets everything when nobody is left.
func (m *model) vacate() {
	if len(m.subs) == 0 && !m.held {
		m.cache, m.rows = "", nil
	}
}

func (m *model) users() int {
	if !m.kind.IsPresence() {
		return 0
	}
	if m.sockets("") > 0 {
		return len(m.rows) + 1
	}
	return len(m.rows)
}

// TestAgainstModel runs random steps through the hub and the model, and compares every byte, every count and the hub's
// own books. Steps between two looks pile up in the workers' line, so joins fall between frames that wait.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runAgainstModel(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func runAgainstModel(t *testing.T, random *rand.Rand) {
	t.Helper()
	h := channels.NewHub(channels.Options{Workers: 3, PendingBytes: 1 << 30})
	defer h.Close()
	names := []string{"room", "private-room", "presence-room", "cache-room", "private-cache-room", "presence-cache-room", "private-encrypted-room"}
	sockets := newSockets(1 + random.IntN(3*channels.InlineMax))
	models := map[string]*model{}
	places := map[string][]*place{}
	for _, name := range names {
		models[name] = &model{kind: protocol.KindOf(name), name: name}
		for i := range sockets {
			places[name] = append(places[name], &place{socket: newSocketOf(i)})
		}
	}
	for step := range 600 {
		name := names[random.IntN(len(names))]
		m, p := models[name], places[name][random.IntN(len(sockets))]
		switch in := p.sub != nil; {
		case !in || random.IntN(12) == 0:
			data := randomData(random)
			p.sub = rejoin(t, h, name, p.socket, p.sub, data)
			m.subscribe(p, p.sub.Data())
		case random.IntN(4) == 0:
			synctest.Wait() // what still waits is lost to who leaves
			h.Unsubscribe(p.sub)
			p.sub = nil
			m.unsubscribe(p)
		default:
			randomEvent(t, h, m, p, random, step)
		}
		if random.IntN(10) == 0 {
			synctest.Wait()
			compare(t, h, models, places)
			if t.Failed() {
				t.Fatalf("at step %d", step)
			}
		}
	}
	synctest.Wait()
	compare(t, h, models, places)
	for _, name := range names {
		for _, p := range places[name] {
			if p.sub != nil {
				h.Unsubscribe(p.sub)
			}
		}
	}
	synctest.Wait()
	if s := h.Stats(); s != (channels.Stats{}) {
		t.Errorf("Stats after all left: %+v", s)
	}
	check(t, h)
}

func randomData(random *rand.Rand) string {
	user := random.IntN(12)
	switch random.IntN(6) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(`{"name":"%d"}`, user)
	case 2:
		return fmt.Sprintf(`{"user_id":"%d"}`, user)
	}
	return fmt.Sprintf(`{"user_id":%d,"user_info":{"x":"%d"}}`, user, random.IntN(100))
}

func randomEvent(t *testing.T, h *channels.Hub, m *model, p *place, random *rand.Rand, step int) {
	t.Helper()
	text := fmt.Sprintf(`{"event":"e%d","channel":%q,"data":"%s"}`, step, m.name, strings.Repeat("x", random.IntN(200)))
	var except *place
	id := protocol.SocketID{}
	switch random.IntN(3) {
	case 0:
		except, id = p, p.socket.id
	case 1:
		id = protocol.NewSocketID() // of nobody
	}
	cache := random.IntN(2) == 0
	exists, err := h.Broadcast(app, m.name, channels.Event{Message: outbound.New(text), Except: id, Cache: cache})
	if err != nil || exists != (len(m.subs) > 0) {
		t.Fatalf("Broadcast: %v, %v with %d subscribers", exists, err, len(m.subs))
	}
	m.tell(text, except)
	if cache && m.kind.IsCache() && (m.held || len(m.subs) > 0) {
		m.cache = text
	}
}

func compare(t *testing.T, h *channels.Hub, models map[string]*model, places map[string][]*place) {
	t.Helper()
	check(t, h)
	total, occupied := 0, 0
	for name, m := range models {
		for i, p := range places[name] {
			if got := p.socket.take(); !slices.Equal(got, p.want) {
				t.Errorf("%s: socket %d got\n%s\nwant\n%s", name, i, strings.Join(got, "\n"), strings.Join(p.want, "\n"))
			}
			p.want = nil
		}
		info, ok := h.Info(app, name)
		if ok != (len(m.subs) > 0) {
			t.Errorf("%s: Info says %v with %d subscribers", name, ok, len(m.subs))
			continue
		}
		if !ok {
			continue
		}
		total += len(m.subs)
		occupied++
		if info.Subscriptions != len(m.subs) || info.Users != m.users() || string(info.Cache) != m.cache || info.Kind != m.kind {
			t.Errorf("Info: %+v, want %d subscriptions, %d users, cache %q", info, len(m.subs), m.users(), m.cache)
		}
		members, _ := h.Members(app, name)
		if !slices.EqualFunc(members, m.rows, func(a protocol.RosterMember, b *protocol.MemberData) bool {
			return a.ID == b.UserID && bytes.Equal(a.IDRaw, b.UserIDRaw) && bytes.Equal(a.Info, b.UserInfo)
		}) {
			t.Errorf("%s: Members %q, want %d users", name, members, len(m.rows))
		}
	}
	compareUsers(t, h, models)
	if s := h.Stats(); s.Channels != occupied || s.Subscriptions != total {
		t.Errorf("Stats: %+v, want %d and %d", s, occupied, total)
	}
}

// compareUsers asks for the sockets of each user that any channel of the models has.
func compareUsers(t *testing.T, h *channels.Hub, models map[string]*model) {
	t.Helper()
	want := map[string]map[channels.Subscriber]bool{}
	for _, m := range models {
		for _, p := range m.subs {
			if user := id(p.data); user != "" && m.kind.IsPresence() {
				if want[user] == nil {
					want[user] = map[channels.Subscriber]bool{}
				}
				want[user][p.socket] = true
			}
		}
	}
	for user := range 12 {
		user := fmt.Sprint(user)
		got := map[channels.Subscriber]bool{}
		for _, s := range h.UserSockets(app, user) {
			if got[s] {
				t.Errorf("user %s: one socket twice", user)
			}
			got[s] = true
		}
		if !maps.Equal(got, want[user]) {
			t.Errorf("user %s has %d sockets, want %d", user, len(got), len(want[user]))
		}
	}
}
