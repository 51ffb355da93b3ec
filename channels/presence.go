package channels

import (
	"bytes"

	"reverb/outbound"
	"reverb/protocol"
)

// linearMembers is up to how many users a roster is searched without a map, which costs 250 bytes even for one entry.
const linearMembers = 16

// roster is the users of one presence channel: first in, last out (Reverb: InteractsWithPresenceChannels).
//
// A subscription without user_id is anonymous: in no list, announced when it comes and not when it goes. The user 0 is
// a user like another, though PHP takes its id for none. All methods need the channel's lock.
type roster struct {
	stringIDs bool // user ids are JSON strings on the wire, whatever the client sent

	order     []*member          // as they came
	byID      map[string]*member // nil up to linearMembers users
	anonymous int                // anonymous subscriptions
	snapshot  snapshot           // order as JSON
}

// member is one user. The others see the data that its first socket sent; it stays so when that socket leaves before
// the user's others do, because members that were told of it then are told nothing now.
type member struct {
	data    *protocol.MemberData
	sockets int
	size    rowSize
}

// userID returns the text form, "" for an anonymous subscription.
func userID(d *protocol.MemberData) string {
	if d == nil {
		return ""
	}
	return d.UserID
}

// userOf returns the user that a subscription of the channel with this data belongs to: "" but in presence channels.
func (c *Channel) userOf(d *protocol.MemberData) string {
	if !c.kind.IsPresence() {
		return ""
	}
	return userID(d)
}

func (r *roster) find(id string) *member {
	if r.byID != nil {
		return r.byID[id]
	}
	for _, m := range r.order {
		if m.data.UserID == id {
			return m
		}
	}
	return nil
}

// users counts the distinct users; the anonymous together are one.
func (r *roster) users() int {
	if r.anonymous > 0 {
		return len(r.order) + 1
	}
	return len(r.order)
}

// admits reports whether d may come in beside at most limit users (0: any number), when leaving, if not nil, goes out
// for it.
func (r *roster) admits(d, leaving *protocol.MemberData, limit int) bool {
	if limit <= 0 {
		return true
	}
	users := r.users()
	if leaving != nil && userID(leaving) == userID(d) {
		return true
	}
	if id := userID(leaving); id != "" && r.find(id).sockets == 1 {
		users--
	}
	if id := userID(d); id == "" && r.anonymous > 0 || id != "" && r.find(id) != nil {
		return true
	}
	return users < limit
}

// join counts a socket in and reports whether that is to be announced: always for an anonymous one, else for a user's
// first.
func (r *roster) join(d *protocol.MemberData) bool {
	id := userID(d)
	if id == "" {
		r.anonymous++
		return true
	}
	if m := r.find(id); m != nil {
		m.sockets++
		return false
	}
	m := &member{data: d, sockets: 1}
	m.size = r.snapshot.append(r.row(d))
	r.order = append(r.order, m)
	switch {
	case r.byID != nil:
		r.byID[id] = m
	case len(r.order) > linearMembers:
		r.byID = make(map[string]*member, 2*len(r.order))
		for _, m := range r.order {
			r.byID[m.data.UserID] = m
		}
	}
	return true
}

// leave counts a socket out and reports whether that is to be announced: never for an anonymous one, else for a user's
// last.
func (r *roster) leave(d *protocol.MemberData) bool {
	id := userID(d)
	if id == "" {
		r.anonymous--
		return false
	}
	m := r.find(id)
	m.sockets--
	if m.sockets > 0 {
		return false
	}
	i, at := r.locate(m)
	r.snapshot.remove(at, m.size)
	copy(r.order[i:], r.order[i+1:])
	r.order[len(r.order)-1] = nil
	r.order = r.order[:len(r.order)-1]
	switch {
	case len(r.order) == 0:
		r.order, r.byID = nil, nil // a map that was large stays so
	case r.byID != nil:
		delete(r.byID, id)
	}
	return true
}

// renew replaces the data of a socket that subscribes again as the same user, and reports whether it is the same.
// Nothing is announced then (Reverb). If the roster shows that socket's data, it shows the new.
func (r *roster) renew(former, d *protocol.MemberData) bool {
	id := userID(d)
	if id == "" || id != userID(former) {
		return false
	}
	if m := r.find(id); m.data == former {
		r.replace(m, d)
	}
	return true
}

// replace lists m with other data.
func (r *roster) replace(m *member, d *protocol.MemberData) {
	_, at := r.locate(m)
	m.data = d
	m.size = r.snapshot.replace(at, m.size, r.row(d))
}

// locate returns m's place in the order and the place of its row in the snapshot.
func (r *roster) locate(m *member) (int, rowSize) {
	var at rowSize
	for i, other := range r.order {
		if other == m {
			return i, at
		}
		at.id += other.size.id
		at.info += other.size.info
	}
	panic("invariant: member is not in the order of its roster")
}

// row is how a user is listed.
func (r *roster) row(d *protocol.MemberData) protocol.RosterMember {
	return protocol.RosterMember{ID: d.UserID, IDRaw: r.wireID(d), Info: d.UserInfo}
}

// rows is the whole list.
func (r *roster) rows() []protocol.RosterMember {
	rows := make([]protocol.RosterMember, len(r.order))
	for i, m := range r.order {
		rows[i] = r.row(m.data)
	}
	return rows
}

// wireID is the user id as JSON: of the type that the client sent, or always a string.
func (r *roster) wireID(d *protocol.MemberData) []byte {
	if r.mustQuote(d) {
		return protocol.AppendQuote(nil, d.UserID)
	}
	return d.UserIDRaw
}

func (r *roster) mustQuote(d *protocol.MemberData) bool {
	return r.stringIDs && !bytes.HasPrefix(d.UserIDRaw, []byte{'"'})
}

// added announces d with the whole channel_data, as Reverb does. An id that must be written otherwise than it was sent
// brings Pusher's two fields.
func (r *roster) added(channel string, d *protocol.MemberData) outbound.Message {
	switch {
	case d == nil:
		return protocol.MemberAddedMessage(channel, []byte("{}"))
	case d.UserID == "" || !r.mustQuote(d):
		return protocol.MemberAddedMessage(channel, d.Raw)
	}
	data := append([]byte(`{"user_id":`), r.wireID(d)...)
	if d.UserInfo != nil {
		data = append(append(data, `,"user_info":`...), d.UserInfo...)
	}
	return protocol.MemberAddedMessage(channel, append(data, '}'))
}

// removed announces the end of d's user; the id has the type that the leaving socket sent.
func (r *roster) removed(channel string, d *protocol.MemberData) outbound.Message {
	return protocol.MemberRemovedMessage(channel, r.wireID(d))
}

// succeeded is the reply to a socket that came in, with all members.
func (r *roster) succeeded(channel string) outbound.Message {
	return r.snapshot.message(channel, len(r.order))
}
