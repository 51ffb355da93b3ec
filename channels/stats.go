package channels

import (
	"cmp"
	"slices"

	"reverb/protocol"
)

// Info describes a channel, as the HTTP API does.
type Info struct {
	Name          string
	Kind          protocol.Kind
	Subscriptions int
	Users         int    // distinct users, presence only; all members without id count as one (Reverb: user_count)
	Anonymous     bool   // some members have no id
	Cache         []byte // the cached event object, nil if there is none; not to be changed
	ClientCache   bool   // it is a client's
}

// Info describes one channel; false when it has no subscriber.
func (h *Hub) Info(app, channel string) (Info, bool) {
	c := h.registry.find(app, channel)
	if c == nil {
		return Info{}, false
	}
	return c.info()
}

// Channels describes all channels of an app whose names begin with prefix, sorted by name.
func (h *Hub) Channels(app, prefix string) []Info {
	infos := []Info{}
	for c := range h.registry.all(app, prefix) {
		if info, ok := c.info(); ok {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	return infos
}

// Members returns the users of a presence channel, distinct, in the order they came, only those with an id; false when
// the channel has no subscriber. Their bytes are not to be changed.
func (h *Hub) Members(app, channel string) ([]protocol.RosterMember, bool) {
	c := h.registry.find(app, channel)
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subs.len() == 0 {
		return nil, false
	}
	if c.roster == nil {
		return nil, true
	}
	return c.roster.rows(), true
}

// Stats are totals of the node.
type Stats struct{ Channels, Subscriptions int }

// Stats returns the totals. It takes no lock.
func (h *Hub) Stats() Stats {
	return Stats{Channels: int(h.channels.Load()), Subscriptions: int(h.subscriptions.Load())}
}

func (c *Channel) info() (Info, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.subs.len()
	if n == 0 {
		return Info{}, false
	}
	info := Info{Name: c.name, Kind: c.kind, Subscriptions: n}
	if c.roster != nil {
		info.Users = c.roster.users()
		info.Anonymous = c.roster.anonymous > 0
	}
	if c.cache != nil {
		info.Cache, info.ClientCache = c.cache.event.JSON(), c.cache.client
	}
	return info, true
}
