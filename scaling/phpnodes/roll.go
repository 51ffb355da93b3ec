package phpnodes

import (
	"sync"

	"reverb/protocol"
	"reverb/scaling"
)

// roll is who is here: how many subscriptions this node has to a channel, and which users on a presence channel. Events for channels that
// are not in it are not even encoded, and its users are what this node tells PHP nodes, which add up user_count: the rosters, which are
// of all nodes of this program, would be counted once for each of them.
type roll struct {
	mu sync.RWMutex
	// Guarded by mu.
	channels map[channelID]*attendance
}

type channelID struct{ app, name string }

type attendance struct {
	subscriptions int
	users         map[string]int // subscriptions by user id; nil when there are none
}

func newRoll() *roll { return &roll{channels: make(map[channelID]*attendance)} }

// enter notes a subscription that is about to be.
func (r *roll) enter(j scaling.Join) {
	id := channelID{j.App, j.Channel}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.channels[id]
	if a == nil {
		a = new(attendance)
		r.channels[id] = a
	}
	a.subscriptions++
	if user := userOf(j.Kind, j.Member); user != "" {
		if a.users == nil {
			a.users = make(map[string]int)
		}
		a.users[user]++
	}
}

// exit notes the end of a subscription.
func (r *roll) exit(l scaling.Leave) {
	id := channelID{l.App, l.Channel}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.channels[id]
	if a == nil {
		return
	}
	if user := userOf(l.Kind, l.Member); user != "" {
		if a.users[user]--; a.users[user] <= 0 {
			delete(a.users, user)
		}
	}
	if a.subscriptions--; a.subscriptions <= 0 {
		delete(r.channels, id)
	}
}

func userOf(kind protocol.Kind, m *protocol.MemberData) string {
	if m == nil || !kind.IsPresence() {
		return ""
	}
	return m.UserID
}

// attended reports whether somebody here is subscribed to the channel.
func (r *roll) attended(app, channel string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.channels[channelID{app, channel}] != nil
}

// users counts the distinct users here.
func (r *roll) users(app, channel string) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if a := r.channels[channelID{app, channel}]; a != nil {
		return len(a.users)
	}
	return 0
}
