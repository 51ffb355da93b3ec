package roster

import (
	"maps"
	"slices"
	"time"
)

// teller makes Redis have the users of this node.
//
// Only the first socket of a user on this node goes to Redis, and only the last one that leaves. One command about a user is under way at a
// time; when it is answered, what Redis has is compared with what is true by then. An answer that never came leaves it unknown; as the
// scripts may be repeated, so is the command.
type teller struct {
	v *View

	held      int                // users that Redis has as ours
	busy      int                // users about whom a command is under way
	again     map[*user]struct{} // to be looked at again at the next tick; nil until there is one
	graceOver time.Time          // when the last grace that this node gave is over; zero: none

	gracesGiven int

	registeredAs string // the id of this node under which the cluster knows that it has users here; empty: it does not
	registering  bool
	formerIDs    []string // ids of this node whose users are to be dropped when they are in under the present one
}

// ownUser is what is known of a user because of this node. All of it is zero for users of other nodes.
type ownUser struct {
	sockets   int           // of this node
	joins     []pendingJoin // whose answer was not given yet; their sockets are counted
	grace     bool          // the last socket left with a grace
	elsewhere bool          // other nodes had the user when Redis got it from us
	heldAs    string        // the id of this node under which Redis has the user, or may have; empty: it has not
	unknown   bool          // it may have, or may not any more
	busy      bool          // a command about the user is under way
	joined    Position      // of the roster with the user, as of our last TellJoin
}

// pendingJoin is one socket that waits.
type pendingJoin struct {
	most  int
	since time.Time
	done  func(error)
}

// users are those that have anything to do with this node, in one order.
func (t *teller) users() (ours []*user) {
	for _, u := range t.v.list.users {
		if u.sockets > 0 || u.heldAs != "" || u.busy {
			ours = append(ours, u)
		}
	}
	return byID(ours)
}

// join counts one more socket of a user in.
func (t *teller) join(in Join) {
	u := t.v.list.add(in.Member.UserID)
	if !u.shown {
		u.member = in.Member
	}
	u.sockets++
	u.joins = append(u.joins, pendingJoin{in.Most, t.v.at.Now, in.Done})
	if !t.v.at.Online {
		t.answerWithoutRedis(u)
		return
	}
	t.tell(u)
}

// leave counts a socket out.
func (t *teller) leave(in Leave) {
	u := t.v.list.users[in.UserID]
	if u == nil || u.sockets <= len(u.joins) {
		return // more leaves than joins
	}
	u.sockets--
	if u.sockets > 0 {
		return
	}
	u.grace = in.Grace
	t.tellAndReview(u)
}

// tellAndReview makes Redis have what is true of the user, and the list too: at once, or when Redis has answered.
func (t *teller) tellAndReview(u *user) {
	t.tell(u)
	if !u.busy {
		t.review(u)
	}
}

// review looks whether the list should still have the user. When Redis cannot be asked, a user without a socket here is not in the roster any more,
// as far as can be known.
func (t *teller) review(u *user) {
	if u.sockets == 0 && !t.v.at.Online && !u.elsewhere {
		u.inRoster = false
	}
	t.v.list.review(u)
}

// tell makes Redis have what is true of the user. When it has, the joins are answered.
func (t *teller) tell(u *user) {
	if u.busy {
		return
	}
	at := t.v.at
	if u.sockets == 0 && u.heldAs != "" && u.heldAs != at.Node {
		t.setHeld(u, "") // all that an id of the past has is dropped
	}
	here, there := u.sockets > 0, u.heldAs != "" && u.heldAs == at.Node
	switch {
	case here == there && !u.unknown:
		t.isTold(u)
	case !at.Alive || !at.Online || here && t.registeredAs != at.Node:
		t.tellLater(u)
		if at.Alive && here {
			t.register()
		}
	case here:
		t.tellJoin(u)
	default:
		t.tellLeave(u)
	}
}

// isTold answers the joins of a user whom Redis has, as soon as the follower has it too.
func (t *teller) isTold(u *user) {
	if len(u.joins) == 0 {
		return
	}
	joins := u.joins
	u.joins = nil
	t.v.follower.wait(waiter{user: u, at: u.joined, joins: joins})
}

func (t *teller) tellJoin(u *user) {
	most := 0
	if len(u.joins) == u.sockets {
		most = u.joins[0].most // else it is in already: that Redis is full does not put it out
	}
	t.ask(u, TellJoin{t.v.at.Node, u.id, u.member.Raw, most})
}

func (t *teller) joinTold(in JoinTold) {
	u := t.answered(in.To.UserID)
	switch {
	case in.Err != nil:
		t.mayHold(u, in.To.Node)
		t.answerWithoutRedis(u)
	case in.Full:
		t.answerFull(u)
	default:
		t.setHeld(u, in.To.Node)
		u.joined, u.elsewhere = in.At, in.Elsewhere
		t.v.follower.redisIsAt(in.At)
		t.tellAndReview(u)
	}
}

