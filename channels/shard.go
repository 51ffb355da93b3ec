package channels

import (
	"hash/maphash"
	"math/bits"
	"sync"

	"reverb/protocol"
)

// shardCount spreads the channels over as many locks; a power of two.
const shardCount = 256

// shard is one part of all channels, chosen by the hash of app and name.
//
// mu is never held together with a channel's lock: a crowded channel must not hold up the others of its shard.
type shard struct {
	mu   sync.RWMutex
	apps map[string]*bucket // guarded by mu

	notices notices

	_ [56]byte // two cache lines each, so that neighbours do not share one
}

// bucket is one app's channels in one shard. Keys without the app are 16 bytes smaller in each slot of the map.
// A bucket that ran empty is thrown away, because maps never shrink.
type bucket struct {
	// Constant after construction.
	shard   *shard
	app     string
	account *account

	channels map[string]*Channel // guarded by shard.mu
}

func (h *Hub) shard(app, name string) *shard {
	sum := maphash.String(h.seed, name) ^ bits.RotateLeft64(maphash.String(h.seed, app), 32)
	return &h.shards[sum%shardCount]
}

// find returns the channel or nil. One that it returns may be empty: just made or just gone.
func (h *Hub) find(app, name string) *Channel {
	return h.shard(app, name).find(app, name)
}

// openLocked returns the channel, made when there was none, with its lock held.
func (h *Hub) openLocked(app, name string, kind protocol.Kind) *Channel {
	sh := h.shard(app, name)
	for {
		c := sh.find(app, name)
		if c == nil {
			c = sh.open(app, name, kind, &h.accounts)
		}
		c.mu.Lock()
		if !c.gone {
			return c
		}
		// The last subscriber left between the look-up and the lock, and has not taken the channel out of the map yet.
		c.mu.Unlock()
		c.home.remove(c)
	}
}

func (sh *shard) find(app, name string) *Channel {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if b := sh.apps[app]; b != nil {
		return b.channels[name]
	}
	return nil
}

func (sh *shard) open(app, name string, kind protocol.Kind, accounts *accounts) *Channel {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	b := sh.apps[app]
	if b == nil {
		if sh.apps == nil {
			sh.apps = make(map[string]*bucket)
		}
		b = &bucket{shard: sh, app: app, account: accounts.of(app), channels: make(map[string]*Channel)}
		sh.apps[app] = b
	}
	c := b.channels[name]
	if c == nil {
		c = &Channel{home: b, name: name, kind: kind}
		b.channels[name] = c
	}
	return c
}

// remove takes c, which is gone, out of the map, unless another channel has its name by now.
func (b *bucket) remove(c *Channel) {
	b.shard.mu.Lock()
	defer b.shard.mu.Unlock()
	if b.channels[c.name] != c {
		return
	}
	delete(b.channels, c.name)
	if len(b.channels) == 0 {
		delete(b.shard.apps, b.app)
	}
}
