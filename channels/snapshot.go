package channels

import (
	"slices"

	"reverb/outbound"
	"reverb/protocol"
)

// snapshot is a roster as it stands in the data of pusher_internal:subscription_succeeded, kept up to date while users
// come and go, so that a reply is one copy. With 10,000 users that is 0.4 ms; to encode them anew is 3 ms, under the
// channel's lock, for each of the 10,000 that come back after a restart.
//
// Both lists hold rows that are escaped for a JSON text inside a JSON string already, each with a comma in front, so
// that the first row is removed like any other.
type snapshot struct {
	ids  []byte // ,1,2
	hash []byte // ,"1":info,"2":info
}

// rowSize is the bytes of a row, or a place, in the two lists.
type rowSize struct{ id, info int }

func (s *snapshot) append(m protocol.RosterMember) rowSize {
	before := rowSize{len(s.ids), len(s.hash)}
	s.ids, s.hash = protocol.AppendRosterRow(s.ids, s.hash, m)
	return rowSize{len(s.ids) - before.id, len(s.hash) - before.info}
}

func (s *snapshot) remove(at, size rowSize) {
	s.ids = shrunk(slices.Delete(s.ids, at.id, at.id+size.id))
	s.hash = shrunk(slices.Delete(s.hash, at.info, at.info+size.info))
}

// shrunk gives back room that the rows do not need any more: a channel without subscribers may be kept for a while, and
// the rows of a full one would be as large as they ever were. Rows are moved only when three in four are gone since, so
// that each is moved about once.
func shrunk(rows []byte) []byte {
	switch {
	case len(rows) == 0:
		return nil
	case cap(rows) < 4*len(rows):
		return rows
	default:
		return append(make([]byte, 0, 2*len(rows)), rows...)
	}
}

func (s *snapshot) replace(at, size rowSize, m protocol.RosterMember) rowSize {
	id, info := protocol.AppendRosterRow(nil, nil, m)
	s.ids = slices.Replace(s.ids, at.id, at.id+size.id, id...)
	s.hash = shrunk(slices.Replace(s.hash, at.info, at.info+size.info, info...))
	return rowSize{len(id), len(info)}
}

// message is the reply to a subscribe when these count users are there.
func (s *snapshot) message(channel string, count int) outbound.Message {
	return protocol.PresenceSucceededMessage(channel, count, s.ids, s.hash)
}
