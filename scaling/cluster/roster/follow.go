package roster

import (
	"slices"
	"time"
)

// follower is a copy of the roster in Redis. It stands at a position: the next delta moves it on, those that it has had already are dropped, and
// when one is missing, or another generation has begun, the whole roster is fetched.
type follower struct {
	v *View

	at      Position
	live    bool      // at is the truth, but for deltas that are on their way
	ahead   Position  // Redis is known to be there
	behind  time.Time // since when that is known and no delta has come; zero: not so
	waiting []waiter  // in the order of their positions

	// Fetches: one at a time is under way.
	asked    uint64
	answered uint64
	again    bool    // what the one that is under way brings is not enough
	useless  bool    // nothing that it brings is of use: the channel was not subscribed yet
	pending  []Delta // came since it was asked for
}

// waiter waits until the follower has come to a position: joins of a user whom Redis has, or a CatchUp.
type waiter struct {
	user    *user // nil: a CatchUp
	at      Position
	fetches uint64 // asked for until then: a later one brings the position
	joins   []pendingJoin
}

// maxPending bounds the deltas that are kept during a fetch; beyond it they are fetched too.
const maxPending = 4096

func (f *follower) fetching() bool { return f.asked != f.answered }

// upToDate reports whether the follower knows what Redis has, but for what is on its way.
func (f *follower) upToDate() bool { return f.live && !f.fetching() }

// unfinished reports whether there is something to look after.
func (f *follower) unfinished() bool { return !f.live || len(f.waiting) > 0 || !f.behind.IsZero() }

// begin fetches the roster: the channel is subscribed from now on.
func (f *follower) begin() {
	f.useless = f.fetching()
	f.fetch()
}

// end forgets the roster.
func (f *follower) end() {
	f.live, f.pending = false, nil
	f.at, f.behind = Position{}, time.Time{}
}

// take takes a change of the roster, which the follower may have had already.
func (f *follower) take(d Delta) {
	if !f.v.open {
		return
	}
	if gone, ended := f.v.list.missing.explains(d, f.v.at.Now); ended {
		for _, u := range gone {
			f.v.list.hide(u)
		}
		return
	}
	switch {
	case f.fetching():
		if len(f.pending) >= maxPending {
			f.pending, f.again = nil, true
		}
		f.pending = append(f.pending, d)
	case !f.live || f.at.includes(d.At):
	case f.at.precedes(d.At):
		f.apply(d)
	default:
		f.fetch()
	}
}

// apply moves the follower on by one.
func (f *follower) apply(d Delta) {
	f.at = d.At
	if d.Sign == SignAdded {
		f.v.list.enter(d.Member)
	} else {
		f.leaves(d.UserID)
	}
	f.answerArrived()
	if d.Sign == SignLast {
		f.at = Position{}
	}
	switch {
	case f.behind.IsZero():
	case f.at.includes(f.ahead):
		f.behind = time.Time{}
	default:
		f.behind = f.v.at.Now // they do come
	}
}

// leaves takes a user out of the roster.
func (f *follower) leaves(id string) {
	u := f.v.list.users[id]
	if u == nil {
		return
	}
	u.inRoster = false
	if u.sockets == 0 {
		f.v.list.review(u)
		return
	}
	f.v.teller.takenOut(u, f.at)
}

// redisIsAt notes how far Redis has come. If the deltas until there do not follow, they are lost.
func (f *follower) redisIsAt(at Position) {
	if !f.live || f.at.includes(at) {
		return
	}
	f.ahead = at
	if f.behind.IsZero() {
		f.behind = f.v.at.Now
	}
	f.v.wantTick()
}

// fetch asks Redis for the whole roster.
func (f *follower) fetch() {
	switch {
	case !f.v.open || !f.v.at.Online:
		f.live = false
	case f.fetching():
		f.again = true
	default:
		f.asked++
		f.again = false
		f.v.command(Fetch{f.v.at.Node})
	}
}

func (f *follower) fetched(in Fetched) {
	f.answered = f.asked
	pending := f.pending
	f.pending = nil
	switch {
	case !f.v.open:
		f.again, f.useless = false, false
		return
	case f.useless:
		f.useless = false
		f.fetch()
		return
	case in.Err != nil:
		f.live = false
		f.v.opened()
		f.v.wantTick()
		return
	}
	f.follow(in, pending)
	f.v.opened()
	if f.again {
		f.fetch()
	}
}

