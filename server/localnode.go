package server

import (
	"cmp"
	"slices"

	"reverb/channels"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
)

// LocalNode is this node as its relay sees it. Its methods may be called from any goroutine.
type LocalNode struct {
	// Constant after construction.
	apps   *apps
	hub    *channels.Hub
	events *publisher
}

var _ scaling.Handler = (*LocalNode)(nil)

// Deliver hands a message to this node's subscribers. Part of scaling.Handler.
func (n *LocalNode) Deliver(m scaling.Message) error {
	if n.events.trace != nil {
		n.events.trace.BroadcastingTo(m.Channel, m.Payload.JSON())
	}
	if listener := n.events.listener.Load(); listener != nil {
		e := DeliveredEvent{Message: m, Reached: n.hub.Occupied(m.App, m.Channel)}
		e.Order = nil // a listener may keep the message
		(*listener)(e)
	}
	if n.events.scaled && !n.hub.Occupied(m.App, m.Channel) {
		return nil // of another node's subscribers only; on a single node reached has asked already
	}
	_, err := n.hub.Broadcast(m.App, m.Channel, channels.Event{
		Message: m.Payload, Except: m.Except, Cache: m.Cache, Client: m.Client, Order: m.Order,
	})
	return err
}

// Hold keeps a channel in the hub until Release, with or without subscribers. Part of scaling.Handler.
func (n *LocalNode) Hold(appID, channel string) {
	if a := n.apps.get(appID); a != nil {
		rules := &a.conf().Rules
		kind, _ := kindOf(channel, rules)
		n.hub.Hold(appID, channel, channels.JoinOptions{Kind: kind, StringIDs: rules.StringUserIDs})
	}
}

// Release ends Hold. Part of scaling.Handler.
func (n *LocalNode) Release(appID, channel string) { n.hub.Release(appID, channel) }

// MemberAdded is told of a user that came into a presence channel of the cluster. Part of scaling.Handler.
func (n *LocalNode) MemberAdded(appID, channel string, m *protocol.MemberData) {
	n.hub.AddMember(appID, channel, m)
}

// MemberRemoved is told of a user that left a presence channel of the cluster. Part of scaling.Handler.
func (n *LocalNode) MemberRemoved(appID, channel, userID string) {
	n.hub.RemoveMember(appID, channel, userID)
}

// Cached is told the cached event of a channel that is held. Part of scaling.Handler.
func (n *LocalNode) Cached(appID, channel string, event outbound.Message, client bool) {
	n.hub.SetCache(appID, channel, event, client)
}

// Roster is the users of a held presence channel. Part of scaling.Handler.
func (n *LocalNode) Roster(appID, channel string) []*protocol.MemberData {
	return n.hub.Roster(appID, channel)
}

// Connections counts this node's open connections by app id. Part of scaling.Handler.
func (n *LocalNode) Connections() map[string]int {
	served := n.apps.all()
	counts := make(map[string]int, len(served))
	for id, set := range served {
		counts[id] = int(set.app.open.Load())
	}
	return counts
}

// Answer answers a query for this node alone. Part of scaling.Handler.
func (n *LocalNode) Answer(q scaling.Query) scaling.Answer {
	answer := scaling.Answer{Nodes: 1, Answered: 1}
	switch q.Of {
	case scaling.QueryConnections:
		if a := n.apps.get(q.App); a != nil {
			answer.Connections = int(a.subscribed.Load())
		}
	case scaling.QueryChannels:
		if q.Names == nil {
			answer.Channels = toScaling(n.hub.Channels(q.App, q.Prefix))
		} else {
			answer.Channels = toScaling(n.infos(q.App, q.Names))
		}
	case scaling.QueryUsers:
		answer.Channels = toScaling(n.infos(q.App, []string{q.Channel}))
		answer.Users, _ = n.hub.Members(q.App, q.Channel)
	}
	return answer
}

// infos describes those of the channels that are occupied on this node, by name.
func (n *LocalNode) infos(appID string, names []string) []channels.Info {
	infos := make([]channels.Info, 0, len(names))
	for _, name := range names {
		if info, ok := n.hub.Info(appID, name); ok {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b channels.Info) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(infos, func(a, b channels.Info) bool { return a.Name == b.Name })
}

// toScaling tells the anonymous members, which are one user together on all nodes, from the others.
func toScaling(infos []channels.Info) []scaling.ChannelInfo {
	told := make([]scaling.ChannelInfo, len(infos))
	for i := range infos {
		info := &infos[i]
		told[i] = scaling.ChannelInfo{
			Name: info.Name, Subscriptions: info.Subscriptions, Users: info.Users, Anonymous: info.Anonymous,
			Cache: info.Cache, ClientCache: info.ClientCache,
		}
		if info.Anonymous {
			told[i].Users--
		}
	}
	return told
}

// fromScaling is the other way round; the kind follows from the name.
func (a *app) fromScaling(told []scaling.ChannelInfo) []channels.Info {
	infos := make([]channels.Info, len(told))
	rules := &a.conf().Rules
	for i := range told {
		c := &told[i]
		kind, _ := kindOf(c.Name, rules)
		infos[i] = channels.Info{
			Name: c.Name, Kind: kind, Subscriptions: c.Subscriptions, Users: c.Users, Anonymous: c.Anonymous, Cache: c.Cache,
		}
		if c.Anonymous {
			infos[i].Users++
		}
	}
	return infos
}
