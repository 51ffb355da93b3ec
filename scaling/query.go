package scaling

import (
	"cmp"
	"slices"

	"reverb/protocol"
)

// QueryKind says what is asked.
type QueryKind uint8

// The kinds of queries, with the fields of Query and Answer that each uses. Their numbers are sent between nodes.
const (
	QueryConnections QueryKind = 1 + iota // App: Connections
	QueryChannels                         // App, and Names or Prefix: Channels
	QueryUsers                            // App, Channel: Users, and Channels with the one channel if it is occupied
)

// Query is a question about an app.
type Query struct {
	Of      QueryKind
	App     string
	Prefix  string   // channels whose name begins so; empty: all
	Names   []string // these channels; nil: by Prefix
	Channel string
}

// ChannelInfo is what is known of one channel that has a subscriber.
type ChannelInfo struct {
	Name          string
	Subscriptions int
	Users         int    // distinct users with an id that are in the roster
	Anonymous     bool   // some subscriptions of a presence channel have no user id; together they count as one user
	Cache         []byte // the cached event, nil if there is none; not to be changed
	ClientCache   bool   // it is a client's; told of the own node only
}

// Answer is what one node knows, or after Merge what several know together.
type Answer struct {
	Connections int           // with at least one subscription
	Channels    []ChannelInfo // occupied ones, by name
	Users       []protocol.RosterMember

	Nodes    int // that were asked
	Answered int // that have answered
}

// Partial reports whether somebody did not answer.
func (a *Answer) Partial() bool { return a.Answered < a.Nodes }

// Merge adds what another node knows. Subscriptions are counted together. Rosters are not: every node has that of the cluster, so the
// longer one is nearer to the truth. Users are told apart by the text of their ids and keep the order of a, then of b.
func (a *Answer) Merge(b Answer) {
	a.Connections += b.Connections
	a.Nodes += b.Nodes
	a.Answered += b.Answered
	a.Channels = mergeChannels(a.Channels, b.Channels)
	a.Users = mergeUsers(a.Users, b.Users)
}

func mergeChannels(a, b []ChannelInfo) []ChannelInfo {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	all := make([]ChannelInfo, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch cmp.Compare(a[0].Name, b[0].Name) {
		case -1:
			all, a = append(all, a[0]), a[1:]
		case 1:
			all, b = append(all, b[0]), b[1:]
		default:
			all, a, b = append(all, a[0].with(b[0])), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// with is what two nodes know of the same channel.
func (c ChannelInfo) with(other ChannelInfo) ChannelInfo {
	c.Subscriptions += other.Subscriptions
	c.Users = max(c.Users, other.Users)
	c.Anonymous = c.Anonymous || other.Anonymous
	if c.Cache == nil {
		c.Cache = other.Cache
	}
	return c
}

func mergeUsers(a, b []protocol.RosterMember) []protocol.RosterMember {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	known := make(map[string]struct{}, len(a)+len(b))
	for i := range a {
		known[a[i].ID] = struct{}{}
	}
	a = slices.Clip(a)
	for i := range b {
		if _, ok := known[b[i].ID]; !ok {
			known[b[i].ID] = struct{}{}
			a = append(a, b[i])
		}
	}
	return a
}
