package server

import (
	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
)

// The values of accept_client_events_from; any other means none.
const (
	fromAll     = "all"
	fromMembers = "members"
)

// Refusals of client events that Reverb does not know (Pusher has them, with the same code).
var (
	errClientChannel = &protocol.Error{Code: 4301, Message: "Client events are only allowed on private and presence channels"}
	errClientName    = &protocol.Error{Code: 4301, Message: "Invalid client event name"}
	errClientSize    = &protocol.Error{Code: 4301, Message: "Client event data is too large"}
)

// clientEvent handles every event that is not a pusher: event (Reverb: ClientEvent). It goes to all others in the
// channel, never back to the sender, and is not acknowledged. An event of another name than client-… is ignored, but
// only when it is well formed.
func (ss *Session) clientEvent(conf *config.App, m *protocol.Message, payload []byte) bool {
	read := m.ClientEvent
	if conf.Rules.AnyClientData {
		read = m.ClientEventAsSent
	}
	e, err := read()
	if err != nil {
		return ss.failEvent(conf, m.ChannelName(), err)
	}
	if !e.IsClient() {
		return true
	}
	if err := checkClientEvent(&e, &conf.Rules); err != nil {
		return ss.failEvent(conf, e.Channel, err)
	}
	if !ss.rates.allowClientEvent(ss.app.server.clock.now(), &conf.Rules) {
		return ss.failEvent(conf, e.Channel, protocol.ErrRateLimit)
	}
	switch conf.AcceptClientEventsFrom {
	case fromAll:
		return ss.forward(conf, &e, payload)
	case fromMembers:
		return ss.whisper(conf, &e)
	}
	return ss.failEvent(conf, e.Channel, protocol.ErrClientEventsDisabled)
}

// whisper sends a client event of a member: rebuilt from its three fields, with the id under which the channel knows
// the sender.
func (ss *Session) whisper(conf *config.App, e *protocol.ClientEvent) bool {
	userID, ok := ss.subs.sender(conf, e.Channel)
	if !ok {
		return ss.failEvent(conf, e.Channel, protocol.ErrNotMember)
	}
	return ss.publish(conf, e.Channel, protocol.ClientEventMessage(e, e.Channel, userID))
}

// forward sends a client event of any client, with all the fields that the client put into it but a user_id, which is
// the server's to set. A list of channels, which protocol bounds, sends to each of them.
func (ss *Session) forward(conf *config.App, e *protocol.ClientEvent, payload []byte) bool {
	if e.Channels == nil {
		return ss.forwardTo(conf, e.Channel, e.Data, payload)
	}
	for _, channel := range e.Channels {
		if err := checkClientChannel(channel, &conf.Rules); err != nil {
			return ss.failEvent(conf, channel, err)
		}
	}
	ok := true
	for _, channel := range e.Channels {
		ok = ss.forwardTo(conf, channel, e.Data, payload) && ok
	}
	return ok
}

func (ss *Session) forwardTo(conf *config.App, channel string, data, payload []byte) bool {
	channel, reached := ss.app.server.events.reached(ss.app.id, channel)
	if !reached {
		return true
	}
	userID, _ := ss.subs.sender(conf, channel)
	return ss.publish(conf, channel, protocol.ForwardedMessage(payload, channel, data, userID))
}

// publish sends a finished client event to all but the sender. In cache channels it becomes the cached event, as in
// Reverb, but not under Pusher's rules.
func (ss *Session) publish(conf *config.App, channel string, m outbound.Message) bool {
	ss.app.metrics.Published(metrics.SourceClient)
	if !ss.app.server.hub.Room(ss.app.id, channel) {
		ss.app.server.events.dropped(ss.app, channel, channels.ErrBacklog)
		return ss.failEvent(conf, channel, protocol.ErrOverCapacity)
	}
	err := ss.app.server.events.send(scaling.Message{
		App:     ss.app.id,
		Channel: channel,
		Payload: m,
		Except:  ss.id,
		Cache:   !conf.Rules.ClientEventsPrivateOnly,
		Client:  true,
	})
	if err != nil {
		ss.app.server.events.dropped(ss.app, channel, err)
		return ss.failEvent(conf, channel, protocol.ErrOverCapacity)
	}
	return true
}

// senderID is the raw JSON of the id that the others shall see as the sender's: from a subscription whose channel_data
// was signed, nil if there is none.
func senderID(conf *config.App, sub *channels.Subscription) []byte {
	if sub == nil || !sub.Kind().NeedsAuth() {
		return nil
	}
	data := sub.Data()
	switch {
	case data == nil || data.UserID == "":
		return nil
	case conf.Rules.StringUserIDs:
		return protocol.AppendQuote(nil, data.UserID)
	}
	return data.UserIDRaw
}

// checkClientEvent applies the rules that the app has for client events.
func checkClientEvent(e *protocol.ClientEvent, rules *config.Rules) *protocol.Error {
	if rules.StrictNames && !protocol.ValidEventName(string(e.Event), rules.MaxEventName) {
		return errClientName
	}
	if rules.MaxEventData > 0 && e.DataSize() > rules.MaxEventData {
		return errClientSize
	}
	return checkClientChannel(e.Channel, rules)
}

// checkClientChannel applies the rules that the app has for the channels of client events.
func checkClientChannel(channel string, rules *config.Rules) *protocol.Error {
	kind, valid := kindOf(channel, rules)
	switch {
	case !valid:
		return errChannelName
	case rules.ClientEventsPrivateOnly && !kind.NeedsAuth():
		return errClientChannel
	}
	return nil
}
