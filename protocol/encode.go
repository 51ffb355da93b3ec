package protocol

import (
	"strconv"

	"reverb/outbound"
)

// envelope is about how many bytes of an event are neither its name, channel nor data.
const envelope = 48

var (
	pongMessage = outbound.New(`{"event":"` + EventPong + `"}`)
	pingMessage = outbound.New(`{"event":"` + EventPing + `"}`)
)

// PongMessage returns the answer to pusher:ping.
func PongMessage() outbound.Message { return pongMessage }

// PingMessage returns the pusher:ping of the server.
func PingMessage() outbound.Message { return pingMessage }

// ConnectionEstablishedMessage returns the first message of a connection; activityTimeout is the
// silence in seconds after which the client pings, and must not be 0: pusher-js would give up.
func ConnectionEstablishedMessage(id SocketID, activityTimeout int) outbound.Message {
	b := outbound.Begin(128)
	b = append(b, `{"event":"`+EventConnectionEstablished+`","data":"{\"socket_id\":\"`...)
	b = id.AppendTo(b)
	b = append(b, `\",\"activity_timeout\":`...)
	b = strconv.AppendInt(b, int64(activityTimeout), 10)
	return outbound.End(append(b, `}"}`...))
}

// SubscriptionSucceededMessage returns the reply to a subscribe, but on presence channels.
func SubscriptionSucceededMessage(channel string) outbound.Message {
	b := outbound.Begin(envelope + len(EventSubscriptionSucceeded) + quotedSize(channel))
	b = append(b, `{"event":"`+EventSubscriptionSucceeded+`","data":"{}"`...)
	return outbound.End(append(appendChannel(b, channel), '}'))
}

// AppendRosterRow appends a user to the two lists that PresenceSucceededMessage is made of: a row of each, with a comma
// in front, escaped for a JSON text inside a JSON string.
func AppendRosterRow(ids, hash []byte, m RosterMember) (newIDs, newHash []byte) {
	ids = appendEscaped(append(ids, ','), m.IDRaw)
	hash = append(appendEscapedQuote(append(hash, ','), m.ID), ':')
	if m.Info == nil {
		return ids, append(hash, "null"...)
	}
	return ids, appendEscaped(hash, m.Info)
}

// PresenceSucceededMessage returns the reply to a subscribe on a presence channel: the roster of count users in join
// order, each user once, as the rows of AppendRosterRow. The hash is always an object, where PHP makes it a list now
// and then.
func PresenceSucceededMessage(channel string, count int, ids, hash []byte) outbound.Message {
	b := outbound.Begin(2*envelope + len(EventSubscriptionSucceeded) + len(ids) + len(hash) + quotedSize(channel))
	b = append(b, `{"event":"`+EventSubscriptionSucceeded+`","data":"{\"presence\":{\"count\":`...)
	b = strconv.AppendInt(b, int64(count), 10)
	b = append(b, `,\"ids\":[`...)
	b = append(b, withoutComma(ids)...)
	b = append(b, `],\"hash\":{`...)
	b = append(b, withoutComma(hash)...)
	b = append(b, `}}}"`...)
	return outbound.End(append(appendChannel(b, channel), '}'))
}

func withoutComma(rows []byte) []byte {
	if len(rows) == 0 {
		return nil
	}
	return rows[1:]
}

// SubscriptionErrorMessage returns what Echo's error() listens for after a refused subscribe; Reverb
// never sends it. typ is one of Pusher's words, such as AuthError; status an HTTP status.
func SubscriptionErrorMessage(channel, typ, message string, status int) outbound.Message {
	b := outbound.Begin(2*envelope + quotedSize(channel) + quotedSize(typ) + quotedSize(message))
	b = append(b, `{"event":"`+EventSubscriptionError+`"`...)
	b = appendChannel(b, channel)
	b = append(b, `,"data":{"type":`...)
	b = AppendQuote(b, typ)
	b = append(b, `,"error":`...)
	b = AppendQuote(b, message)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	return outbound.End(append(b, "}}"...))
}

// CacheMissMessage tells a new subscriber of a cache channel that nothing is cached.
func CacheMissMessage(channel string) outbound.Message {
	b := outbound.Begin(envelope + quotedSize(channel))
	b = append(b, `{"event":"`+EventCacheMiss+`"`...)
	return outbound.End(append(appendChannel(b, channel), '}'))
}

// MemberAddedMessage announces a member; channelData is the JSON it subscribed with.
func MemberAddedMessage(channel string, channelData []byte) outbound.Message {
	b := outbound.Begin(envelope + len(EventMemberAdded) + quotedSize(channel) + quotedSizeBytes(channelData))
	b = append(b, `{"event":"`+EventMemberAdded+`","data":`...)
	b = appendQuoteBytes(b, channelData)
	return outbound.End(append(appendChannel(b, channel), '}'))
}

// MemberRemovedMessage announces that a member left; userIDRaw is the JSON of its user_id.
func MemberRemovedMessage(channel string, userIDRaw []byte) outbound.Message {
	b := outbound.Begin(2*envelope + quotedSize(channel) + quotedSizeBytes(userIDRaw))
	b = append(b, `{"event":"`+EventMemberRemoved+`","data":"{\"user_id\":`...)
	b = appendEscaped(b, userIDRaw)
	b = append(b, `}"`...)
	return outbound.End(append(appendChannel(b, channel), '}'))
}

// EventMessage returns an event of the HTTP API, data being the string it was published with:
// {"event":…,"data":"…","channel":…}, or in a batch {"event":…,"channel":…,"data":"…"}. The two
// orders are Reverb's.
func EventMessage(event, channel, data string, batch bool) outbound.Message {
	const around = len(`{"event":,"data":,"channel":}`)
	b := outbound.Begin(around + quotedSize(event) + quotedSize(channel) + quotedSize(data))
	b = append(b, `{"event":`...)
	b = AppendQuote(b, event)
	if batch {
		b = append(b, `,"channel":`...)
		b = AppendQuote(b, channel)
	}
	b = append(b, `,"data":`...)
	b = AppendQuote(b, data)
	if !batch {
		b = append(b, `,"channel":`...)
		b = AppendQuote(b, channel)
	}
	return outbound.End(append(b, '}'))
}

// appendChannel appends the last field of a message of the protocol. Reverb leaves out fields that
// are empty in such messages.
func appendChannel(dst []byte, channel string) []byte {
	if channel == "" {
		return dst
	}
	dst = append(dst, `,"channel":`...)
	return AppendQuote(dst, channel)
}

// appendEscapedQuote appends s as a JSON string inside a JSON string.
func appendEscapedQuote(dst []byte, s string) []byte {
	var room [64]byte
	return appendEscaped(dst, AppendQuote(room[:0], s))
}
