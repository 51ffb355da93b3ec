package phpnodes

import (
	"bytes"
	"errors"
	"strconv"

	"reverb/laravel/php"
	"reverb/outbound"
	"reverb/protocol"
)

// Why a message is ignored.
var (
	errMessage     = errors.New("no object with a type")
	errApplication = errors.New("no serialised application")
	errPayload     = errors.New("no payload of its type")
)

// envelope is one message of the Redis channel, its parts JSON of the message itself.
type envelope struct {
	kind        string // type
	application []byte
	payload     []byte
	socketID    []byte
	signature   signature // node is empty for a message of PHP
}

// readEnvelope reads the parts of a message; what each means is for its type to say. The envelope keeps pointing into
// text.
func readEnvelope(text []byte) (envelope, error) {
	var e envelope
	ok := protocol.Members(text, func(name, value []byte) bool {
		switch string(name) {
		case "type":
			e.kind = jsonString(value)
		case "application":
			e.application = value
		case "payload":
			e.payload = value
		case "socket_id":
			e.socketID = value
		case keyNode:
			e.signature.node = jsonString(value)
		case keySeq:
			e.signature.seq, _ = strconv.ParseUint(string(value), 10, 64)
		case keyCache:
			e.signature.cache = string(value) == "true"
		}
		return true
	})
	if !ok || e.kind == "" {
		return envelope{}, errMessage
	}
	return e, nil
}

// jsonString is the text of a JSON string, empty for anything else.
func jsonString(value []byte) string {
	if len(value) == 0 || value[0] != '"' {
		return ""
	}
	text, _ := protocol.Text(value)
	return string(text)
}

// readApp is the id of a serialised application, given as JSON.
func readApp(application []byte) (string, error) {
	v, err := php.Decode([]byte(jsonString(application)))
	if err != nil {
		return "", errApplication
	}
	id, ok := appID(v)
	if !ok {
		return "", errApplication
	}
	return id, nil
}

// except is the socket that does not get the event. An id in a spelling that is not ours is nobody's.
func (e *envelope) except() protocol.SocketID {
	text, _ := protocol.Text(e.socketID)
	id, _ := protocol.ParseSocketID(string(text))
	return id
}

// channels are those that an event is for (Reverb: EventDispatcher): channels, which may be one name or a list, or else
// channel.
func (e *envelope) channels() ([]string, error) {
	var many, one []byte
	ok := protocol.Members(e.payload, func(name, value []byte) bool {
		switch string(name) {
		case "channels":
			many = value
		case "channel":
			one = value
		}
		return true
	})
	if !ok {
		return nil, errPayload
	}
	if many == nil || string(many) == "null" {
		many = one
	}
	if many == nil || string(many) == "null" {
		return nil, nil
	}
	if text, ok := protocol.Text(many); ok {
		return []string{string(text)}, nil
	}
	var names []string
	take := func(value []byte) bool {
		text, ok := protocol.Text(value)
		names = append(names, string(text))
		return ok
	}
	if !protocol.Elements(many, take) && !protocol.Members(many, func(_, value []byte) bool { return take(value) }) {
		return nil, errPayload
	}
	return names, nil
}

// event is an event as the subscribers of a channel get it: every field as it came from PHP, or as it was before it was
// written for PHP, but channels, and the channel in its place, or at the end if the event named none.
func (e *envelope) event(channel string) outbound.Message {
	const around = len(`,"channel":""`)
	dst := outbound.Begin(around + len(e.payload) + len(channel))
	dst = append(dst, '{')
	first, named := len(dst), false
	protocol.Members(e.payload, func(name, value []byte) bool {
		if string(name) == "channels" {
			return true
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(protocol.AppendQuote(dst, string(name)), ':')
		if string(name) == "channel" {
			dst, named = protocol.AppendQuote(dst, channel), true
			return true
		}
		if e.signature.node != "" {
			dst = appendPlain(dst, value)
		} else {
			dst = append(dst, value...)
		}
		return true
	})
	if !named {
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = protocol.AppendQuote(append(dst, `"channel":`...), channel)
	}
	return outbound.End(append(dst, '}'))
}

// userID is whom a terminate is for.
func (e *envelope) userID() (string, error) {
	var id []byte
	ok := protocol.Members(e.payload, func(name, value []byte) bool {
		if string(name) == "user_id" {
			id = value
		}
		return true
	})
	text, scalar := protocol.Text(id)
	if !ok || !scalar || len(text) == 0 {
		return "", errPayload
	}
	return string(text), nil
}

// isOwnEvent tells an event of this node by its end, without reading the rest: it has been delivered here already. One
// that is to be cached is not told. The last brace of a message closes the message, so what stands before it is no
// client's text.
func isOwnEvent(text []byte, node string) bool {
	const before, between = `,"` + keyNode + `":"`, `","` + keySeq + `":`
	rest, ok := bytes.CutSuffix(text, []byte{'}'})
	if !ok {
		return false
	}
	digits := len(rest)
	for digits > 0 && '0' <= rest[digits-1] && rest[digits-1] <= '9' {
		digits--
	}
	if digits == len(rest) {
		return false
	}
	rest, ok = bytes.CutSuffix(rest[:digits], []byte(between))
	if !ok {
		return false
	}
	rest, ok = bytes.CutSuffix(rest, []byte(node))
	if !ok {
		return false
	}
	rest, ok = bytes.CutSuffix(rest, []byte(before))
	return ok && !bytes.HasSuffix(rest, []byte(`,"`+keyCache+`":true`))
}
