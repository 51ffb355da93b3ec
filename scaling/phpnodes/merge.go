package phpnodes

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"reverb/protocol"
	"reverb/scaling"
)

// merge adds what PHP nodes have answered to what the nodes of this program know. What is not in the shape of an answer counts as
// nothing.
func (r *Relay) merge(a *scaling.Answer, m *metric, answers [][]byte) {
	if len(answers) == 0 {
		return
	}
	switch m.of {
	case metricConnections:
		for _, answer := range answers {
			a.Connections += countEntries(answer)
		}
	case metricChannels:
		php := make(map[string]scaling.ChannelInfo)
		for _, answer := range answers {
			eachEntry(answer, func(name string, value []byte) { addInfo(php, name, value) })
		}
		a.Channels = addChannels(a.Channels, php)
	case metricChannel:
		php := make(map[string]scaling.ChannelInfo)
		for _, answer := range answers {
			addInfo(php, m.channel, answer)
		}
		a.Channels = addChannels(a.Channels, php)
	case metricUsers:
		for _, answer := range answers {
			a.Merge(scaling.Answer{Users: readUsers(answer)})
		}
	}
}

// eachEntry calls do for each entry of a PHP array: a map, or, as PHP writes one whose keys are 0, 1, 2, …, a list.
func eachEntry(value []byte, do func(name string, value []byte)) {
	if protocol.Members(value, func(name, value []byte) bool { do(string(name), value); return true }) {
		return
	}
	next := 0
	protocol.Elements(value, func(value []byte) bool {
		do(strconv.Itoa(next), value)
		next++
		return true
	})
}

// countEntries is how many entries an array has.
func countEntries(value []byte) (n int) {
	eachEntry(value, func(string, []byte) { n++ })
	return n
}

// addInfo adds the attributes of a channel on one PHP node.
func addInfo(to map[string]scaling.ChannelInfo, name string, value []byte) {
	c := to[name]
	c.Name = name
	occupied, users, subscriptions := false, 0, 0
	var cache []byte
	ok := protocol.Members(value, func(name, value []byte) bool {
		switch string(name) {
		case "occupied":
			occupied = string(value) == "true"
		case "user_count":
			users = count(value)
		case "subscription_count":
			subscriptions = count(value)
		case "cache":
			cache = value
		}
		return true
	})
	if !ok || !occupied {
		return
	}
	c.Users += users
	c.Subscriptions += max(subscriptions, users, 1)
	if cache != nil && cache[0] == '{' {
		c.Cache = bytes.Clone(cache)
	}
	to[name] = c
}

// count reads a number of users or subscriptions; what is none is 0.
func count(value []byte) int {
	n, err := strconv.ParseUint(string(value), 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// addChannels adds the channels of PHP nodes to those of this program's, both counted, in the order of their names.
func addChannels(to []scaling.ChannelInfo, php map[string]scaling.ChannelInfo) []scaling.ChannelInfo {
	if len(php) == 0 {
		return to
	}
	all := make([]scaling.ChannelInfo, 0, len(to)+len(php))
	for _, c := range to {
		if other, ok := php[c.Name]; ok {
			c.Subscriptions += other.Subscriptions
			c.Users += other.Users
			if c.Cache == nil {
				c.Cache = other.Cache
			}
			delete(php, c.Name)
		}
		all = append(all, c)
	}
	for _, c := range php {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b scaling.ChannelInfo) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// readUsers reads [{"id":1},…]; a map, which PHP makes of a list with gaps, too. Users without an id are nobody.
func readUsers(answer []byte) []protocol.RosterMember {
	var users []protocol.RosterMember
	eachEntry(answer, func(_ string, value []byte) {
		var id []byte
		protocol.Members(value, func(name, value []byte) bool {
			if string(name) == "id" {
				id = value
			}
			return true
		})
		if text, ok := protocol.Text(id); ok && len(text) > 0 {
			users = append(users, protocol.RosterMember{ID: string(text), IDRaw: bytes.Clone(id)})
		}
	})
	return users
}
