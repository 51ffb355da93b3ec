package server

import (
	"bytes"
	"sync"

	"reverb/channels"
	"reverb/config"
	"reverb/protocol"
	"reverb/scaling"
)

// maxAbandoned is how many joins of one connection may be on their way for subscriptions that it does not want any more. Who
// subscribes and unsubscribes faster than Redis answers is told to wait.
const maxAbandoned = 64

// joins is what a session on a node among others has besides: a subscribe is answered only when the relay has made ready for it, so
// the relay's goroutines change the subscriptions too.
//
//	subscribe ──▶ pending ── Relay.Join ──▶ joined ──▶ hub.Subscribe, which replies
//	                 └── unsubscribe, end: abandoned ──▶ joined ──▶ Relay.Leave
//
// Each Join that the relay has granted is given back by one Leave: when the subscription ends, when it begins anew with other data,
// or at once when nobody wants it any more.
type joins struct {
	mu sync.Mutex // taken before the channel's

	// Guarded by mu, and with them the session's subscriptions.
	pending    map[string]*pendingJoin // by channel; nil when there are none
	fresh      int                     // of these, for channels that the session is not in
	freshBytes int64                   // their cost
	abandoned  int                     // joins that are on their way and not pending any more
	counted    bool                    // the session is one of app.subscribed
}

// pendingJoin is a subscribe that waits for the relay.
type pendingJoin struct {
	// Constant after construction.
	options channels.JoinOptions
	fresh   bool // the session was not in the channel

	next *channels.JoinOptions // of another subscribe that came meanwhile; guarded by joins.mu
}

func (p *pendingJoin) cost(channel string) int64 {
	return subscriptionCost(channel, rawSize(p.options.Data))
}

// joins returns nil on a single node.
func (ss *Session) joins() *joins {
	if m := ss.more.Load(); m != nil {
		return m.joins
	}
	return nil
}

// overLimit is Session.overLimit; subscriptions that wait count.
func (j *joins) overLimit(subs *subscriptions, channel string, cost int64, limits *config.Limits) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	waiting, bytes := j.fresh, j.freshBytes
	if p := j.pending[channel]; p != nil && p.fresh {
		waiting, bytes = waiting-1, bytes-p.cost(channel)
	}
	return !subs.admits(channel, cost, waiting, bytes, limits)
}

// addLocked makes p the pending join of a channel that has none. The caller holds j.mu.
func (j *joins) addLocked(channel string, p *pendingJoin) {
	if j.pending == nil {
		j.pending = make(map[string]*pendingJoin)
	}
	j.pending[channel] = p
	if p.fresh {
		j.fresh++
		j.freshBytes += p.cost(channel)
	}
}

// removeLocked takes out the pending join of a channel and reports whether there was one. The caller holds j.mu.
func (j *joins) removeLocked(channel string) bool {
	p := j.pending[channel]
	if p == nil {
		return false
	}
	delete(j.pending, channel)
	if len(j.pending) == 0 {
		j.pending = nil // a map that was large stays so
	}
	if p.fresh {
		j.fresh--
		j.freshBytes -= p.cost(channel)
	}
	return true
}

// joinCluster asks the relay, or the hub at once when the cluster need not know. The caller holds no lock.
func (ss *Session) joinCluster(j *joins, channel string, o channels.JoinOptions) bool {
	j.mu.Lock()
	if ss.ended() {
		j.mu.Unlock()
		return false
	}
	rest := ss.joinLocked(j, channel, o)
	j.mu.Unlock()
	return rest()
}

// joinLocked decides what becomes of a subscribe, so that an unsubscribe that comes next finds it, and returns what is left to do
// without the lock. The caller holds j.mu.
func (ss *Session) joinLocked(j *joins, channel string, o channels.JoinOptions) (rest func() bool) {
	old, waiting := ss.subs.find(channel), j.pending[channel]
	switch {
	case waiting != nil && waiting.next == nil:
		waiting.next = &o // its reply comes after the first one's
		return func() bool { return true }
	case waiting != nil, j.abandoned >= maxAbandoned:
		return func() bool { return ss.joinFailed(channel, channels.ErrBacklog) }
	case old != nil && sameMember(old, o.Data):
		err := ss.enterLocked(j, channel, o)
		return func() bool { return ss.entered(channel, o, err) }
	}
	p := &pendingJoin{options: o, fresh: old == nil}
	j.addLocked(channel, p)
	return func() bool {
		join := scaling.Join{App: ss.app.id, Channel: channel, Kind: o.Kind, MaxMembers: o.MaxMembers}
		if o.Kind.IsPresence() {
			join.Member = o.Data
		}
		ss.app.server.relay.Join(join, func(err error) { ss.joined(j, channel, p, err) })
		return true
	}
}

