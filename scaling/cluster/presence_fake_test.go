package cluster_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/cluster"
)

const (
	app     = "app"
	channel = "presence-room"
)

// site is a Handler that keeps rosters and remembers what was announced.
type site struct {
	mu    sync.Mutex
	rooms map[string]*room
	wrong []string // calls that a hub would not expect
	open  map[string]int
}

// room is one held channel.
type room struct {
	users []string
	data  map[string]string
	told  []string // "+user" and "-user"
}

func newSite() *site { return &site{rooms: map[string]*room{}, open: map[string]int{app: 1}} }

func (s *site) Deliver(scaling.Message) error                  { return nil }
func (s *site) Terminate(_, _ string)                          {}
func (s *site) Cached(_, _ string, _ outbound.Message, _ bool) {}
func (s *site) Answer(scaling.Query) (a scaling.Answer)        { return a }

func (s *site) Roster(_, _ string) []*protocol.MemberData { return nil }

func (s *site) Connections() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]int{app: s.open[app]}
}

func (s *site) Hold(_, channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[channel] != nil {
		s.wrong = append(s.wrong, "hold "+channel+" twice")
	}
	s.rooms[channel] = &room{data: map[string]string{}}
}

func (s *site) Release(_, channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[channel] == nil {
		s.wrong = append(s.wrong, "release "+channel+", not held")
	}
	delete(s.rooms, channel)
}

func (s *site) MemberAdded(_, channel string, m *protocol.MemberData) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[channel]
	if r == nil {
		s.wrong = append(s.wrong, "add to "+channel+", not held")
		return
	}
	if r.data[m.UserID] == "" {
		r.users = append(r.users, m.UserID)
		r.told = append(r.told, "+"+m.UserID)
	}
	r.data[m.UserID] = string(m.Raw)
}

func (s *site) MemberRemoved(_, channel, userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[channel]
	if r == nil || r.data[userID] == "" {
		s.wrong = append(s.wrong, "remove "+userID+" from "+channel+", not there")
		return
	}
	delete(r.data, userID)
	r.users = slices.DeleteFunc(r.users, func(id string) bool { return id == userID })
	r.told = append(r.told, "-"+userID)
}

// roster is the users of the channel in the order they came, in one line; "none" when it is not held.
func (s *site) roster(channel string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[channel] == nil {
		return "none"
	}
	return strings.Join(s.rooms[channel].users, " ")
}

// told is what was announced in the channel, in one line.
func (s *site) told(channel string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[channel] == nil {
		return "none"
	}
	return strings.Join(s.rooms[channel].told, " ")
}

func (s *site) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.wrong {
		t.Error(w)
	}
}

// node is one node of a cluster, with its own way to Redis.
type node struct {
	*site
	t     *testing.T
	relay *cluster.Relay
	proxy *redistest.Proxy
}

// hasty are options with which a lease lapses at once.
func hasty(addr string) cluster.Options {
	return cluster.Options{
		Redis: bus.Options{
			Addrs: []string{addr}, ConnectTimeout: time.Second, ReplyTimeout: 500 * time.Millisecond, Settle: -1,
		},
		Lease: 800 * time.Millisecond, Beat: 50 * time.Millisecond, Retell: 800 * time.Millisecond, Grace: 800 * time.Millisecond,
		Linger: 50 * time.Millisecond,
	}
}

func startNode(t *testing.T, redis *redistest.Server) *node {
	t.Helper()
	proxy := redistest.NewProxy(t, redis.Addr)
	return startNodeWith(t, proxy, hasty(proxy.Addr))
}

func startNodeWith(t *testing.T, proxy *redistest.Proxy, o cluster.Options) *node {
	t.Helper()
	relay, err := cluster.New(o)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{site: newSite(), t: t, relay: relay, proxy: proxy}
	if err := relay.Start(n.site); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		relay.Close()
		n.check(t)
	})
	eventually(t, "node is up", func() string {
		if !relay.Status().Up {
			return "down"
		}
		return ""
	})
	return n
}