// follow makes the follower what Redis has, and then what the deltas say that came meanwhile.
func (f *follower) follow(in Fetched, pending []Delta) {
	if f.at.Generation != "" && f.at.Generation != in.At.Generation {
		pending = f.generationEnded(pending)
	}
	f.replace(in)
	if f.v.at.Alive && f.v.at.Node == in.To.Node {
		f.v.teller.compare(in.Ours, in.To.Node)
	}
	f.live, f.behind = true, time.Time{}
	f.answerArrived()
	for _, d := range pending {
		f.take(d)
	}
}

// generationEnded notes that the follower's generation is over, as a fetch has found. Deltas of it that came meanwhile are older than what was
// fetched: they are taken out.
func (f *follower) generationEnded(pending []Delta) []Delta {
	old := f.at.Generation
	explained := slices.ContainsFunc(pending, func(d Delta) bool { return d.Sign == SignLast && d.At.Generation == old })
	if !explained {
		f.v.list.missing.suspect(old, f.v.at.Now.Add(f.v.settings.Retell))
	}
	return slices.DeleteFunc(pending, func(d Delta) bool { return d.At.Generation == old })
}

// replace takes the roster that was fetched. Users who are new are announced at once. Users who are not there any more are announced at once
// too, unless Redis may have lost them.
func (f *follower) replace(in Fetched) {
	f.v.list.missing.trust(in.At.Generation)
	f.at = in.At
	there := make(map[string]struct{}, len(in.Members))
	for _, m := range in.Members {
		there[m.UserID] = struct{}{}
		f.v.list.enter(m)
	}
	var gone []*user
	for id, u := range f.v.list.users {
		if _, ok := there[id]; ok {
			continue
		}
		u.inRoster = false
		if u.sockets == 0 {
			gone = append(gone, u)
		}
	}
	for _, u := range byID(gone) {
		f.v.list.review(u)
	}
}

// tick fetches what should have come by now, and lets joins in that have waited for long enough.
func (f *follower) tick() {
	now, patience := f.v.at.Now, patienceBeats*f.v.settings.Beat
	if f.v.open && (!f.live || !f.behind.IsZero() && now.Sub(f.behind) > patience) {
		f.fetch()
	}
	if len(f.waiting) > 0 && now.Sub(f.waiting[0].joins[0].since) > patience {
		f.answerAll()
	}
}

// check compares the View with Redis.
func (f *follower) check() {
	if f.v.open && f.upToDate() && f.v.at.Alive {
		f.v.command(Compare{Node: f.v.at.Node, Before: f.at})
	}
}

// catchUp answers when the follower is where Redis is now.
func (f *follower) catchUp(in CatchUp) {
	if !f.v.open || !f.v.at.Online {
		f.v.answer(in.Done, ErrUnknown)
		return
	}
	f.v.command(Compare{Node: f.v.at.Node, Before: f.at, Done: in.Done})
}

func (f *follower) compared(in Compared) {
	switch {
	case in.To.Done != nil && (in.Err != nil || !f.v.open):
		f.v.answer(in.To.Done, ErrUnknown)
	case in.To.Done != nil:
		f.redisIsAt(in.At)
		f.wait(waiter{at: in.At, joins: []pendingJoin{{since: f.v.at.Now, done: in.To.Done}}})
	case in.Err != nil || !f.live:
	case in.At.Generation == in.To.Before.Generation && in.At.Version < in.To.Before.Version, f.v.teller.differs(in):
		f.fetch()
	default:
		f.redisIsAt(in.At)
	}
}

// wait has a waiter answered when the follower is there.
func (f *follower) wait(w waiter) {
	w.fetches = f.asked
	f.waiting = append(f.waiting, w)
	f.answerArrived()
	if len(f.waiting) > 0 {
		f.v.wantTick()
	}
}

// answerArrived answers those for whom the follower is far enough.
func (f *follower) answerArrived() {
	n := 0
	for ; n < len(f.waiting); n++ {
		if w := f.waiting[n]; !f.at.includes(w.at) && f.answered <= w.fetches {
			break
		}
	}
	f.answerFirst(n)
}

// answerAll answers all joins that only wait for the follower, which may take too long or forever.
func (f *follower) answerAll() { f.answerFirst(len(f.waiting)) }

func (f *follower) answerFirst(n int) {
	for _, w := range f.waiting[:n] {
		if w.user != nil && w.user.sockets > 0 {
			f.v.list.show(w.user)
		}
		for _, j := range w.joins {
			f.v.answer(j.done, nil)
		}
	}
	clear(f.waiting[:n])
	if f.waiting = f.waiting[n:]; len(f.waiting) == 0 {
		f.waiting = nil
	}
}
