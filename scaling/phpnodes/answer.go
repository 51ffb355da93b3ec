package phpnodes

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"reverb/protocol"
	"reverb/scaling"
)

// emptyList is what PHP writes for an array without elements, be it a list or a map.
const emptyList = "[]"

// answerAll answers questions of PHP nodes until ctx ends. Every one of them waits for an answer of each subscriber of the channel, so
// there is one for apps and types that this node does not know too.
func (r *Relay) answerAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-r.asked:
			r.reply(r.appendAnswer(beginAnswer(nil, m.key), &m))
		}
	}
}

// reply publishes an answer; when Redis is down nobody waits for it any more.
func (r *Relay) reply(text []byte) {
	s := signature{node: r.id}
	r.bus.PublishCount(r.opts.Channel, s.appendTo(text), func(int, error) {})
}

// appendAnswer appends what this node alone knows, in the shape that PHP nodes merge.
func (r *Relay) appendAnswer(dst []byte, m *metric) []byte {
	wanted := infoOf(m.info)
	switch m.of {
	case metricConnections:
		a := r.handler.Answer(scaling.Query{Of: scaling.QueryConnections, App: m.app})
		return r.appendConnections(dst, a.Connections)
	case metricChannels:
		return r.appendChannels(dst, m, wanted)
	case metricChannel:
		a := r.handler.Answer(scaling.Query{Of: scaling.QueryChannels, App: m.app, Names: []string{m.channel}})
		return r.appendInfo(dst, m.app, m.channel, wanted, a.Channels)
	case metricUsers:
		a := r.handler.Answer(scaling.Query{Of: scaling.QueryUsers, App: m.app, Channel: m.channel})
		return appendUsers(dst, a.Users)
	}
	return append(dst, emptyList...)
}

// appendConnections appends a map with one member for each connection, which PHP nodes count. Its keys are not the socket ids, which
// nobody reads, but as unique.
func (r *Relay) appendConnections(dst []byte, n int) []byte {
	if n == 0 {
		return append(dst, emptyList...)
	}
	dst = slices.Grow(dst, n*(len(r.id)+len(`"."":{},`)+7))
	for i := range n {
		dst = append(dst, separator(i), '"')
		dst = append(append(dst, r.id...), '.')
		dst = append(strconv.AppendInt(dst, int64(i), 10), `":{}`...)
	}
	return append(dst, '}')
}

// separator is what stands before a member of an object of which n members, or bytes, are written: a brace or a comma.
func separator(n int) byte {
	if n == 0 {
		return '{'
	}
	return ','
}

// appendChannels appends the channels that were asked for by name, occupied or not, or else all that are occupied.
func (r *Relay) appendChannels(dst []byte, m *metric, wanted info) []byte {
	q := scaling.Query{Of: scaling.QueryChannels, App: m.app, Prefix: m.filter}
	if len(m.channels) > 0 { // PHP: an empty list is no list
		q.Prefix, q.Names = "", m.channels
	}
	infos := r.handler.Answer(q).Channels
	names := q.Names
	if names == nil {
		for i := range infos {
			if infos[i].Subscriptions > 0 {
				names = append(names, infos[i].Name)
			}
		}
	}
	if len(names) == 0 {
		return append(dst, emptyList...)
	}
	for i, name := range names {
		dst = append(dst, separator(i))
		dst = append(appendQuote(dst, name), ':')
		dst = r.appendInfo(dst, m.app, name, wanted, infos)
	}
	return append(dst, '}')
}

// info is the set of attributes that a question asks for.
type info uint8

const (
	infoOccupied info = 1 << iota
	infoUserCount
	infoSubscriptionCount
	infoCache
)

// infoOf reads a comma list, without trimming, as Reverb does.
func infoOf(list string) info {
	var i info
	for name := range strings.SplitSeq(list, ",") {
		switch name {
		case "occupied":
			i |= infoOccupied
		case "user_count":
			i |= infoUserCount
		case "subscription_count":
			i |= infoSubscriptionCount
		case "cache":
			i |= infoCache
		}
	}
	return i
}

// appendInfo appends the attributes of one channel (Reverb: InteractsWithChannelInformation). infos are ordered by name; a channel that is
// not there is not occupied.
func (r *Relay) appendInfo(dst []byte, app, channel string, wanted info, infos []scaling.ChannelInfo) []byte {
	at, found := slices.BinarySearchFunc(infos, channel, func(c scaling.ChannelInfo, name string) int {
		return strings.Compare(c.Name, name)
	})
	start := len(dst)
	member := func(name string) {
		dst = append(dst, separator(len(dst)-start))
		dst = append(append(append(dst, '"'), name...), `":`...)
	}
	if wanted&infoOccupied != 0 {
		member("occupied")
		dst = strconv.AppendBool(dst, found && infos[at].Subscriptions > 0)
	}
	if found {
		c, kind := &infos[at], r.opts.KindOf(channel)
		if wanted&infoUserCount != 0 && kind.IsPresence() {
			member("user_count")
			dst = strconv.AppendInt(dst, int64(r.usersHere(app, c)), 10)
		}
		if wanted&infoSubscriptionCount != 0 && !kind.IsPresence() {
			member("subscription_count")
			dst = strconv.AppendInt(dst, int64(c.Subscriptions), 10)
		}
		if wanted&infoCache != 0 && kind.IsCache() && c.Cache != nil {
			before := dst
			member("cache")
			var err error
			if dst, err = appendObject(dst, c.Cache); err != nil {
				dst = before // nothing that a PHP node could read
			}
		}
	}
	if len(dst) == start {
		return append(dst, emptyList...)
	}
	return append(dst, '}')
}

// usersHere counts distinct users on this node; those without an id count as one, as in Reverb.
func (r *Relay) usersHere(app string, c *scaling.ChannelInfo) int {
	n := r.roll.users(app, c.Name)
	if c.Anonymous {
		n++
	}
	return n
}

func appendUsers(dst []byte, users []protocol.RosterMember) []byte {
	dst = append(dst, '[')
	start := len(dst)
	for i := range users {
		id, err := appendJSON(nil, users[i].IDRaw)
		if err != nil || len(id) == 0 {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, `{"id":`...), id...), '}')
	}
	return append(dst, ']')
}
