package phpnodes_test

import (
	"context"
	"slices"
	"strings"
	"sync"

	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/phpnodes"
)

// node is a Handler that notes what it is given and answers what it is told to.
type node struct {
	mu sync.Mutex
	// Guarded by mu.
	delivered  []scaling.Message
	terminated []string
	cached     []string
	connected  int
	channels   []scaling.ChannelInfo // by name
	users      map[string][]protocol.RosterMember
}

var _ scaling.Handler = (*node)(nil)

func (n *node) Deliver(m scaling.Message) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.delivered = append(n.delivered, m)
	return nil
}

func (n *node) Terminate(app, userID string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.terminated = append(n.terminated, app+" "+userID)
}

func (n *node) Cached(app, channel string, event outbound.Message, _ bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cached = append(n.cached, app+" "+channel+" "+string(event.JSON()))
}

func (n *node) Hold(string, string)                              {}
func (n *node) Release(string, string)                           {}
func (n *node) MemberAdded(string, string, *protocol.MemberData) {}
func (n *node) MemberRemoved(string, string, string)             {}
func (n *node) Roster(string, string) []*protocol.MemberData     { return nil }
func (n *node) Connections() map[string]int                      { return nil }

// Answer answers for the one app that there is.
func (n *node) Answer(q scaling.Query) scaling.Answer {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := scaling.Answer{Nodes: 1, Answered: 1}
	if q.App != app.ID {
		return a
	}
	switch q.Of {
	case scaling.QueryConnections:
		a.Connections = n.connected
	case scaling.QueryChannels:
		for _, c := range n.channels {
			if q.Names == nil && strings.HasPrefix(c.Name, q.Prefix) || slices.Contains(q.Names, c.Name) {
				a.Channels = append(a.Channels, c)
			}
		}
	case scaling.QueryUsers:
		a.Users = n.users[q.Channel]
	}
	return a
}

// payloads are the events that were delivered.
func (n *node) payloads() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []string
	for _, m := range n.delivered {
		all = append(all, m.Channel+" "+string(m.Payload.JSON()))
	}
	return all
}

func (n *node) texts(of *[]string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(*of)
}

// alone is a relay of nodes that are only one.
type alone struct {
	*scaling.Local
	node scaling.Handler

	mu sync.Mutex
	// Guarded by mu.
	remembered []string
	published  []scaling.Message
	joined     int
	refuse     error // of Join
}

var _ phpnodes.Nodes = (*alone)(nil)

func newAlone() *alone { return &alone{Local: scaling.NewLocal()} }

func (a *alone) Remember(app, channel string, event []byte, _ bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remembered = append(a.remembered, app+" "+channel+" "+string(event))
}

func (a *alone) Publish(m scaling.Message) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.published = append(a.published, m)
	return nil
}

func (a *alone) Join(_ scaling.Join, done func(error)) {
	a.mu.Lock()
	a.joined++
	err := a.refuse
	a.mu.Unlock()
	done(err)
}

func (a *alone) Start(h scaling.Handler) error {
	a.node = h
	return a.Local.Start(h)
}

func (a *alone) Leave(scaling.Leave) {}

func (a *alone) Query(_ context.Context, q scaling.Query) scaling.Answer { return a.node.Answer(q) }

func (a *alone) OtherConnections(string) int { return 0 }
