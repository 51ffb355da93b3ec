package cluster

import (
	"encoding/binary"

	"reverb/outbound"
	"reverb/protocol"
)

// The first byte of everything that is published says what it is. A node ignores what it does not know, so that a newer
// one may say more.
const (
	kindEvent     = 1 // an event of a Pusher channel: version, flags, node, sequence, maybe a socket id, payload
	kindDelta     = 2 // a change of a roster, written by the scripts
	kindQuery     = 3 // a question to all nodes
	kindAnswer    = 4 // an answer to the node that asked
	kindTerminate = 5 // close the connections of a user
)

// version is of the bytes after the kind. A receiver takes no other.
const version = 1

// deltaHeader is what the scripts of a roster put in front of a delta: its kind, and the version of the bytes that
// follow.
const deltaHeader = string(rune(kindDelta)) + string(rune(version))

// Flags of an event.
const (
	flagFirst  = 1 << iota // the publisher does not remember what it published to the channel before: a jump of the sequence is no loss
	flagCache              // to be kept in a cache channel
	flagExcept             // a socket id follows
	flagClient             // a client has sent it
)

// event is an event of a Pusher channel on its way between nodes.
type event struct {
	node    nodeID // the process that published it
	seq     uint64 // of this publisher in this channel, each one more than the one before
	first   bool
	cache   bool
	client  bool
	except  protocol.SocketID
	payload outbound.Message
}

// eventRoom is the most bytes that an envelope adds to a payload: kind, version, flags, node, sequence, length and text
// of a socket id.
const eventRoom = 3 + len(nodeID{}) + binary.MaxVarintLen64 + 1 + 21

// appendEvent writes e:
//
//	kind version flags node(8) uvarint(seq) [length socketID] payload
func appendEvent(dst []byte, e event) []byte {
	var flags byte
	if e.first {
		flags |= flagFirst
	}
	if e.cache {
		flags |= flagCache
	}
	if !e.except.IsZero() {
		flags |= flagExcept
	}
	if e.client {
		flags |= flagClient
	}
	dst = append(dst, kindEvent, version, flags)
	dst = append(dst, e.node[:]...)
	dst = binary.AppendUvarint(dst, e.seq)
	if flags&flagExcept != 0 {
		at := len(dst)
		dst = e.except.AppendTo(append(dst, 0))
		dst[at] = byte(len(dst) - at - 1)
	}
	return append(dst, e.payload.JSON()...)
}

// decodeEvent reads a message of appendEvent. It takes over b: the payload is part of it, and the memory in front,
// which is longer than outbound.Room, becomes its header.
func decodeEvent(b []byte) (e event, ok bool) {
	r := reader{b: b}
	if r.byte() != kindEvent || r.byte() != version {
		return event{}, false
	}
	flags := r.byte()
	e.first, e.cache, e.client = flags&flagFirst != 0, flags&flagCache != 0, flags&flagClient != 0
	e.node = r.node()
	e.seq = r.uvarint()
	if flags&flagExcept != 0 {
		text := r.take(int(r.byte()))
		if e.except, ok = protocol.ParseSocketID(string(text)); !ok {
			return event{}, false
		}
	}
	if r.bad {
		return event{}, false
	}
	e.payload = outbound.At(b, len(b)-len(r.b))
	return e, true
}

// reader takes apart what another node has published. After the first thing that is not there it is bad and gives
// zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

// take is the next n bytes, part of the message.
func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) node() (id nodeID) {
	copy(id[:], r.take(len(id)))
	return id
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count is a number of things that follow, each of at least one byte: it cannot be larger than what is there.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

// bytes is a length and so many bytes, part of the message.
func (r *reader) bytes() []byte { return r.take(r.count()) }

func (r *reader) text() string { return string(r.bytes()) }

func appendBytes[T string | []byte](dst []byte, b T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}
