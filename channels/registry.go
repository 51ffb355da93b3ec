package channels

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"strings"
	"sync"

	"reverb/protocol"
)

// shardCount spreads the channels over as many locks; a power of two.
const shardCount = 256

// registry is the channels of all apps by name.
type registry struct {
	seed     maphash.Seed // constant after construction
	accounts accounts
	shards   [shardCount]shard
}

// shard is one part of all channels, chosen by the hash of app and name.
//
// mu is never held together with a channel's lock: a crowded channel must not hold up the others of its shard.
type shard struct {
	mu   sync.RWMutex
	apps map[string]*bucket // guarded by mu

	facts factLine

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

func (r *registry) shard(app, name string) *shard {
	sum := maphash.String(r.seed, name) ^ bits.RotateLeft64(maphash.String(r.seed, app), 32)
	return &r.shards[sum%shardCount]
}

// find returns the channel or nil. One that it returns may be empty: just made or just gone.
func (r *registry) find(app, name string) *Channel {
	return r.shard(app, name).find(app, name)
}

// openLocked returns the channel, made when there was none, with its lock held.
func (r *registry) openLocked(app, name string, kind protocol.Kind) *Channel {
	sh := r.shard(app, name)
	for {
		c := sh.find(app, name)
		if c == nil {
			c = sh.open(app, name, kind, &r.accounts)
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

// all yields the channels of an app whose names begin with prefix; some may be empty. It holds no lock while it yields
// and needs memory for one shard at a time.
func (r *registry) all(app, prefix string) iter.Seq[*Channel] {
	return func(yield func(*Channel) bool) {
		var found []*Channel
		for i := range r.shards {
			found = r.shards[i].appendAll(found[:0], app, prefix)
			for _, c := range found {
				if !yield(c) {
					return
				}
			}
		}
	}
}

func (sh *shard) appendAll(dst []*Channel, app, prefix string) []*Channel {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if b := sh.apps[app]; b != nil {
		for name, c := range b.channels {
			if strings.HasPrefix(name, prefix) {
				dst = append(dst, c)
			}
		}
	}
	return dst
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
