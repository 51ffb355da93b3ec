package protocol

// Message is one inbound client message. Decode fills it; the methods give the meaning of its data
// and each may be called for any message. Its byte fields point into the payload or into memory
// made for them, so a Message must not outlive the payload.
type Message struct {
	Event   []byte // the name, unescaped, never blank
	Data    []byte // JSON; when data was a string holding JSON, that JSON; nil when absent
	Channel []byte // JSON of the top-level channel, nil when absent

	sent     []byte // JSON of data as it was sent, nil when absent
	event    []byte // JSON of the name
	channels []byte // JSON of the top-level channels, nil when absent
}

// Decode reads one message. The payload must be one JSON object in strict RFC 8259 syntax, whose
// event is a string that is not blank; of a name that is there twice the last counts. Everything
// else is ErrInvalidFormat. payload is not changed; m keeps pointing into it.
func Decode(payload []byte, m *Message) *Error {
	*m = Message{}
	o, ok := openObject(payload)
	for ok && o.next() {
		switch string(o.name()) {
		case "event":
			m.event = o.value
		case "data":
			m.sent = o.value
		case "channel":
			m.Channel = o.value
		case "channels":
			m.channels = o.value
		}
	}
	if !ok || !o.done() || !isString(m.event) {
		return ErrInvalidFormat
	}
	if m.Event = unquote(m.event); isBlank(m.Event) {
		return ErrInvalidFormat
	}
	m.Data = decodeData(m.sent)
	return nil
}

// decodeData returns the value that a string holds as JSON text, once, and any other value as it is.
// Clients of Reverb write both {"data":{…}} and {"data":"{…}"}. The value must not be nested deeper
// than it could be in the string's place, so that what is forwarded can be decoded again.
func decodeData(value []byte) []byte {
	if !isString(value) {
		return value
	}
	if inner, ok := validJSON(unquote(value), 1); ok {
		return inner
	}
	return value
}
