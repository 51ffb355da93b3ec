package server

import (
	"sync"
	"sync/atomic"

	"reverb/protocol"
)

// registryShards is a power of two. One shard's lock is held while its sessions are copied: at a million connections
// 4,000 pointers each, some microseconds.
const registryShards = 256

// registry holds every session of the node, for the sweep and the drain. No client has one looked up by its socket id,
// since channels know their subscribers; for a person at the live page its shard is searched. Each shard is a dense
// list in which a session knows its place: four bytes per connection and no map.
type registry struct {
	shards [registryShards]registryShard

	// Atomic.
	count atomic.Int64
}

type registryShard struct {
	mu sync.Mutex // leaf: nothing is called while it is held
	// Guarded by mu.
	sessions []*Session
}

// place is where a session stands in the registry. Written by the registry only.
type place struct {
	index uint32 // guarded by the shard's mu
}

func (r *registry) shard(id protocol.SocketID) *registryShard {
	return &r.shards[id.Hash()%registryShards]
}

func (r *registry) add(ss *Session) {
	sh := r.shard(ss.id)
	sh.mu.Lock()
	ss.place.index = uint32(len(sh.sessions))
	sh.sessions = append(sh.sessions, ss)
	sh.mu.Unlock()
	r.count.Add(1)
}

// remove takes out a session that was added, once.
func (r *registry) remove(ss *Session) {
	sh := r.shard(ss.id)
	sh.mu.Lock()
	last := len(sh.sessions) - 1
	moved := sh.sessions[last]
	sh.sessions[ss.place.index] = moved
	moved.place.index = ss.place.index
	sh.sessions[last] = nil
	sh.sessions = sh.sessions[:last]
	if cap(sh.sessions) > 64 && len(sh.sessions) < cap(sh.sessions)/4 {
		sh.sessions = append(make([]*Session, 0, len(sh.sessions)*2), sh.sessions...)
	}
	sh.mu.Unlock()
	r.count.Add(-1)
}

// find returns the session with this id, nil if there is none.
func (r *registry) find(id protocol.SocketID) *Session {
	sh := r.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, ss := range sh.sessions {
		if ss.id == id {
			return ss
		}
	}
	return nil
}

func (r *registry) len() int { return int(r.count.Load()) }

// each calls visit for every session, with no lock held: a shard is copied and then visited. Sessions that come or go
// meanwhile may or may not be seen. buf is scratch space; the result is to be handed in again.
func (r *registry) each(buf []*Session, visit func(*Session)) []*Session {
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.Lock()
		buf = append(buf[:0], sh.sessions...)
		sh.mu.Unlock()
		for _, ss := range buf {
			visit(ss)
		}
	}
	clear(buf[:cap(buf)]) // closed sessions must not live on in it
	return buf[:0]
}