// kill is what kill -9 is for the others.
func (n *node) kill() {
	n.proxy.Cut()
	n.relay.Close()
}

func member(user string) *protocol.MemberData {
	m, err := protocol.ParseMemberData(fmt.Sprintf(`{"user_id":%q,"user_info":{"name":%q}}`, user, "Mr "+user))
	if err != nil {
		panic(err)
	}
	return &m
}

var kind = protocol.KindOf(channel)

// answer is what a Join is answered with.
type answer struct {
	given chan struct{} // closed when it is
	err   error
}

// begin joins a user.
func (n *node) begin(channel, user string, most int) *answer {
	a := &answer{given: make(chan struct{})}
	n.relay.Join(scaling.Join{App: app, Channel: channel, Kind: kind, Member: member(user), MaxMembers: most}, func(err error) {
		a.err = err
		close(a.given)
	})
	return a
}

var errLate = errors.New("no answer")

func wait(a *answer) error {
	select {
	case <-a.given:
		return a.err
	case <-time.After(soon):
		return errLate
	}
}

// join joins users, one after the other.
func (n *node) join(channel string, users ...string) {
	n.t.Helper()
	for _, user := range users {
		if err := wait(n.begin(channel, user, 0)); err != nil {
			n.t.Fatalf("join %s: %v", user, err)
		}
		if !slices.Contains(strings.Fields(n.roster(channel)), user) {
			n.t.Errorf("%s has joined and is not in the roster %q", user, n.roster(channel))
		}
	}
}

func (n *node) leave(channel string, users ...string) {
	for _, user := range users {
		n.relay.Leave(scaling.Leave{App: app, Channel: channel, Kind: kind, Member: member(user)})
	}
}

func (n *node) leaveWithGrace(channel string, users ...string) {
	for _, user := range users {
		n.relay.Leave(scaling.Leave{App: app, Channel: channel, Kind: kind, Member: member(user), Grace: true})
	}
}

// eventually asks until f has nothing to complain about.
func eventually(t *testing.T, what string, f func() string) {
	t.Helper()
	var complaint string
	if !redistest.Eventually(soon, func() bool { complaint = f(); return complaint == "" }) {
		t.Fatalf("%s: %s", what, complaint)
	}
}

// sees waits until the nodes' rosters are these users, in any order.
func sees(t *testing.T, want string, nodes ...*node) {
	t.Helper()
	eventually(t, "rosters", func() string {
		for i, n := range nodes {
			got := strings.Fields(n.roster(channel))
			slices.Sort(got)
			if s := strings.Join(got, " "); s != want {
				return fmt.Sprintf("node %d sees %q, want %q; told %s", i, s, want, n.told(channel))
			}
		}
		return ""
	})
}

// hears waits until exactly this was announced on the nodes.
func hears(t *testing.T, want string, nodes ...*node) {
	t.Helper()
	eventually(t, "announcements", func() string {
		for i, n := range nodes {
			if got := n.told(channel); got != want {
				return fmt.Sprintf("node %d was told %q, want %q", i, got, want)
			}
		}
		return ""
	})
}

// emptied waits until Redis holds only what is about nodes: nothing about channels, and nothing about nodes that have left, but for those
// that died not long ago.
func emptied(t *testing.T, redis *redistest.Server) {
	t.Helper()
	eventually(t, "keys in Redis", func() string {
		dead, _ := redis.Do("ZRANGE", "reverb:{nodes}:dead", "0", "-1").([]any)
		keys, _ := redis.Do("KEYS", "*").([]any)
		var left []string
		for _, k := range keys {
			key, _ := k.(string)
			ofDead := slices.ContainsFunc(dead, func(id any) bool { return key == "reverb:{node:"+id.(string)+"}:channels" })
			if !strings.Contains(key, "{nodes}") && !ofDead {
				left = append(left, key)
			}
		}
		return strings.Join(left, " ")
	})
}
