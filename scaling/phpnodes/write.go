package phpnodes

import (
	"strconv"

	"reverb/protocol"
	"reverb/scaling"
)

// The values of type; an answer has the key of its question instead.
const (
	typeMessage   = "message"
	typeTerminate = "terminate"
	typeMetrics   = "metrics"
)

// appendEvent appends the message for an event but for what signature adds. application is JSON.
func appendEvent(dst, application []byte, m *scaling.Message) ([]byte, error) {
	dst = append(dst, `{"type":"`+typeMessage+`","application":`...)
	dst = append(dst, application...)
	dst = append(dst, `,"payload":`...)
	dst, err := appendPayload(dst, m.Payload.JSON())
	if err != nil {
		return nil, err
	}
	if !m.Except.IsZero() {
		dst = append(dst, `,"socket_id":"`...)
		dst = m.Except.AppendTo(dst)
		dst = append(dst, '"')
	}
	return dst, nil
}

// appendTerminate appends the message that ends a user's connections, but for its signature. PHP nodes compare the id as a string.
func appendTerminate(dst, application []byte, userID string) []byte {
	dst = append(dst, `{"type":"`+typeTerminate+`","application":`...)
	dst = append(dst, application...)
	dst = append(dst, `,"payload":{"user_id":`...)
	return append(appendQuote(dst, userID), '}')
}

// appendPayload appends an event, given as clients see it, as PHP passes it on. An event of POST /events has a list of channels there
// (Reverb: EventsController); the clients of a PHP node get the same fields in the same order. Any other stays as it is, but without
// channels of its own, which would send it elsewhere.
func appendPayload(dst, event []byte) ([]byte, error) {
	type member struct{ name, value []byte }
	var room [8]member
	members := room[:0]
	ok := protocol.Members(event, func(name, value []byte) bool {
		if string(name) != "channels" {
			members = append(members, member{name, value})
		}
		return true
	})
	if !ok {
		return nil, errJSON
	}
	fromAPI := len(members) == 3 && string(members[0].name) == "event" && string(members[1].name) == "data" &&
		string(members[2].name) == "channel"
	if fromAPI {
		members[1], members[2] = members[2], members[1]
	}
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		if fromAPI && i == 1 {
			dst = append(dst, `"channels":[`...)
			dst = append(appendString(dst, m.value), ']')
			continue
		}
		dst = append(appendQuote(dst, m.name), ':')
		var err error
		if dst, err = appendJSON(dst, m.value); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// signature is what this program adds to its messages.
type signature struct {
	node  string
	seq   uint64 // of an event, from 1; 0: no event
	cache bool
}

// Names of the added keys.
const (
	keyNode  = "node"
	keySeq   = "seq"
	keyCache = "cache"
)

// appendTo appends the signature and ends the message.
func (s *signature) appendTo(dst []byte) []byte {
	if s.cache {
		dst = append(dst, `,"`+keyCache+`":true`...)
	}
	dst = append(dst, `,"`+keyNode+`":"`...)
	dst = append(dst, s.node...)
	dst = append(dst, '"')
	if s.seq != 0 {
		dst = append(dst, `,"`+keySeq+`":`...)
		dst = strconv.AppendUint(dst, s.seq, 10)
	}
	return append(dst, '}')
}

// appendQuestion appends a question but for its signature; metric is serialised, and UTF-8.
func appendQuestion(dst, metric []byte) []byte {
	dst = append(dst, `{"type":"`+typeMetrics+`","payload":`...)
	return appendQuote(dst, metric)
}

// beginAnswer begins the answer to a question, up to its payload.
func beginAnswer(dst []byte, key string) []byte {
	dst = appendQuote(append(dst, `{"type":`...), key)
	return append(dst, `,"payload":`...)
}
