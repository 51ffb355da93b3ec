package channels

import "sync"

// Observer is told which channels come and go. Calls for one channel are made one at a time and in order, with no lock of the hub
// held, on the goroutine of some Subscribe or Unsubscribe: it should only take note.
type Observer interface {
	ChannelOccupied(app, channel string)
	ChannelVacated(app, channel string)
}

type notice struct {
	app, channel string
	occupied     bool
}

// notices keeps the order that was decided under a channel's lock until the Observer can be told without it.
// One goroutine tells at a time; who comes meanwhile leaves its notice to it.
type notices struct {
	mu      sync.Mutex // a leaf
	waiting []notice   // guarded by mu
	telling bool       // guarded by mu
}

// postLocked notes that c came or went. The caller holds c.mu, which decides the order.
func (h *Hub) postLocked(c *Channel, occupied bool) {
	if h.observer == nil {
		return
	}
	n := &c.home.shard.notices
	n.mu.Lock()
	n.waiting = append(n.waiting, notice{app: c.home.app, channel: c.name, occupied: occupied})
	n.mu.Unlock()
}

// tell passes on the notices of c's shard. The caller holds no lock.
func (h *Hub) tell(c *Channel) {
	if h.observer == nil {
		return
	}
	n := &c.home.shard.notices
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.telling {
		return
	}
	n.telling = true
	for len(n.waiting) > 0 {
		batch := n.waiting
		n.waiting = nil
		n.mu.Unlock()
		for _, x := range batch {
			if x.occupied {
				h.observer.ChannelOccupied(x.app, x.channel)
			} else {
				h.observer.ChannelVacated(x.app, x.channel)
			}
		}
		n.mu.Lock()
	}
	n.telling = false
}
