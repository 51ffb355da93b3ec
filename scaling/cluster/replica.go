package cluster

import (
	"time"

	"reverb/protocol"
)

// replica is the roster of one presence channel as this node knows it, and what this node has told Redis of its own users there. It is
// owned by the channel's lane.
//
// It stands at a position of the roster in Redis. The next delta moves it on, those it has had already are dropped, and when one is
// missing, or another generation has begun, the whole is fetched. This node's subscribers see who is in the roster, or has a socket on this
// node, or was in the roster until a moment ago when Redis lost it: the nodes are about to say again who is there, and only who is still
// missing after that is removed.
type replica struct {
	// Constant after construction.
	p            *presence
	app, channel string
	events       string

	gone  bool   // forgotten: another replica may be in its place
	open  bool   // the hub holds the channel
	ready func() // to be called when the roster is in the hub; nil: it was

	at       position
	live     bool      // at is the truth, but for deltas that are on their way
	fetches  uint64    // asked for so far
	fetched  uint64    // the last one that was answered
	again    bool      // what the fetch that is under way brings is not enough
	reopened bool      // and nothing it brings is of use
	pending  []delta   // came since it was asked for
	ahead    position  // Redis is known to be there
	behind   time.Time // since when that is known and no delta has come; zero: not so
	healed   time.Time // until then the nodes are saying again who is there
	doubts   []doubt   // generations that are over, and may have been lost

	users     map[string]*user
	shown     int                 // users that the subscribers see
	mine      int                 // users that Redis has as ours
	busy      int                 // users about whom a command is under way
	unsettled map[*user]struct{}  // to look at again at the next tick
	missing   map[*user]time.Time // lost by Redis: until when they are still shown
	waiting   []arrival           // in Redis and not yet here, in the order of their positions

	registered  string // the id of this node under which the cluster knows that it has users here
	registering bool
	former      []string  // ids of this node whose users are to be dropped when they are in under the present one
	lingering   time.Time // when the last grace that we gave is over; zero: none
}

// user is one user of the channel.
type user struct {
	id     string
	member *protocol.MemberData // what the subscribers see; nil of one that we only have to take out of Redis

	inRoster bool // of the cluster, at the replica's position
	shown    bool // to the subscribers

	sockets   int    // of this node
	grace     bool   // the last one left with a grace
	elsewhere bool   // other nodes had it when Redis got it from us
	on        string // the id of this node under which Redis has the user, or may have; empty: it has not
	unsure    bool   // it may have, or may not any more
	busy      bool   // a command about the user is under way
	joined    position
	joins     []pendingJoin // whose done was not called yet
}

// pendingJoin is one socket that waits.
type pendingJoin struct {
	most  int
	since time.Time
	done  func(error)
}

// arrival is a user of ours that Redis has, and whose sockets wait until the replica has it too; or somebody who waits for the replica.
type arrival struct {
	user    *user // nil: nobody comes
	at      position
	fetches uint64 // asked for until then: a later one brings the user
	joins   []pendingJoin
}

func newReplica(p *presence, app, channel, events string) *replica {
	return &replica{
		p: p, app: app, channel: channel, events: events,
		users:     make(map[string]*user),
		unsettled: make(map[*user]struct{}),
		missing:   make(map[*user]time.Time),
	}
}

// start begins to follow: ready is called when the roster is in the hub.
func (r *replica) start(ready func()) {
	r.open, r.live, r.ready = true, false, ready
	if r.p.offline() {
		r.isReady()
		return
	}
	r.p.mark(r)
	r.register()
	r.reopened = r.fetches != r.fetched
	r.fetch()
}

func (r *replica) isReady() {
	if ready := r.ready; ready != nil {
		r.ready = nil
		ready()
	}
}

// close ends following. What Redis still has to know of our users is still done.
func (r *replica) close() {
	r.answer()
	r.open, r.live, r.ready, r.pending = false, false, nil, nil
	r.at, r.behind, r.healed, r.doubts, r.shown = position{}, time.Time{}, time.Time{}, nil, 0
	clear(r.missing)
	for _, u := range r.users {
		u.inRoster, u.shown = false, false
		r.tidy(u)
	}
	r.finish()
}

// finish forgets a closed replica once Redis knows that nobody of ours is there.
func (r *replica) finish() {
	switch {
	case r.gone || r.open || len(r.users) > 0 || r.registering:
	case !r.lingering.IsZero() || len(r.former) > 0:
		r.p.mark(r)
	default:
		r.gone = true
		r.unregister()
		r.p.forget(r)
	}
}

// take takes a change of the roster, which the replica may have had already.
func (r *replica) take(d delta) {
	switch {
	case !r.open || r.doubted(d):
	case r.fetches != r.fetched:
		if len(r.pending) >= maxPending {
			r.pending, r.again = nil, true
		}
		r.pending = append(r.pending, d)
	case !r.live || r.at.includes(d.position):
	case r.at.precedes(d.position):
		r.apply(d)
	default:
		r.fetch()
	}
}

