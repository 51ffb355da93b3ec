package channels

import (
	"hash/maphash"
	"sync"
)

const (
	// userShards spreads the users over as many locks; a power of two.
	userShards = 256

	// listedSockets is up to how many sockets of one user are searched in a list rather than a map.
	listedSockets = 8
)

// users is the index of the sockets of each user on this node: those that have a presence subscription under the user's
// id. It serves questions about a user, which would otherwise be a walk over all presence channels and all their
// subscribers.
//
// Every method may be called from any goroutine, also with a channel's lock held.
type users struct {
	seed   maphash.Seed // constant after construction
	shards [userShards]userShard
}

// userShard is one part of all users, chosen by the hash of app and user id.
type userShard struct {
	mu    sync.Mutex        // a leaf
	byKey map[userKey]*user // guarded by mu; nil while there is none

	_ [48]byte // a cache line each
}

type userKey struct{ app, id string }

// user is the sockets of one user, each with the number of its subscriptions under the user's id.
type user struct {
	few  []userSocket
	many map[Subscriber]int // instead of few, once they are more than listedSockets
}

type userSocket struct {
	socket Subscriber
	times  int
}

func (u *users) shard(key userKey) *userShard {
	return &u.shards[maphash.Comparable(u.seed, key)%userShards]
}

// add notes one more subscription of socket under the user's id. Anonymous members, whose id is empty, are no users.
func (u *users) add(app, id string, socket Subscriber) {
	if id == "" {
		return
	}
	key := userKey{app, id}
	sh := u.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	found := sh.byKey[key]
	if found == nil {
		if sh.byKey == nil {
			sh.byKey = make(map[userKey]*user)
		}
		found = new(user)
		sh.byKey[key] = found
	}
	found.add(socket)
}

// remove takes back one add.
func (u *users) remove(app, id string, socket Subscriber) {
	if id == "" {
		return
	}
	key := userKey{app, id}
	sh := u.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !sh.byKey[key].remove(socket) {
		return
	}
	delete(sh.byKey, key)
	if len(sh.byKey) == 0 {
		sh.byKey = nil // a map that was large stays so
	}
}

// sockets returns the sockets of a user, each once, in no order.
func (u *users) sockets(app, id string) []Subscriber {
	key := userKey{app, id}
	sh := u.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	found := sh.byKey[key]
	if found == nil {
		return nil
	}
	sockets := make([]Subscriber, 0, len(found.few)+len(found.many))
	for i := range found.few {
		sockets = append(sockets, found.few[i].socket)
	}
	for socket := range found.many {
		sockets = append(sockets, socket)
	}
	return sockets
}

func (u *user) add(socket Subscriber) {
	if u.many != nil {
		u.many[socket]++
		return
	}
	for i := range u.few {
		if u.few[i].socket == socket {
			u.few[i].times++
			return
		}
	}
	u.few = append(u.few, userSocket{socket, 1})
	if len(u.few) > listedSockets {
		u.many = make(map[Subscriber]int, 2*len(u.few))
		for _, s := range u.few {
			u.many[s.socket] = s.times
		}
		u.few = nil
	}
}

// remove reports whether the user has no socket left.
func (u *user) remove(socket Subscriber) bool {
	if u.many != nil {
		if u.many[socket]--; u.many[socket] <= 0 {
			delete(u.many, socket)
		}
		return len(u.many) == 0
	}
	for i := range u.few {
		s := &u.few[i]
		if s.socket != socket {
			continue
		}
		if s.times--; s.times <= 0 {
			last := len(u.few) - 1
			u.few[i] = u.few[last]
			u.few[last] = userSocket{}
			u.few = u.few[:last]
		}
		break
	}
	return len(u.few) == 0
}

// UserSockets returns the sockets of this node that have a presence subscription under the user's id, each once, in no
// order.
func (h *Hub) UserSockets(app, userID string) []Subscriber {
	if userID == "" {
		return nil
	}
	return h.users.sockets(app, userID)
}
