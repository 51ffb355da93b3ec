package channels

import (
	"fmt"
	"maps"
	"unsafe"
)

// What the tests need to know of the sizes.
const (
	InlineMax        = inlineMax
	SliceLen         = sliceLen
	LinearMembers    = linearMembers
	ListedSockets    = listedSockets
	PassBytes        = passBytes
	ItemCost         = itemCost
	ChannelSize      = unsafe.Sizeof(Channel{})
	SubscriptionSize = unsafe.Sizeof(Subscription{})
)

// ConsistencyCheck compares everything in the hub that is kept twice. Nothing else may use the hub meanwhile and no
// pass may run.
func (h *Hub) ConsistencyCheck() error {
	channels, subscriptions := 0, 0
	var members users
	members.seed = h.users.seed
	for i := range h.registry.shards {
		sh := &h.registry.shards[i]
		for app, b := range sh.apps {
			if b.app != app || b.shard != sh || len(b.channels) == 0 {
				return fmt.Errorf("bucket of %q is empty or misplaced", app)
			}
			for name, c := range b.channels {
				if c.name != name || c.home != b || h.registry.shard(app, name) != sh {
					return fmt.Errorf("channel %q is misplaced", name)
				}
				if err := c.check(h.replicated); err != nil {
					return fmt.Errorf("channel %q: %w", name, err)
				}
				if c.subs.len() > 0 {
					channels++
				}
				subscriptions += c.subs.len()
				c.subs.each(func(s *Subscription) bool {
					members.add(app, c.userOf(s.data), s.subscriber)
					return true
				})
			}
		}
		if len(sh.facts.waiting) > 0 {
			return fmt.Errorf("%d notices were not told", len(sh.facts.waiting))
		}
	}
	if s := h.Stats(); s.Channels != channels || s.Subscriptions != subscriptions {
		return fmt.Errorf("stats are %+v, counted %d channels and %d subscriptions", s, channels, subscriptions)
	}
	if err := h.users.check(&members); err != nil {
		return err
	}
	if n := h.delivery.clientPending.Load(); n != 0 {
		return fmt.Errorf("%d bytes of clients' events are pending", n)
	}
	if pending, crowded, waiting := h.delivery.pending.Load(), h.delivery.crowded.Load(), h.delivery.waiting.Load(); !h.AllSent() || crowded != 0 || waiting != 0 {
		return fmt.Errorf("%d bytes are pending, %d queues are crowded, %d bytes wait for room", pending, crowded, waiting)
	}
	if h.delivery.pool.head != nil || h.delivery.pool.tail != nil {
		return fmt.Errorf("the pool's line is not empty")
	}
	return nil
}

func (c *Channel) check(replicated bool) error {
	if c.gone || c.busy || c.subs.len() == 0 && !c.held || c.held && !replicated {
		return fmt.Errorf("gone %v, busy %v, %d subscriptions", c.gone, c.busy, c.subs.len())
	}
	if q := c.queue; q != nil && (len(q.items) > 0 || q.bytes != 0 || q.pass.recipients != nil || q.next != nil) {
		return fmt.Errorf("queue holds %d items, %d bytes", len(q.items), q.bytes)
	}
	if m := c.subs.many; m != nil && (len(m.subs) < 2 || m.lent || c.subs.one != nil) {
		return fmt.Errorf("set: %d in the list, lent %v, one %v", len(m.subs), m.lent, c.subs.one)
	}
	if c.cache != nil && !c.kind.IsCache() {
		return fmt.Errorf("cache in a channel of kind %v", c.kind)
	}
	if (c.roster != nil) != c.kind.IsPresence() {
		return fmt.Errorf("roster %v in a channel of kind %v", c.roster, c.kind)
	}
	sockets, anonymous, index := map[string]int{}, 0, int32(0)
	var err error
	c.subs.each(func(s *Subscription) bool {
		if s.index != index || s.channel != c || s.from == never {
			err = fmt.Errorf("subscription %v has index %d at %d", s.id, s.index, index)
		}
		index++
		if id := userID(s.data); id != "" {
			sockets[id]++
		} else {
			anonymous++
		}
		return err == nil
	})
	if err != nil || c.roster == nil {
		return err
	}
	if replicated { // who else is in the roster is not told by the sockets
		clear(sockets)
		for _, m := range c.roster.order {
			sockets[m.data.UserID] = 1
		}
	}
	return c.roster.check(sockets, anonymous)
}

func (r *roster) check(sockets map[string]int, anonymous int) error {
	if r.anonymous != anonymous || len(r.order) != len(sockets) || r.byID != nil && len(r.byID) != len(sockets) {
		return fmt.Errorf("roster of %d users, %d in the map, %d anonymous; counted %d and %d",
			len(r.order), len(r.byID), r.anonymous, len(sockets), anonymous)
	}
	for id, n := range sockets {
		if m := r.find(id); m == nil || m.sockets != n || m.data.UserID != id {
			return fmt.Errorf("member %q is %+v, counted %d sockets", id, m, n)
		}
	}
	var want snapshot
	for _, row := range r.rows() {
		want.append(row)
	}
	if got := r.snapshot; string(got.ids) != string(want.ids) || string(got.hash) != string(want.hash) {
		return fmt.Errorf("snapshot is %q, want %q", got, want)
	}
	return nil
}

// check compares the index of users with one that was made from the channels just now.
func (u *users) check(want *users) error {
	for i := range u.shards {
		got, want := u.shards[i].byKey, want.shards[i].byKey
		if len(got) != len(want) {
			return fmt.Errorf("shard %d of the users has %d, counted %d", i, len(got), len(want))
		}
		for key, counted := range want {
			found := got[key]
			if found == nil || !maps.Equal(found.sockets(), counted.sockets()) {
				return fmt.Errorf("user %v is %+v, counted %+v", key, found, counted)
			}
		}
	}
	return nil
}

// sockets are those of the list or of the map, which is only there while they are many or have been.
func (u *user) sockets() map[Subscriber]int {
	all := maps.Clone(u.many)
	if all == nil {
		all = make(map[Subscriber]int)
	}
	for _, s := range u.few {
		all[s.socket] += s.times
	}
	return all
}
