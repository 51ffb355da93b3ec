package cluster

import (
	"encoding/binary"
	"slices"
	"strings"

	"reverb/protocol"
	"reverb/scaling"
)

// question is a query on its way to the other nodes.
type question struct {
	node  nodeID // the process that asks; its Redis channel is where the answers go
	id    uint64 // of that process
	query scaling.Query
}

// reply is an answer on its way back.
type reply struct {
	node   nodeID // the incarnation that answers
	id     uint64 // of the question
	tooBig bool   // the node knows more than it may send: it has not answered
	answer scaling.Answer
}

// maxAnswer is how much one node may send, in bytes: Redis cuts off a subscriber for whom 32 MiB wait.
const maxAnswer = 16 << 20

func encodeQuestion(q question) []byte {
	dst := []byte{kindQuery, version}
	dst = append(dst, q.node[:]...)
	dst = binary.AppendUvarint(dst, q.id)
	dst = append(dst, byte(q.query.Of))
	dst = appendBytes(dst, q.query.App)
	dst = appendBytes(dst, q.query.Prefix)
	dst = appendBytes(dst, q.query.Channel)
	if q.query.Names == nil {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	dst = binary.AppendUvarint(dst, uint64(len(q.query.Names)))
	for _, name := range q.query.Names {
		dst = appendBytes(dst, name)
	}
	return dst
}

func decodeQuestion(b []byte) (q question, ok bool) {
	r := reader{b: b}
	if r.byte() != kindQuery || r.byte() != version {
		return question{}, false
	}
	q.node, q.id = r.node(), r.uvarint()
	q.query.Of = scaling.QueryKind(r.byte())
	q.query.App, q.query.Prefix, q.query.Channel = r.text(), r.text(), r.text()
	if r.byte() != 0 {
		q.query.Names = []string{} // asks for none of the channels, not for all
		for range r.count() {
			q.query.Names = append(q.query.Names, r.text())
		}
	}
	return q, !r.bad
}

// Flags of a reply and of its parts.
const (
	flagTooBig    = 1 << iota // of a reply: nothing follows
	flagAnonymous             // of a channel
	flagCached                // of a channel: the last event follows
	flagInfo                  // of a user: the info follows
)

// encodeReply writes r, or that it would be too big.
func encodeReply(r reply) []byte {
	dst := []byte{kindAnswer, version}
	dst = append(dst, r.node[:]...)
	dst = binary.AppendUvarint(dst, r.id)
	flags := len(dst)
	dst = append(dst, 0)
	dst = binary.AppendUvarint(dst, uint64(r.answer.Connections))
	dst = binary.AppendUvarint(dst, uint64(len(r.answer.Channels)))
	for i := range r.answer.Channels {
		dst = appendChannelInfo(dst, &r.answer.Channels[i])
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.answer.Users)))
	for _, u := range r.answer.Users {
		dst = appendUser(dst, u)
	}
	if r.tooBig || len(dst) > maxAnswer {
		dst = append(dst[:flags], flagTooBig)
	}
	return dst
}

func appendChannelInfo(dst []byte, c *scaling.ChannelInfo) []byte {
	var flags byte
	if c.Anonymous {
		flags |= flagAnonymous
	}
	if c.Cache != nil {
		flags |= flagCached
	}
	dst = append(appendBytes(dst, c.Name), flags)
	dst = binary.AppendUvarint(dst, uint64(c.Subscriptions))
	dst = binary.AppendUvarint(dst, uint64(c.Users))
	if c.Cache != nil {
		dst = appendBytes(dst, c.Cache)
	}
	return dst
}

func appendUser(dst []byte, u protocol.RosterMember) []byte {
	dst = appendBytes(appendBytes(dst, u.ID), u.IDRaw)
	if u.Info == nil {
		return append(dst, 0)
	}
	return appendBytes(append(dst, flagInfo), u.Info)
}

// decodeReply reads what encodeReply writes. The byte fields of the answer are part of b.
func decodeReply(b []byte) (a reply, ok bool) {
	r := reader{b: b}
	if r.byte() != kindAnswer || r.byte() != version {
		return reply{}, false
	}
	a.node, a.id = r.node(), r.uvarint()
	if r.byte()&flagTooBig != 0 {
		a.tooBig = true
		return a, !r.bad
	}
	a.answer.Connections = r.number()
	for range r.count() {
		a.answer.Channels = append(a.answer.Channels, r.channelInfo())
	}
	for range r.count() {
		a.answer.Users = append(a.answer.Users, r.user())
	}
	inOrder := slices.IsSortedFunc(a.answer.Channels, func(x, y scaling.ChannelInfo) int { return strings.Compare(x.Name, y.Name) })
	return a, !r.bad && inOrder
}

func (r *reader) channelInfo() scaling.ChannelInfo {
	c := scaling.ChannelInfo{Name: r.text()}
	flags := r.byte()
	c.Anonymous = flags&flagAnonymous != 0
	c.Subscriptions, c.Users = r.number(), r.number()
	if flags&flagCached != 0 {
		c.Cache = r.bytes()
	}
	return c
}

func (r *reader) user() protocol.RosterMember {
	u := protocol.RosterMember{ID: r.text(), IDRaw: r.bytes()}
	if r.byte()&flagInfo != 0 {
		u.Info = r.bytes()
	}
	return u
}

// number is a count of something that does not follow; what cannot be one is bad.
func (r *reader) number() int {
	v := r.uvarint()
	if v > 1<<40 {
		r.bad, r.b = true, nil
		return 0
	}
	return int(v)
}

func encodeTerminate(node nodeID, app, userID string) []byte {
	dst := []byte{kindTerminate, version}
	dst = append(dst, node[:]...)
	return appendBytes(appendBytes(dst, app), userID)
}

func decodeTerminate(b []byte) (node nodeID, app, userID string, ok bool) {
	r := reader{b: b}
	if r.byte() != kindTerminate || r.byte() != version {
		return nodeID{}, "", "", false
	}
	node, app, userID = r.node(), r.text(), r.text()
	return node, app, userID, !r.bad
}
