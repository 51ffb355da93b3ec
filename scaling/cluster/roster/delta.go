package roster

import (
	"bytes"
	"errors"
	"strconv"

	"reverb/protocol"
)

// Signs of a delta.
const (
	SignAdded   = '+' // a member, as its channel_data
	SignRemoved = '-' // a user id
	SignLast    = '0' // as SignRemoved, and nobody is left: the generation is over
)

// Position is a state of a roster: each change of it has the next version, from when the first user comes until nobody is left, which is one
// generation.
type Position struct {
	Generation string // empty: nobody is there
	Version    uint64
}

// precedes reports whether next comes right after at.
func (at Position) precedes(next Position) bool {
	return next.Version == at.Version+1 && (next.Generation == at.Generation || at.Generation == "")
}

// includes reports whether a roster at this position has the change that made the other.
func (at Position) includes(other Position) bool {
	return at.Generation == other.Generation && at.Version >= other.Version
}

// ParsePosition reads generation and version as Redis has them.
func ParsePosition(generation, version string) (Position, error) {
	v, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return Position{}, ErrMalformed
	}
	return Position{generation, v}, nil
}

// Delta is a change of a roster, as the scripts publish it.
type Delta struct {
	At     Position
	Sign   byte
	Member *protocol.MemberData // added
	UserID string
}

// ErrMalformed says that Redis answered, or a node published, what this version cannot read.
var ErrMalformed = errors.New("roster: cannot read it")

// DecodeDelta reads what the scripts write after the header of a delta:
//
//	sign generation ' ' version ' ' member or user id
func DecodeDelta(body []byte) (Delta, error) {
	if len(body) == 0 {
		return Delta{}, ErrMalformed
	}
	d := Delta{Sign: body[0]}
	generation, rest, ok := bytes.Cut(body[1:], []byte{' '})
	version, subject, ok2 := bytes.Cut(rest, []byte{' '})
	if !ok || !ok2 || len(generation) == 0 {
		return Delta{}, ErrMalformed
	}
	var err error
	if d.At, err = ParsePosition(string(generation), string(version)); err != nil {
		return Delta{}, err
	}
	switch d.Sign {
	case SignAdded:
		if d.Member, err = ParseMember(string(subject)); err != nil {
			return Delta{}, err
		}
		d.UserID = d.Member.UserID
	case SignRemoved, SignLast:
		d.UserID = string(subject)
	default:
		return Delta{}, ErrMalformed
	}
	return d, nil
}

// ParseMember reads channel_data with a user id.
func ParseMember(channelData string) (*protocol.MemberData, error) {
	m, err := protocol.ParseMemberData(channelData)
	if err != nil || m.UserID == "" {
		return nil, ErrMalformed
	}
	return &m, nil
}
