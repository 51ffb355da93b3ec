package protocol

import (
	"bytes"
	"slices"
	"strings"
)

// Events of the protocol. Those of a client:
const (
	EventSubscribe   = "pusher:subscribe"
	EventUnsubscribe = "pusher:unsubscribe"
)

// Events that either side may send.
const (
	EventPing = "pusher:ping"
	EventPong = "pusher:pong"
)

// Events of the server.
const (
	EventConnectionEstablished = "pusher:connection_established"
	EventError                 = "pusher:error"
	EventCacheMiss             = "pusher:cache_miss"
	EventSubscriptionError     = "pusher:subscription_error"
	EventSubscriptionSucceeded = "pusher_internal:subscription_succeeded"
	EventMemberAdded           = "pusher_internal:member_added"
	EventMemberRemoved         = "pusher_internal:member_removed"
)

const (
	protocolPrefix = "pusher:"
	clientPrefix   = "client-"
)

// maxClientChannels is how many channels one client event may name: as many as Pusher lets one HTTP
// event have. Reverb knows no limit, so that a message of 10 kB makes it send thousands.
const maxClientChannels = 100

// IsProtocol reports whether the message speaks to the server; any other is a client event.
func (m *Message) IsProtocol() bool { return bytes.HasPrefix(m.Event, []byte(protocolPrefix)) }

// CheckEmptyData refuses a protocol event whose data is neither empty, in the wide sense of PHP
// (absent, null, false, 0, "", "0"), nor an object or array. It is the only rule for events without
// parameters, such as pusher:ping.
func (m *Message) CheckEmptyData() *Error {
	if text, ok := scalarText(m.Data); ok && !isFalsy(text) {
		return ErrInvalidFormat
	}
	return nil
}

// Subscribe is what pusher:subscribe asks for.
type Subscribe struct {
	Channel     string
	Auth        string // "" when absent
	ChannelData string // the text as sent, JSON; "" when absent
}

// Subscribe reads the data of a pusher:subscribe. Reverb: a scalar becomes a string, so 123 is the
// channel "123"; the channel may be empty but not null; channel_data must be JSON. What the
// channel_data says is ParseMemberData's to judge.
func (m *Message) Subscribe() (Subscribe, *Error) {
	var channel, auth, channelData []byte
	o, ok := openObject(m.Data)
	for ok && o.next() {
		switch string(o.name()) {
		case "channel":
			channel = o.value
		case "auth":
			auth = o.value
		case "channel_data":
			channelData = o.value
		}
	}
	if !ok || !o.done() || isNull(channel) {
		return Subscribe{}, ErrInvalidFormat
	}
	channelText, channelOK := scalarText(channel)
	authText, authOK := scalarText(auth)
	dataText, dataOK := scalarText(channelData)
	if !channelOK || !authOK || !dataOK {
		return Subscribe{}, ErrInvalidFormat
	}
	if len(dataText) > 0 {
		if _, ok := validJSON(dataText, 0); !ok {
			return Subscribe{}, ErrInvalidFormat
		}
	}
	return Subscribe{string(channelText), string(authText), string(dataText)}, nil
}

// Unsubscribe reads the channel of a pusher:unsubscribe.
func (m *Message) Unsubscribe() (string, *Error) {
	var channel []byte
	o, ok := openObject(m.Data)
	for ok && o.next() {
		if string(o.name()) == "channel" {
			channel = o.value
		}
	}
	if !ok || !o.done() || isNull(channel) {
		return "", ErrInvalidFormat
	}
	text, ok := scalarText(channel)
	if !ok {
		return "", ErrInvalidFormat
	}
	return string(text), nil
}

// ClientEvent is a message for other clients that passed Reverb's validation.
type ClientEvent struct {
	Event   []byte // the name; points into the message
	Channel string
	// Channels are the names in a top-level channels list, nil when there is none. Reverb heeds it
	// only in the mode "all", where it takes the place of Channel. Values that are no name are left
	// out, and no name is there twice.
	Channels []string
	Data     []byte // JSON, "null" when absent; points into the message
}

// IsClient reports whether the event bears the prefix that lets it pass; Reverb ignores all others
// without a word.
func (e *ClientEvent) IsClient() bool { return bytes.HasPrefix(e.Event, []byte(clientPrefix)) }

// IsClientEvent reports whether an event of this name is a client's.
func IsClientEvent(name string) bool { return strings.HasPrefix(name, clientPrefix) }

// ChannelName is the top-level channel, "" when it is none.
func (m *Message) ChannelName() string {
	if !isString(m.Channel) {
		return ""
	}
	return string(unquote(m.Channel))
}

// DataSize is how long the data is, bytes: of a string what it holds, of any other value its JSON.
func (e *ClientEvent) DataSize() int {
	if isString(e.Data) {
		return len(unquote(e.Data))
	}
	return len(e.Data)
}

// ClientEvent validates a message for other clients. Reverb: channel must be a string that is not
// blank; data an object or array, null, blank or absent. A channels list of more than 100 names is
// refused.
func (m *Message) ClientEvent() (ClientEvent, *Error) {
	text, scalar := scalarText(m.Data)
	blank := isNull(m.Data) || isString(m.Data) && isBlank(text)
	if scalar && !blank {
		return ClientEvent{}, ErrInvalidFormat
	}
	return m.clientEvent(m.Data)
}

// ClientEventAsSent is ClientEvent with Pusher's rule for data: it is any JSON value, and is passed on as it is.
func (m *Message) ClientEventAsSent() (ClientEvent, *Error) { return m.clientEvent(m.sent) }

func (m *Message) clientEvent(data []byte) (ClientEvent, *Error) {
	if !isString(m.Channel) {
		return ClientEvent{}, ErrInvalidFormat
	}
	channel := unquote(m.Channel)
	if isBlank(channel) {
		return ClientEvent{}, ErrInvalidFormat
	}
	if data == nil {
		data = []byte("null")
	}
	channels := channelNames(m.channels)
	if len(channels) > maxClientChannels {
		return ClientEvent{}, ErrInvalidFormat
	}
	return ClientEvent{
		Event:    m.Event,
		Channel:  string(channel),
		Channels: distinct(channels),
		Data:     data,
	}, nil
}

// distinct removes, in place, the names that are there already. There are few.
func distinct(names []string) []string {
	if names == nil {
		return nil
	}
	kept := names[:0]
	for _, name := range names {
		if !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	return kept
}

// channelNames reads a top-level channels: a list of names, or one name. It stops when there are too
// many of them.
func channelNames(value []byte) []string {
	switch {
	case isNull(value):
		return nil
	case !isContainer(value):
		text, _ := scalarText(value)
		return []string{string(text)}
	case isObject(value):
		return []string{}
	}
	names := []string{}
	s := scanner{text: value, pos: 1}
	for len(names) <= maxClientChannels {
		s.skipSpace()
		start := s.pos
		if !s.skipValue(1) { // the bracket of an empty list
			break
		}
		item := value[start:s.pos]
		if text, ok := scalarText(item); ok && !isNull(item) {
			names = append(names, string(text))
		}
		s.skipSpace()
		if s.peek() != ',' {
			break
		}
		s.pos++
	}
	return names
}
