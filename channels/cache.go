package channels

import (
	"sync"
	"sync/atomic"

	"reverb/outbound"
	"reverb/protocol"
)

// cached is the last event of a cache channel. It lives as long as the channel has a subscriber and has no other end
// (Reverb: CacheChannel; Pusher forgets it after 30 minutes).
type cached struct {
	event  outbound.Message
	client bool // a client's event
}

// cachedCost is what a cached event costs beside its JSON, in bytes.
const cachedCost = 64

func (c *cached) cost() int64 { return int64(len(c.event.JSON())) + cachedCost }

// account counts the bytes that the cached events of one app hold on this node, those of clients apart from those of
// the HTTP API, so that no client can push out an event of the application.
type account struct {
	all *accounts // constant after construction
	app string    // constant after construction

	byAPI, byClients atomic.Int64
}

func (a *account) bytes(client bool) *atomic.Int64 {
	if client {
		return &a.byClients
	}
	return &a.byAPI
}

// enter counts a cached event in; false: the app's events have as many bytes as they may.
func (a *account) enter(c *cached) bool {
	after := a.bytes(c.client).Add(c.cost())
	if a.all.limit == nil {
		return true
	}
	if limit := a.all.limit(a.app, c.client); limit <= 0 || after <= limit {
		return true
	}
	a.leave(c)
	if a.all.refused != nil {
		a.all.refused(a.app, c.client)
	}
	return false
}

func (a *account) leave(c *cached) { a.bytes(c.client).Add(-c.cost()) }

// accounts are made on first use and stay: there are as many as apps.
type accounts struct {
	limit   func(app string, client bool) int64 // Options.CacheLimit; constant after construction
	refused func(app string, client bool)       // Options.OnUncached; constant after construction

	mu    sync.Mutex          // a leaf
	byApp map[string]*account // guarded by mu
}

func (a *accounts) of(app string) *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	found := a.byApp[app]
	if found == nil {
		if a.byApp == nil {
			a.byApp = make(map[string]*account)
		}
		found = &account{all: a, app: app}
		a.byApp[app] = found
	}
	return found
}

// storeLocked keeps event if this is a cache channel, in place of the one before. Member announcements never come here,
// though Reverb caches member_removed. When the cached events of the app have as many bytes as they may, the channel
// keeps none: an older one would be wrong. The caller holds c.mu.
func (c *Channel) storeLocked(event outbound.Message, client bool) {
	if !c.kind.IsCache() {
		return
	}
	c.forgetCachedLocked()
	if kept := (&cached{event: event, client: client}); c.home.account.enter(kept) {
		c.cache, c.missed = kept, false
	}
}

// forgetCachedLocked takes the cached event away. The caller holds c.mu.
func (c *Channel) forgetCachedLocked() {
	if c.cache != nil {
		c.home.account.leave(c.cache)
		c.cache = nil
	}
}

// cachedLocked is the message that a new subscriber of a cache channel gets after the reply. The caller holds c.mu.
func (c *Channel) cachedLocked() outbound.Message {
	if c.cache == nil {
		return protocol.CacheMissMessage(c.name)
	}
	return c.cache.event
}
