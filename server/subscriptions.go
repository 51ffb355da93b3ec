package server

import (
	"bytes"
	"sync"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/scaling"
)

// subscriptions owns the channels of one session. Three parties change them, each with mu held: the message that is
// being handled, the relay's answers among other nodes, and the end of the session, which any goroutine may bring. A
// session that has ended begins none.
//
//	subscribe ─┬─▶ enterLocked: the hub replies                       on a node alone, or when the cluster need not know
//	           └─▶ request ── Relay.Join ──▶ answer ──▶ enterLocked       among other nodes
//	                 └── unsubscribe, end: abandoned ──▶ Relay.Leave
//
// Each Join that the relay has granted is given back by one Leave: when the subscription ends, when it begins anew with
// other data, or at once when the session does not want it any more.
type subscriptions struct {
	session *Session // constant after construction

	mu sync.Mutex // taken before the channel's

	// Guarded by mu.
	set      subscriptionSet
	requests *joinRequests // nil while there are none
}

// step says how far a subscribe has come.
type step uint8

const (
	waits    step = iota // for the answer to a request that was made before it; or the session has ended
	asks                 // the relay is to be asked
	answered             // the hub has replied, or there is an error
)

// progress is a subscribe as it stands, for the part of it that needs no lock.
type progress struct {
	step    step
	options channels.JoinOptions
	request *joinRequest // of step asks
	err     error        // of step answered
}

// begin is a subscribe that the client may have. The hub sends the replies, at once or when the relay has answered.
// False: it was refused.
func (s *subscriptions) begin(channel string, o channels.JoinOptions) bool {
	return s.proceed(channel, s.decide(channel, o))
}

func (s *subscriptions) decide(channel string, o channels.JoinOptions) progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session.ended() {
		return progress{step: waits}
	}
	return s.decideLocked(channel, o)
}

// decideLocked decides the next step of a subscribe, so that an unsubscribe that comes next finds it. The caller holds
// mu.
func (s *subscriptions) decideLocked(channel string, o channels.JoinOptions) progress {
	request, old := s.requests.of(channel), s.set.find(channel)
	switch {
	case s.session.app.server.joiner == nil, request == nil && old != nil && sameMember(old, o.Data):
		return progress{step: answered, options: o, err: s.enterLocked(channel, old, o)}
	case request != nil && request.next == nil:
		next := o // a copy, so that o is no allocation for every subscribe
		request.next = &next
		return progress{step: waits}
	case request != nil, s.requests.manyAbandoned():
		return progress{step: answered, options: o, err: channels.ErrBacklog}
	}
	request = &joinRequest{options: o, fresh: old == nil}
	if s.requests == nil {
		s.requests = new(joinRequests)
	}
	s.requests.add(channel, request)
	return progress{step: asks, options: o, request: request}
}

// proceed does the rest of a subscribe. The caller holds no lock.
func (s *subscriptions) proceed(channel string, p progress) bool {
	switch p.step {
	case asks:
		join := scaling.Join{App: s.session.app.id, Channel: channel, Kind: p.options.Kind, MaxMembers: p.options.MaxMembers}
		if join.Kind.IsPresence() {
			join.Member = p.options.Data
		}
		s.session.app.server.joiner.Join(join, func(err error) { s.answer(channel, p.request, err) })
	case answered:
		if p.err != nil {
			return s.session.joinFailed(channel, p.err)
		}
		s.session.announceAnonymous(channel, p.options)
	case waits:
	}
	return true
}

// answer takes the relay's answer to a request, on any goroutine: nil when the relay has granted it. The client's
// answer waits until those before it have room: a client can have asked for the rosters of many channels before the
// first came.
func (s *subscriptions) answer(channel string, request *joinRequest, err error) {
	if !s.session.conn.Room(func() { s.answer(channel, request, err) }) {
		return
	}
	leave, left := s.settle(channel, request, err)
	if leave != nil {
		s.session.app.server.joiner.Leave(*leave)
	}
	for _, p := range left {
		s.proceed(channel, p)
	}
}

// settle ends a request: the session enters the hub if the relay has granted it, and another subscribe of the channel
// has its turn. It returns the grant that is to be given back to the relay, and the rest of either subscribe.
func (s *subscriptions) settle(channel string, request *joinRequest, err error) (leave *scaling.Leave, left []progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := s.requests.end(channel, request)
	s.requests = s.requests.orNil()
	granted := err == nil
	if !wanted || s.session.ended() {
		if granted {
			leave = s.leaveOf(channel, request.options.Kind, request.options.Data)
		}
		return leave, nil
	}
	if granted {
		leave, err = s.replaceLocked(channel, request.options)
	}
	left = append(left, progress{step: answered, options: request.options, err: err})
	if request.next != nil {
		left = append(left, s.decideLocked(channel, *request.next))
	}
	return leave, left
}

