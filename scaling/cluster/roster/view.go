package roster

import "slices"

// patienceBeats is how many beats something may take that Redis should do at once.
const patienceBeats = 2

// View is one presence channel as one node knows it. Its steps come one after the other.
type View struct {
	settings Settings // constant

	// Of the step that is being taken.
	at  Moment
	out Output

	open    bool // the hub holds the channel
	opening bool // Opened was not said yet
	over    bool

	list     list
	follower follower
	teller   teller
}

// New makes a View that follows nothing yet.
func New(s Settings) *View {
	v := &View{settings: s}
	v.list = list{v: v, users: make(map[string]*user)}
	v.follower.v = v
	v.teller.v = v
	return v
}

// Step takes one input. What it returns is the caller's.
func (v *View) Step(in Input, at Moment) Output {
	v.at, v.out = at, Output{}
	if v.over {
		v.refuse(in)
		return v.out
	}
	switch in := in.(type) {
	case Open:
		v.begin()
	case Close:
		v.end()
	case Join:
		v.teller.join(in)
	case Leave:
		v.teller.leave(in)
	case DeltaCame:
		v.follower.take(in.Delta)
	case DeltasLost:
		v.follower.fetch()
	case Tick:
		v.tick()
	case CheckAgainstRedis:
		v.follower.check()
	case CatchUp:
		v.follower.catchUp(in)
	case RedisLost:
		v.goOnAlone()
	case RedisBack:
		v.redisBack(in)
	default:
		v.reply(in)
	}
	v.finish()
	return v.out
}

// reply takes the reply to a command.
func (v *View) reply(in Input) {
	switch in := in.(type) {
	case JoinTold:
		v.teller.joinTold(in)
	case LeaveTold:
		v.teller.leaveTold(in)
	case Fetched:
		v.follower.fetched(in)
	case Compared:
		v.follower.compared(in)
	case Registered:
		v.teller.registered(in)
	case GracesEnded:
		v.teller.gracesEnded(in)
	}
}

// refuse takes an input that comes after the end.
func (v *View) refuse(in Input) {
	v.out.Over = true
	switch in := in.(type) {
	case CatchUp:
		v.answer(in.Done, ErrUnknown)
	case Compared:
		if in.To.Done != nil {
			v.answer(in.To.Done, ErrUnknown)
		}
	}
}

// begin begins to follow.
func (v *View) begin() {
	v.open, v.opening = true, true
	v.follower.live = false
	if !v.at.Online {
		v.opened()
		return
	}
	v.wantTick()
	v.teller.register()
	v.follower.begin()
}

// opened says once that the list is complete.
func (v *View) opened() {
	if v.opening {
		v.opening = false
		v.out.Events = append(v.out.Events, Event{Kind: Opened})
	}
}

// end ends following.
func (v *View) end() {
	v.follower.answerAll()
	v.open, v.opening = false, false
	v.follower.end()
	v.list.end()
}

// finish ends the View once it is closed and Redis knows that no user of this node is there.
func (v *View) finish() {
	switch {
	case v.over || v.open || len(v.list.users) > 0 || v.teller.registering:
	case v.teller.unfinished():
		v.wantTick()
	default:
		v.over = true
		v.teller.unregister()
		v.out.Over, v.out.Tick = true, false
	}
}

// goOnAlone lets in the joins that wait for Redis.
func (v *View) goOnAlone() {
	v.list.missing.lost = true
	v.follower.live = false
	v.opened()
	v.follower.answerAll()
	for _, u := range v.teller.users() {
		if len(u.joins) > 0 {
			v.teller.answerWithoutRedis(u)
		}
		v.teller.review(u)
	}
}

// redisBack makes Redis and the View agree after Redis was lost, or after this node was taken for dead and has become another.
func (v *View) redisBack(in RedisBack) {
	v.wantTick() // there were no ticks meanwhile
	if in.Former != "" || in.WasLost {
		v.list.missing.expectRetelling(v.at.Now.Add(v.settings.Retell))
	} // else this node has only begun, and has shown nobody yet whom Redis could have lost
	v.teller.redisBack(in.Former)
	v.follower.fetch()
}

// tick does what could not be done at once.
func (v *View) tick() {
	if !v.at.Online {
		return // redisBack does it
	}
	v.follower.tick()
	v.teller.tick()
	if v.follower.upToDate() {
		v.list.hideMissing()
	}
	v.teller.endGraces()
	if v.open && (v.follower.unfinished() || v.teller.waits() || len(v.list.missing.until) > 0) {
		v.wantTick()
	}
}

func (v *View) wantTick() { v.out.Tick = true }

func (v *View) command(c Command) { v.out.Commands = append(v.out.Commands, c) }

func (v *View) answer(done func(error), err error) {
	v.out.Events = append(v.out.Events, Event{Kind: Answered, Done: done, Err: err})
}

// byID puts users into one order: a step with the same inputs does the same.
func byID(users []*user) []*user {
	slices.SortFunc(users, func(a, b *user) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return users
}