func (t *teller) tellLeave(u *user) {
	var grace time.Duration
	if u.grace {
		grace = t.v.settings.Grace
		t.gracesGiven++
		t.graceOver = t.v.at.Now.Add(grace + t.v.settings.Beat)
		t.v.wantTick()
	}
	t.ask(u, TellLeave{t.v.at.Node, u.id, grace})
}

func (t *teller) leaveTold(in LeaveTold) {
	u := t.answered(in.To.UserID)
	if in.Err != nil {
		t.mayHold(u, in.To.Node)
		t.review(u)
		return
	}
	t.setHeld(u, "")
	if in.At.Generation != "" {
		t.v.follower.redisIsAt(in.At)
	}
	t.tellAndReview(u)
}

// ask sends a command about a user.
func (t *teller) ask(u *user, c Command) {
	u.busy = true
	t.busy++
	t.v.command(c)
}

// answered notes that the command about a user is not under way any more.
func (t *teller) answered(id string) *user {
	u := t.v.list.users[id] // a user with a command under way is not forgotten
	u.busy = false
	delete(t.again, u)
	t.busy--
	return u
}

// mayHold notes that a command failed or may have failed.
func (t *teller) mayHold(u *user, node string) {
	t.setHeld(u, node)
	u.unknown = true
	t.tellLater(u)
}

// setHeld notes under which id Redis has the user.
func (t *teller) setHeld(u *user, id string) {
	if u.heldAs != "" {
		t.held--
	}
	if id != "" {
		t.held++
	}
	u.heldAs, u.unknown = id, false
}

// tellLater has the user looked at again at the next tick.
func (t *teller) tellLater(u *user) {
	if t.again == nil {
		t.again = make(map[*user]struct{})
	}
	t.again[u] = struct{}{}
	t.v.wantTick()
}

// takenOut notes that Redis has taken out a user with sockets here, by a change that led to a position.
func (t *teller) takenOut(u *user, at Position) {
	if !u.busy && u.heldAs != "" && at.Generation == u.joined.Generation && at.Version > u.joined.Version {
		// It is still here: another node took this one for dead. Redis hears of it again when this node has heard who it is.
		t.setHeld(u, "")
		t.tellLater(u)
	}
}

// answerWithoutRedis answers the joins of a user as far as this node knows.
func (t *teller) answerWithoutRedis(u *user) {
	joins := u.joins
	u.joins = nil
	for _, j := range joins {
		if j.most > 0 && !u.shown && t.v.list.shown >= j.most {
			u.sockets--
			t.v.answer(j.done, ErrFull)
			continue
		}
		t.v.list.show(u)
		t.v.answer(j.done, nil)
	}
	if u.sockets > 0 {
		t.tellLater(u)
		return
	}
	t.tellAndReview(u)
}

// answerFull answers the joins of a user for whom there is no room.
func (t *teller) answerFull(u *user) {
	joins := u.joins
	u.joins = nil
	u.sockets -= len(joins)
	for _, j := range joins {
		t.v.answer(j.done, ErrFull)
	}
	t.tellAndReview(u)
}

// compare compares what Redis has of our users, under an id of this node, with what is true. A user about whom a command is under way is left
// out: its reply tells.
func (t *teller) compare(ours []string, node string) {
	there := make(map[string]struct{}, len(ours))
	for _, id := range ours {
		there[id] = struct{}{}
		if u := t.v.list.add(id); !u.busy && (u.heldAs != node || u.unknown) {
			t.setHeld(u, node)
			u.joined = t.v.follower.at
		}
	}
	for _, u := range t.users() {
		if _, ok := there[u.id]; !ok && !u.busy && u.heldAs == node {
			t.setHeld(u, "")
		}
		t.tellAndReview(u)
	}
}

// differs reports whether Redis has another number of our users than it should.
func (t *teller) differs(in Compared) bool {
	return in.To.Node == t.v.at.Node && t.busy == 0 && in.Held != t.held
}

// tick tells what could not be told at once.
func (t *teller) tick() {
	t.register()
	for _, u := range byID(slices.Collect(maps.Keys(t.again))) {
		delete(t.again, u)
		if len(u.joins) > 0 && t.v.at.Now.Sub(u.joins[0].since) > patienceBeats*t.v.settings.Beat {
			t.answerWithoutRedis(u)
		}
		t.tellAndReview(u)
	}
}

// waits reports whether a user is to be told of at the next tick.
func (t *teller) waits() bool { return len(t.again) > 0 }

// unfinished reports whether a closed View still has something to do for users of the past.
func (t *teller) unfinished() bool { return !t.graceOver.IsZero() || len(t.formerIDs) > 0 }