// replaceLocked enters the hub with a grant of the relay. One grant more than there are subscriptions is returned: that
// of a subscription whose place was taken, or this one when the hub does not take it. The caller holds mu.
func (s *subscriptions) replaceLocked(channel string, o channels.JoinOptions) (*scaling.Leave, error) {
	old := s.set.find(channel)
	var former *protocol.MemberData
	if old != nil {
		former = old.Data()
	}
	err := s.enterLocked(channel, old, o)
	switch {
	case err != nil:
		return s.leaveOf(channel, o.Kind, o.Data), err
	case old != nil:
		return s.leaveOf(channel, o.Kind, former), nil
	}
	return nil, nil
}

// enterLocked enters the hub, in the place of the present subscription of the channel if there is one. The connection
// is counted before: a client that has its reply may ask for the count at once. The caller holds mu, so that the end of
// the session finds the subscription.
func (s *subscriptions) enterLocked(channel string, old *channels.Subscription, o channels.JoinOptions) error {
	app := s.session.app
	first := s.set.len() == 0
	if first {
		app.subscribed.Add(1)
	}
	before := costOf(old)
	sub, err := app.server.hub.Subscribe(app.id, channel, s.session, old, o)
	switch {
	case err == nil:
		s.set.put(sub, before)
	case first:
		app.subscribed.Add(-1)
	}
	return err
}

// end ends the subscription of a channel, and the wish for one.
func (s *subscriptions) end(channel string) {
	s.mu.Lock()
	sub := s.set.take(channel)
	if sub != nil && s.set.len() == 0 {
		s.session.app.subscribed.Add(-1)
	}
	s.requests.abandon(channel)
	s.mu.Unlock()
	if sub != nil {
		s.quit(sub)
	}
}

// endAll ends all subscriptions, in the order they began, and the wish for any. It is for the end of the session.
func (s *subscriptions) endAll() {
	s.mu.Lock()
	set := s.set
	s.set = subscriptionSet{}
	if set.len() > 0 {
		s.session.app.subscribed.Add(-1)
	}
	s.requests.abandonAll()
	s.mu.Unlock()
	set.each(s.quit)
}

// quit takes a subscription, which is in no set any more, out of the hub and then of the cluster.
func (s *subscriptions) quit(sub *channels.Subscription) {
	server := s.session.app.server
	server.hub.Unsubscribe(sub)
	if server.joiner != nil {
		server.joiner.Leave(*s.leaveOf(sub.Channel(), sub.Kind(), sub.Data()))
	}
}

// leaveOf gives a grant of the relay back. The clients of a node that drains come back elsewhere.
func (s *subscriptions) leaveOf(channel string, kind protocol.Kind, data *protocol.MemberData) *scaling.Leave {
	leave := &scaling.Leave{App: s.session.app.id, Channel: channel, Kind: kind, Grace: s.session.app.server.draining.Load()}
	if kind.IsPresence() {
		leave.Member = data
	}
	return leave
}

// admits reports whether the limits allow a subscription; those that wait for the relay count.
func (s *subscriptions) admits(channel string, cost int64, limits *config.Limits) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting, bytes := s.requests.beside(channel)
	return s.set.admits(channel, cost, waiting, bytes, limits)
}

// has reports whether the session is in the channel, or waits to be.
func (s *subscriptions) has(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests.of(channel) != nil || s.set.find(channel) != nil
}

// sender is the session as the others of a channel know it, and whether it is one of them.
func (s *subscriptions) sender(conf *config.App, channel string) (userID []byte, subscribed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.set.find(channel)
	return senderID(conf, sub), sub != nil
}

// places describes the subscriptions.
func (s *subscriptions) places() []channels.Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	places := make([]channels.Place, 0, s.set.len())
	s.set.each(func(sub *channels.Subscription) { places = append(places, sub.Place()) })
	return places
}

// sameMember reports whether a second subscribe changes nothing that the cluster knows.
func sameMember(sub *channels.Subscription, data *protocol.MemberData) bool {
	if !sub.Kind().IsPresence() {
		return true
	}
	a, b := identified(sub.Data()), identified(data)
	return a == nil && b == nil || a != nil && b != nil && a.UserID == b.UserID && bytes.Equal(a.Raw, b.Raw)
}

// identified returns nil for the data of an anonymous member.
func identified(data *protocol.MemberData) *protocol.MemberData {
	if data == nil || data.UserID == "" {
		return nil
	}
	return data
}