// joined is the relay's answer, on any goroutine. The client's waits until those before it have room: it can have asked for the rosters of
// many channels before the first came.
func (ss *Session) joined(j *joins, channel string, p *pendingJoin, err error) {
	if !ss.conn.Room(func() { ss.joined(j, channel, p, err) }) {
		return
	}
	granted := err == nil
	j.mu.Lock()
	if j.pending[channel] != p {
		j.abandoned--
		j.mu.Unlock()
		if granted {
			ss.leave(channel, p.options.Kind, p.options.Data)
		}
		return
	}
	j.removeLocked(channel)
	if ss.ended() { // a message is being handled, which releases the rest when it is done
		j.mu.Unlock()
		if granted {
			ss.leave(channel, p.options.Kind, p.options.Data)
		}
		return
	}
	old := ss.subs.find(channel)
	var former *protocol.MemberData
	if old != nil {
		former = old.Data()
	}
	if granted {
		err = ss.enterLocked(j, channel, p.options)
	}
	again := func() bool { return true }
	if p.next != nil {
		again = ss.joinLocked(j, channel, *p.next)
	}
	j.mu.Unlock()

	switch {
	case granted && err != nil:
		ss.leave(channel, p.options.Kind, p.options.Data)
	case granted && old != nil:
		ss.leave(channel, p.options.Kind, former) // its place was taken
	}
	ss.entered(channel, p.options, err)
	again()
}

// enterLocked enters the hub. The caller holds j.mu, so that who ends the session finds the subscription.
func (ss *Session) enterLocked(j *joins, channel string, o channels.JoinOptions) error {
	if !j.counted {
		j.counted = true
		ss.app.subscribed.Add(1) // before the reply
	}
	old := ss.subs.find(channel)
	before := costOf(old)
	sub, err := ss.app.server.hub.Subscribe(ss.app.id, channel, ss, old, o)
	if err == nil {
		ss.subs.put(sub, before)
	}
	ss.recountLocked(j)
	return err
}

// entered is what is left to do without the lock: an anonymous member, whom only this node counts, is announced to the others.
func (ss *Session) entered(channel string, o channels.JoinOptions, err error) bool {
	if err != nil {
		return ss.joinFailed(channel, err)
	}
	if !o.Kind.IsPresence() || o.Data != nil && o.Data.UserID != "" {
		return true
	}
	data := []byte("{}")
	if o.Data != nil {
		data = o.Data.Raw
	}
	m := scaling.Message{
		App: ss.app.id, Channel: channel,
		Payload: protocol.MemberAddedFrame(channel, data).Payload(), Except: ss.id, Elsewhere: true,
	}
	if err := ss.app.server.send(m); err != nil {
		ss.app.server.dropped(ss.app, channel, err)
	}
	return true
}

// leaveCluster ends the subscription of a channel, and the wish for one.
func (ss *Session) leaveCluster(j *joins, channel string) {
	j.mu.Lock()
	sub := ss.subs.take(channel)
	if j.removeLocked(channel) {
		j.abandoned++
	}
	ss.recountLocked(j)
	j.mu.Unlock()
	if sub != nil {
		ss.quit(sub)
	}
}

// releaseAll is release on a node among others.
func (ss *Session) releaseAll(j *joins) {
	j.mu.Lock()
	subs := ss.subs
	ss.subs = subscriptions{}
	j.abandoned += len(j.pending)
	j.pending, j.fresh, j.freshBytes = nil, 0, 0
	ss.recountLocked(j)
	j.mu.Unlock()
	for sub := range subs.all() {
		ss.quit(sub)
	}
}

// quit takes a subscription, which is in no list any more, out of the hub and then of the cluster.
func (ss *Session) quit(sub *channels.Subscription) {
	ss.app.server.hub.Unsubscribe(sub)
	ss.leave(sub.Channel(), sub.Kind(), sub.Data())
}

// leave gives back what a Join was granted. The clients of a node that drains come back elsewhere.
func (ss *Session) leave(channel string, kind protocol.Kind, data *protocol.MemberData) {
	s := ss.app.server
	l := scaling.Leave{App: ss.app.id, Channel: channel, Kind: kind, Grace: s.draining.Load()}
	if kind.IsPresence() {
		l.Member = data
	}
	s.relay.Leave(l)
}

// recountLocked keeps the number of connections that have a subscription. The caller holds j.mu.
func (ss *Session) recountLocked(j *joins) {
	if j.counted && ss.subs.len() == 0 {
		j.counted = false
		ss.app.subscribed.Add(-1)
	}
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
