package cluster

import (
	"bytes"
	"errors"
	"strconv"

	"reverb/protocol"
	"reverb/scaling/bus"
)

// deltaVersion is of the bytes that follow the kind of a delta.
const deltaVersion = 1

// deltaHeader is what the scripts put in front of a delta:
//
//	kind version sign generation ' ' version ' ' member or user id
const deltaHeader = string(rune(kindDelta)) + string(rune(deltaVersion))

// Signs of a delta.
const (
	signAdded   = '+' // a member, as its channel_data
	signRemoved = '-' // a user id
	signLast    = '0' // as signRemoved, and nobody is left: the generation is over
)

// position is a state of a roster: each change of it has the next version, from when somebody comes until nobody is left, which is one
// generation.
type position struct {
	generation string // empty: nobody is there
	version    uint64
}

// precedes reports whether next comes right after at.
func (at position) precedes(next position) bool {
	return next.version == at.version+1 && (next.generation == at.generation || at.generation == "")
}

// includes reports whether a roster at this position has the change that made the other.
func (at position) includes(other position) bool {
	return at.generation == other.generation && at.version >= other.version
}

// delta is a change of a roster.
type delta struct {
	position
	sign   byte
	member *protocol.MemberData // added
	userID string
}

// errMalformed says that Redis answered, or a node published, what we cannot read.
var errMalformed = errors.New("cluster: cannot read it")

func orMalformed(err error) error {
	if err == nil {
		return errMalformed
	}
	return err
}

// decodeDelta reads what follows deltaHeader.
func decodeDelta(body []byte) (delta, error) {
	if len(body) == 0 {
		return delta{}, errMalformed
	}
	d := delta{sign: body[0]}
	generation, rest, ok := bytes.Cut(body[1:], []byte{' '})
	number, what, ok2 := bytes.Cut(rest, []byte{' '})
	if !ok || !ok2 || len(generation) == 0 {
		return delta{}, errMalformed
	}
	var err error
	if d.position, err = parsePosition(string(generation), string(number)); err != nil {
		return delta{}, err
	}
	switch d.sign {
	case signAdded:
		if d.member, err = parseMember(string(what)); err != nil {
			return delta{}, err
		}
		d.userID = d.member.UserID
	case signRemoved, signLast:
		d.userID = string(what)
	default:
		return delta{}, errMalformed
	}
	return d, nil
}

func parsePosition(generation, number string) (position, error) {
	v, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return position{}, errMalformed
	}
	return position{generation, v}, nil
}

func parseMember(channelData string) (*protocol.MemberData, error) {
	m, err := protocol.ParseMemberData(channelData)
	if err != nil || m.UserID == "" {
		return nil, errMalformed
	}
	return &m, nil
}

// positionOf reads generation and version, as they stand in a reply.
func positionOf(generation, number bus.Reply) (position, error) {
	g, err := generation.Text()
	if err != nil {
		return position{}, err
	}
	n, err := number.Text()
	if err != nil {
		return position{}, err
	}
	return parsePosition(g, n)
}
