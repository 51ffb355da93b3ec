package protocol

import "reverb/outbound"

// ClientEventMessage returns a client event as the other subscribers of channel get it in the mode
// "members": {"event":…,"channel":…,"data":…}, and "user_id":… when userIDRaw, JSON, is not nil.
func ClientEventMessage(e *ClientEvent, channel string, userIDRaw []byte) outbound.Message {
	const around = len(`{"event":,"channel":,"data":,"user_id":}`)
	b := outbound.Begin(around + quotedSizeBytes(e.Event) + quotedSize(channel) + len(e.Data) + len(userIDRaw))
	b = append(b, `{"event":`...)
	b = appendQuoteBytes(b, e.Event)
	b = append(b, `,"channel":`...)
	b = AppendQuote(b, channel)
	b = append(b, `,"data":`...)
	b = append(b, e.Data...)
	b = appendUserID(b, userIDRaw)
	return outbound.End(append(b, '}'))
}

func appendUserID(dst, userIDRaw []byte) []byte {
	if userIDRaw == nil {
		return dst
	}
	dst = append(dst, `,"user_id":`...)
	return append(dst, userIDRaw...)
}

// ForwardedMessage returns a client event as the other subscribers of channel get it in the mode
// "all": the client's own object with every field as it was written, but
//   - user_id is what the server knows (userIDRaw, JSON) or, when that is nil, not there;
//   - channel is channel, and a channels list is gone;
//   - data is data, the JSON of the event that was made of the payload;
//   - a member that has one of these names but for the case is gone: some readers take it for the name;
//   - of an event or data that is there twice only the last is kept, which is the one that was
//     judged: not every client library takes the last.
//
// payload must be one that Decode accepts; of any other there is no message.
func ForwardedMessage(payload []byte, channel string, data, userIDRaw []byte) outbound.Message {
	var m Message
	if Decode(payload, &m) != nil {
		return outbound.Message{}
	}
	const around = len(`,"channel":,"user_id":`)
	dst := outbound.Begin(around + len(payload) + quotedSize(channel) + len(userIDRaw))
	quotedChannel := AppendQuote(make([]byte, 0, 64), channel)
	var event, told, named bool // written already
	first := len(dst) + 1
	dst = append(dst, '{')
	for o, _ := openObject(payload); o.next(); {
		switch name := o.name(); string(name) {
		case "user_id", "channels":
		case "event":
			dst = appendMemberOnce(dst, first, &event, o.quoted, m.event)
		case "data":
			dst = appendMemberOnce(dst, first, &told, o.quoted, data)
		case "channel":
			dst = appendMemberOnce(dst, first, &named, o.quoted, quotedChannel)
		default:
			if !isServerMember(name) {
				dst = appendMember(dst, first, o.quoted, o.value)
			}
		}
	}
	dst = appendMemberOnce(dst, first, &named, []byte(`"channel"`), quotedChannel)
	dst = appendUserID(dst, userIDRaw)
	return outbound.End(append(dst, '}'))
}

// appendMemberOnce is appendMember when *done is false, and makes it true.
func appendMemberOnce(dst []byte, first int, done *bool, name, value []byte) []byte {
	if *done {
		return dst
	}
	*done = true
	return appendMember(dst, first, name, value)
}

// appendMember appends a member, both parts JSON, to an object whose members begin at dst[first:].
func appendMember(dst []byte, first int, name, value []byte) []byte {
	if len(dst) > first {
		dst = append(dst, ',')
	}
	dst = append(dst, name...)
	dst = append(dst, ':')
	return append(dst, value...)
}
