package protocol

import "strconv"

// envelope is about how many bytes of an event are neither its name, channel nor data.
const envelope = 48

var (
	pongFrame = TextFrame([]byte(`{"event":"` + EventPong + `"}`))
	pingFrame = TextFrame([]byte(`{"event":"` + EventPing + `"}`))
)

// PongFrame returns the answer to pusher:ping.
func PongFrame() Frame { return pongFrame }

// PingFrame returns the pusher:ping of the server.
func PingFrame() Frame { return pingFrame }

// ConnectionEstablishedFrame returns the first message of a connection; activityTimeout is the
// silence in seconds after which the client pings, and must not be 0: pusher-js would give up.
func ConnectionEstablishedFrame(id SocketID, activityTimeout int) Frame {
	b := BeginFrame(128)
	b = append(b, `{"event":"`+EventConnectionEstablished+`","data":"{\"socket_id\":\"`...)
	b = id.AppendTo(b)
	b = append(b, `\",\"activity_timeout\":`...)
	b = strconv.AppendInt(b, int64(activityTimeout), 10)
	return EndFrame(append(b, `}"}`...))
}

// SubscriptionSucceededFrame returns the reply to a subscribe, but on presence channels.
func SubscriptionSucceededFrame(channel string) Frame {
	b := BeginFrame(envelope + len(EventSubscriptionSucceeded) + quotedSize(channel))
	b = append(b, `{"event":"`+EventSubscriptionSucceeded+`","data":"{}"`...)
	return EndFrame(append(appendChannel(b, channel), '}'))
}

// PresenceSucceededFrame returns the reply to a subscribe on a presence channel: the roster in join
// order, each user once. The hash is always an object, where PHP makes it a list now and then.
func PresenceSucceededFrame(channel string, roster []RosterMember) Frame {
	size := 2*envelope + len(EventSubscriptionSucceeded) + quotedSize(channel)
	for i := range roster {
		m := &roster[i]
		size += len(m.ID) + quotedSizeBytes(m.IDRaw) + quotedSizeBytes(m.Info) + 8
	}
	b := BeginFrame(size)
	b = append(b, `{"event":"`+EventSubscriptionSucceeded+`","data":"{\"presence\":{\"count\":`...)
	b = strconv.AppendInt(b, int64(len(roster)), 10)
	b = append(b, `,\"ids\":[`...)
	for i := range roster {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEscaped(b, roster[i].IDRaw)
	}
	b = append(b, `],\"hash\":{`...)
	for i := range roster {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEscapedQuote(b, roster[i].ID)
		b = append(b, ':')
		if info := roster[i].Info; info != nil {
			b = appendEscaped(b, info)
		} else {
			b = append(b, "null"...)
		}
	}
	b = append(b, `}}}"`...)
	return EndFrame(append(appendChannel(b, channel), '}'))
}

// SubscriptionErrorFrame returns what Echo's error() listens for after a refused subscribe; Reverb
// never sends it. typ is one of Pusher's words, such as AuthError; status an HTTP status.
func SubscriptionErrorFrame(channel, typ, message string, status int) Frame {
	b := BeginFrame(2*envelope + quotedSize(channel) + quotedSize(typ) + quotedSize(message))
	b = append(b, `{"event":"`+EventSubscriptionError+`"`...)
	b = appendChannel(b, channel)
	b = append(b, `,"data":{"type":`...)
	b = AppendQuote(b, typ)
	b = append(b, `,"error":`...)
	b = AppendQuote(b, message)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	return EndFrame(append(b, "}}"...))
}

// CacheMissFrame tells a new subscriber of a cache channel that nothing is cached.
func CacheMissFrame(channel string) Frame {
	b := BeginFrame(envelope + quotedSize(channel))
	b = append(b, `{"event":"`+EventCacheMiss+`"`...)
	return EndFrame(append(appendChannel(b, channel), '}'))
}

// MemberAddedFrame announces a member; channelData is the JSON it subscribed with.
func MemberAddedFrame(channel string, channelData []byte) Frame {
	b := BeginFrame(envelope + len(EventMemberAdded) + quotedSize(channel) + quotedSizeBytes(channelData))
	b = append(b, `{"event":"`+EventMemberAdded+`","data":`...)
	b = appendQuoteBytes(b, channelData)
	return EndFrame(append(appendChannel(b, channel), '}'))
}

// MemberRemovedFrame announces that a member left; userIDRaw is the JSON of its user_id.
func MemberRemovedFrame(channel string, userIDRaw []byte) Frame {
	b := BeginFrame(2*envelope + quotedSize(channel) + quotedSizeBytes(userIDRaw))
	b = append(b, `{"event":"`+EventMemberRemoved+`","data":"{\"user_id\":`...)
	b = appendEscaped(b, userIDRaw)
	b = append(b, `}"`...)
	return EndFrame(append(appendChannel(b, channel), '}'))
}

// EventFrame is AppendEvent as a frame, in one allocation.
func EventFrame(event, channel, data string, batch bool) Frame {
	size := envelope + quotedSize(event) + quotedSize(channel) + quotedSize(data)
	return EndFrame(AppendEvent(BeginFrame(size), event, channel, data, batch))
}

// AppendEvent appends an event of the HTTP API, data being the string it was published with:
// {"event":…,"data":"…","channel":…}, or in a batch {"event":…,"channel":…,"data":"…"}. The two
// orders are Reverb's.
func AppendEvent(dst []byte, event, channel, data string, batch bool) []byte {
	dst = append(dst, `{"event":`...)
	dst = AppendQuote(dst, event)
	if batch {
		dst = append(dst, `,"channel":`...)
		dst = AppendQuote(dst, channel)
	}
	dst = append(dst, `,"data":`...)
	dst = AppendQuote(dst, data)
	if !batch {
		dst = append(dst, `,"channel":`...)
		dst = AppendQuote(dst, channel)
	}
	return append(dst, '}')
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
