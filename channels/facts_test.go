package channels_test

import (
	"slices"
	"sync"
	"testing"

	"reverb/channels"
	"reverb/facts"
)

// ledger keeps facts, and looks whether each is a change of what those before it say.
type ledger struct {
	mu       sync.Mutex
	all      []string
	present  map[string]bool // channels that are occupied, and channels with a user
	mistakes []string
}

func (l *ledger) Record(f facts.Fact) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.present == nil {
		l.present = make(map[string]bool)
	}
	text := string(f.Kind) + " " + f.Channel
	if f.UserID != "" {
		text += " " + f.UserID
	}
	l.all = append(l.all, text)
	what := f.Channel + "/" + f.UserID
	wrong := f.App != app || f.At.IsZero()
	switch f.Kind {
	case facts.ChannelOccupied, facts.MemberAdded:
		wrong = wrong || l.present[what]
		l.present[what] = true
	case facts.ChannelVacated, facts.MemberRemoved:
		wrong = wrong || !l.present[what]
		delete(l.present, what)
	}
	if wrong || f.UserID != "" && !l.present[f.Channel+"/"] {
		l.mistakes = append(l.mistakes, text)
	}
}

// settled wants every fact to have been a change, and nobody to be left.
func (l *ledger) settled(t *testing.T) {
	t.Helper()
	if len(l.mistakes) > 0 || len(l.present) > 0 {
		t.Errorf("%d facts are no change, the first ones %q; left are %v", len(l.mistakes), l.mistakes[:min(3, len(l.mistakes))], l.present)
	}
}

func (l *ledger) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(l.all, want) {
		t.Errorf("facts are %q, want %q", l.all, want)
	}
	l.all = nil
}

func TestFactsOfAChannel(t *testing.T) {
	var l ledger
	h := newHub(t, channels.Options{Facts: &l})
	a, b := newSocket(), newSocket()
	subA := join(t, h, "room", a, "")
	subB := join(t, h, "room", b, "")
	h.Unsubscribe(subA)
	l.want(t, "channel_occupied room")
	h.Unsubscribe(subB)
	join(t, h, "room", b, "")
	l.want(t, "channel_vacated room", "channel_occupied room")
}

// A user comes with its first socket and goes with its last; an anonymous subscription is no user.
func TestFactsOfMembers(t *testing.T) {
	var l ledger
	h := newHub(t, channels.Options{Facts: &l})
	first := join(t, h, room, newSocket(), `{"user_id":1}`)
	second := join(t, h, room, newSocket(), `{"user_id":1}`)
	anonymous := join(t, h, room, newSocket(), "")
	l.want(t, "channel_occupied "+room, "member_added "+room+" 1")
	h.Unsubscribe(first)
	l.want(t)
	h.Unsubscribe(second)
	l.want(t, "member_removed "+room+" 1")
	h.Unsubscribe(anonymous)
	l.want(t, "channel_vacated "+room)
	l.settled(t)
}

// A socket that subscribes again as another user is one user less and one more.
func TestFactsOfAnotherUser(t *testing.T) {
	var l ledger
	h := newHub(t, channels.Options{Facts: &l})
	s := newSocket()
	sub := join(t, h, room, s, `{"user_id":1}`)
	rejoin(t, h, room, s, sub, `{"user_id":1,"user_info":{}}`)
	l.want(t, "channel_occupied "+room, "member_added "+room+" 1")
	rejoin(t, h, room, s, sub, `{"user_id":2}`)
	l.want(t, "member_removed "+room+" 1", "member_added "+room+" 2")
	h.Unsubscribe(sub)
	l.want(t, "member_removed "+room+" 2", "channel_vacated "+room)
	l.settled(t)
}

// A cache channel without an event is missed once, until it has had one.
func TestFactsOfACacheMiss(t *testing.T) {
	var l ledger
	h := newHub(t, channels.Options{Facts: &l})
	const name = "cache-room"
	subs := []*channels.Subscription{join(t, h, name, newSocket(), ""), join(t, h, name, newSocket(), "")}
	l.want(t, "channel_occupied "+name, "cache_miss "+name)
	say(t, h, name, "{}", newSocket())
	subs = append(subs, join(t, h, name, newSocket(), ""))
	for _, sub := range subs {
		h.Unsubscribe(sub)
	}
	l.want(t, "channel_vacated "+name)
	h.Unsubscribe(join(t, h, name, newSocket(), ""))
	l.want(t, "channel_occupied "+name, "cache_miss "+name, "channel_vacated "+name)
}

// A copy of a cluster's rosters decides nothing.
func TestFactsOfAReplica(t *testing.T) {
	var l ledger
	h := newHub(t, channels.Options{Facts: &l, Replicated: true})
	h.Unsubscribe(join(t, h, "cache-room", newSocket(), ""))
	h.Unsubscribe(join(t, h, room, newSocket(), `{"user_id":1}`))
	l.want(t, "cache_miss cache-room")
}