// maxPending bounds the deltas that are kept during a fetch; beyond it they are fetched too.
const maxPending = 4096

// apply moves the replica on by one.
func (r *replica) apply(d delta) {
	r.at = d.position
	if d.sign == signAdded {
		r.admit(d.member)
	} else {
		r.remove(d.userID)
	}
	r.arrive()
	if d.sign == signLast {
		r.at = position{}
	}
	switch {
	case r.behind.IsZero():
	case r.at.includes(r.ahead):
		r.behind = time.Time{}
	default:
		r.behind = time.Now() // they do come
	}
}

// reach notes that Redis has come to a position. If the deltas until there do not follow, they are lost.
func (r *replica) reach(at position) {
	if !r.live || r.at.includes(at) {
		return
	}
	r.ahead = at
	if r.behind.IsZero() {
		r.behind = time.Now()
	}
	r.p.mark(r)
}

// admit takes a user into the roster.
func (r *replica) admit(m *protocol.MemberData) {
	u := r.user(m.UserID)
	u.inRoster = true
	delete(r.missing, u)
	if !u.shown {
		u.member = m
		r.show(u)
		return
	}
	if string(u.member.Raw) != string(m.Raw) {
		u.member = m
		r.p.handler.MemberAdded(r.app, r.channel, m)
	}
}

// remove takes a user out of the roster.
func (r *replica) remove(id string) {
	u := r.users[id]
	if u == nil {
		return
	}
	u.inRoster = false
	if u.sockets == 0 {
		r.lose(u)
		return
	}
	if !u.busy && u.on != "" && r.at.generation == u.joined.generation && r.at.version > u.joined.version {
		// It is still here: somebody took us for dead. Redis hears of it again when we have heard who we are.
		r.setOn(u, "")
		r.unsettle(u)
	}
}

// lose hides a user that is neither in the roster nor here, or lets it be missed for a while when Redis may only have lost it.
func (r *replica) lose(u *user) {
	now := time.Now()
	if _, ok := r.missing[u]; !ok && u.shown && r.miss(u, now) {
		r.missing[u] = now.Add(r.p.o.Settle)
		r.p.mark(r)
	}
	r.review(u)
}

// review hides and forgets a user for whom nothing speaks any more.
func (r *replica) review(u *user) {
	if _, missed := r.missing[u]; missed || u.inRoster || u.sockets > 0 {
		return
	}
	if u.shown {
		u.shown = false
		r.shown--
		r.p.handler.MemberRemoved(r.app, r.channel, u.id)
	}
	r.tidy(u)
}

// tidy forgets a user of whom there is nothing to know.
func (r *replica) tidy(u *user) {
	if u.inRoster || u.shown || u.sockets > 0 || u.busy || u.on != "" {
		return
	}
	delete(r.users, u.id)
	delete(r.unsettled, u)
	delete(r.missing, u)
}

func (r *replica) show(u *user) {
	if r.open && !u.shown {
		u.shown = true
		r.shown++
		r.p.handler.MemberAdded(r.app, r.channel, u.member)
	}
}

func (r *replica) user(id string) *user {
	u := r.users[id]
	if u == nil {
		u = &user{id: id}
		r.users[id] = u
	}
	return u
}

// unsettle has the user looked at again at the next tick.
func (r *replica) unsettle(u *user) {
	r.unsettled[u] = struct{}{}
	r.p.mark(r)
}

// setOn notes under which id Redis has the user.
func (r *replica) setOn(u *user, id string) {
	if u.on != "" {
		r.mine--
	}
	if id != "" {
		r.mine++
	}
	u.on, u.unsure = id, false
}

// wait answers the joins of a when the replica is there.
func (r *replica) wait(a arrival) {
	a.fetches = r.fetches
	r.waiting = append(r.waiting, a)
	r.arrive()
	if len(r.waiting) > 0 {
		r.p.mark(r)
	}
}

// arrive answers the joins of those who are here now.
func (r *replica) arrive() {
	n := 0
	for ; n < len(r.waiting); n++ {
		if a := r.waiting[n]; !r.at.includes(a.at) && r.fetched <= a.fetches {
			break
		}
	}
	r.answerFirst(n)
}

// answer answers all joins that only wait for the replica, which may take too long or forever.
func (r *replica) answer() { r.answerFirst(len(r.waiting)) }

func (r *replica) answerFirst(n int) {
	for _, a := range r.waiting[:n] {
		if a.user != nil && a.user.sockets > 0 {
			r.show(a.user)
		}
		for _, j := range a.joins {
			j.done(nil)
		}
	}
	clear(r.waiting[:n])
	if r.waiting = r.waiting[n:]; len(r.waiting) == 0 {
		r.waiting = nil
	}
}
