package channels

import (
	"sync"
	"time"

	"reverb/facts"
)

// factLine keeps the order that was decided under a channel's lock until the Recorder can be told without it.
// One goroutine tells at a time; another that comes meanwhile leaves its facts to it.
type factLine struct {
	mu      sync.Mutex   // a leaf
	waiting []facts.Fact // guarded by mu
	telling bool         // guarded by mu
}

// postLocked records a change of c, of the user if there is one. The caller holds c.mu, which decides the order. In a
// cluster the relay records everything but cache misses: changes are not decided there.
func (h *Hub) postLocked(c *Channel, kind facts.Kind, user string) {
	if h.recorder == nil || h.replicated && kind != facts.CacheMiss {
		return
	}
	f := facts.Fact{Kind: kind, App: c.home.app, Channel: c.name, At: time.Now(), UserID: user}
	line := &c.home.shard.facts
	line.mu.Lock()
	line.waiting = append(line.waiting, f)
	line.mu.Unlock()
}

// missLocked notes that a new subscriber of a cache channel found no event, unless others have since there was one. The
// caller holds c.mu.
func (h *Hub) missLocked(c *Channel) {
	if !c.kind.IsCache() || c.cache != nil || c.missed {
		return
	}
	c.missed = true
	h.postLocked(c, facts.CacheMiss, "")
}

// tell passes on the facts of c's shard. The caller holds no lock.
func (h *Hub) tell(c *Channel) {
	if h.recorder == nil {
		return
	}
	line := &c.home.shard.facts
	line.mu.Lock()
	defer line.mu.Unlock()
	if line.telling {
		return
	}
	line.telling = true
	for len(line.waiting) > 0 {
		batch := line.waiting
		line.waiting = nil
		line.mu.Unlock()
		for _, f := range batch {
			h.recorder.Record(f)
		}
		line.mu.Lock()
	}
	line.telling = false
}
