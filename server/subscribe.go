package server

import (
	"errors"
	"log/slog"
	"unicode/utf8"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/scaling"
)

// Refusals of a subscribe that Reverb does not know. They carry 4301, the code of everything that is refused while the
// connection stays (Pusher: 4300-4399), and 4200 where the message itself is wrong.
var (
	errChannelName  = &protocol.Error{Code: 4200, Message: "Invalid channel name"}
	errUserID       = &protocol.Error{Code: 4009, Message: "Presence channels need a user_id in channel_data"}
	errTooMany      = &protocol.Error{Code: 4301, Message: "Connection is over its subscription limit"}
	errMembers      = &protocol.Error{Code: 4301, Message: "Presence channel is over its member limit"}
	errUserIDSize   = &protocol.Error{Code: 4301, Message: "Presence user_id is too long"}
	errUserInfoSize = &protocol.Error{Code: 4301, Message: "Presence user_info is too large"}
)

// The kinds of refusal that pusher:subscription_error names (soketi, Sockudo: the same words).
const (
	authError      = "AuthError"
	limitReached   = "LimitReached"
	invalidChannel = "InvalidChannel"
	serverError    = "ServerError"
)

// unauthorized is the text of pusher:subscription_error for protocol.ErrUnauthorized (soketi, Sockudo: the same
// sentence).
const unauthorized = "The connection is unauthorized."

// subscribe handles pusher:subscribe. A refused one gets Reverb's pusher:error and then pusher:subscription_error, to
// which Echo's error() listens, and creates nothing.
func (ss *Session) subscribe(conf *config.App, m *protocol.Message) bool {
	req, err := m.Subscribe()
	if err != nil {
		return ss.failSubscribe(conf, err)
	}
	rules := &conf.Rules
	kind, valid := kindOf(req.Channel, rules)
	if !valid {
		return ss.refuseSubscribe(req.Channel, errChannelName, invalidChannel, 400)
	}
	if rules.SubscribeOnce && ss.subs.has(req.Channel) {
		// No pusher:subscription_error: the subscription that there is has not failed.
		return ss.failSubscribe(conf, &protocol.Error{Code: 4301, Message: "Existing subscription to channel " + req.Channel})
	}
	if !ss.subs.admits(req.Channel, subscriptionCost(req.Channel, len(req.ChannelData)), &ss.app.server.limits) {
		return ss.refuseSubscribe(req.Channel, errTooMany, limitReached, 403)
	}
	if kind.NeedsAuth() && !ss.authorized(conf, &req) {
		return ss.refuseSubscribe(req.Channel, protocol.ErrUnauthorized, authError, 401)
	}
	data, err := memberData(&req, kind)
	if err != nil {
		return ss.failSubscribe(conf, err)
	}
	if kind.IsPresence() {
		if err, typ, status := checkMember(data, rules); err != nil {
			return ss.refuseSubscribe(req.Channel, err, typ, status)
		}
	}
	return ss.subs.begin(req.Channel, channels.JoinOptions{
		Kind:       kind,
		Data:       data,
		StringIDs:  rules.StringUserIDs,
		MaxMembers: rules.MaxPresenceMembers,
	})
}

// joinFailed answers a subscribe that the hub, or the cluster, did not take.
func (ss *Session) joinFailed(channel string, err error) bool {
	switch {
	case errors.Is(err, channels.ErrMembers), errors.Is(err, scaling.ErrMembers):
		return ss.refuseSubscribe(channel, errMembers, limitReached, 403)
	case !errors.Is(err, channels.ErrBacklog):
		ss.app.server.trouble.Log(slog.LevelError, ss.app.id+" subscribe", "a subscription failed",
			slog.String("app", ss.app.id), slog.String("socket_id", ss.id.String()), slog.String("channel", channel), slog.Any("err", err))
	}
	return ss.refuseSubscribe(channel, protocol.ErrOverCapacity, serverError, 503)
}

// announceAnonymous tells the other nodes of a member without user id, whom only this node counts.
func (ss *Session) announceAnonymous(channel string, o channels.JoinOptions) {
	if ss.app.server.joiner == nil || !o.Kind.IsPresence() || identified(o.Data) != nil {
		return
	}
	data := []byte("{}")
	if o.Data != nil {
		data = o.Data.Raw
	}
	m := scaling.Message{
		App: ss.app.id, Channel: channel,
		Payload: protocol.MemberAddedMessage(channel, data), Except: ss.id, Elsewhere: true,
	}
	if err := ss.app.server.events.send(m); err != nil {
		ss.app.server.events.dropped(ss.app, channel, err)
	}
}

// unsubscribe handles pusher:unsubscribe. It is never answered, not even for a channel that was never joined.
func (ss *Session) unsubscribe(m *protocol.Message) bool {
	channel, err := m.Unsubscribe()
	if err != nil {
		return ss.fail(err)
	}
	ss.subs.end(channel)
	return true
}

func (ss *Session) refuseSubscribe(channel string, err *protocol.Error, typ string, status int) bool {
	ss.failSubscribe(ss.app.conf(), err)
	reason := err.Message
	if err == protocol.ErrUnauthorized {
		reason = unauthorized
	}
	ss.reply(protocol.SubscriptionErrorMessage(channel, typ, reason, status))
	return false
}

// authorized checks the signature of a subscribe, by any of the app's secrets. Reverb does not look at the key in front
// of it.
func (ss *Session) authorized(conf *config.App, req *protocol.Subscribe) bool {
	return conf.AnySecret(func(secret string) bool {
		if !conf.Rules.CheckAuthKey {
			return protocol.CheckChannelAuth(secret, req.Auth, ss.id, req.Channel, req.ChannelData)
		}
		return conf.AnyKey(func(key string) bool {
			return protocol.CheckChannelAuthStrict(key, secret, req.Auth, ss.id, req.Channel, req.ChannelData)
		})
	})
}

// kindOf tells the kind of a channel by its name, and whether the app's rules allow the name.
func kindOf(channel string, rules *config.Rules) (protocol.Kind, bool) {
	if !rules.StrictNames {
		return protocol.KindOf(channel), protocol.LenientChannelName(channel, rules.MaxChannelName)
	}
	return protocol.StrictKindOf(channel), protocol.ValidChannelName(channel, rules.MaxChannelName)
}

// memberData decodes channel_data. It must be well formed for every kind of channel, but is kept only where it is
// signed: on a public channel any client could write anything into it. nil: none was sent, or none is kept.
func memberData(req *protocol.Subscribe, kind protocol.Kind) (*protocol.MemberData, *protocol.Error) {
	if req.ChannelData == "" {
		return nil, nil
	}
	data, err := protocol.ParseMemberData(req.ChannelData)
	if err != nil || !kind.NeedsAuth() {
		return nil, err
	}
	return &data, nil
}

// checkMember applies the app's rules for presence members.
func checkMember(data *protocol.MemberData, rules *config.Rules) (err *protocol.Error, typ string, status int) {
	if data == nil {
		data = &protocol.MemberData{}
	}
	switch {
	case rules.RequireUserID && data.UserID == "":
		return errUserID, authError, 401
	case rules.MaxUserID > 0 && utf8.RuneCountInString(data.UserID) > rules.MaxUserID:
		return errUserIDSize, limitReached, 413
	case rules.MaxUserInfo > 0 && len(data.UserInfo) > rules.MaxUserInfo:
		return errUserInfoSize, limitReached, 413
	}
	return nil, "", 0
}
