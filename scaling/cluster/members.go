package cluster

import (
	"strconv"
	"time"

	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
)

// Only the first socket of a user on this node goes to Redis, and only the last one that leaves. One command about a user is under way at a
// time; when it is answered, what Redis has is compared with what is true by then. An answer that never came leaves Redis unsure; as the
// scripts may be repeated, so is the command.

// join counts one more socket of m's user in.
func (r *replica) join(m *protocol.MemberData, most int, done func(error)) {
	u := r.user(m.UserID)
	if !u.shown {
		u.member = m
	}
	u.sockets++
	u.joins = append(u.joins, pendingJoin{most, time.Now(), done})
	if r.p.offline() {
		r.decide(u)
		return
	}
	r.tell(u)
}

// leave counts a socket out.
func (r *replica) leave(userID string, grace bool) {
	u := r.users[userID]
	if u == nil || u.sockets <= len(u.joins) {
		return // more leaves than joins
	}
	u.sockets--
	if u.sockets > 0 {
		return
	}
	u.grace = grace
	if r.p.offline() && !u.elsewhere {
		u.inRoster = false // as far as can be known
	}
	r.tell(u)
	if !u.busy {
		r.review(u)
	}
}

// tell makes Redis have what is true of the user. When it has, the joins are answered.
func (r *replica) tell(u *user) {
	id, ok := r.p.session()
	if u.busy {
		return
	}
	if u.sockets == 0 && u.on != "" && u.on != id {
		r.setOn(u, "") // all that an id of the past has is dropped
	}
	here, there := u.sockets > 0, u.on != "" && u.on == id
	if here == there && !u.unsure {
		r.arrives(u)
		return
	}
	if !ok || r.p.offline() || here && r.registered != id {
		r.unsettle(u)
		if ok && here {
			r.register()
		}
		return
	}
	u.busy = true
	r.busy++
	if here {
		r.tellJoin(u, id)
	} else {
		r.tellLeave(u, id)
	}
}

func (r *replica) tellJoin(u *user, id string) {
	most := 0
	if len(u.joins) == u.sockets {
		most = u.joins[0].most // else it is in already: that Redis is full does not put it out
	}
	c := r.p.rosterCommand(joinScript, r.events, id, u.id, string(u.member.Raw), strconv.Itoa(most), newNodeID().String())
	r.p.ask(r.events, c, func(reply bus.Reply) {
		r.told(u)
		what, at, elsewhere, err := readJoined(reply)
		switch {
		case err != nil:
			r.untold(u, id, "join", err)
			r.decide(u)
			return
		case what == "full":
			r.refuse(u)
			return
		}
		r.setOn(u, id)
		u.joined, u.elsewhere = at, elsewhere
		r.reach(at)
		r.tell(u)
	})
}

func readJoined(reply bus.Reply) (what string, at position, elsewhere bool, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 4 {
		return "", at, false, orMalformed(err)
	}
	if what, err = parts[0].Text(); err != nil {
		return "", at, false, err
	}
	if at, err = positionOf(parts[1], parts[2]); err != nil {
		return "", at, false, err
	}
	n, err := parts[3].Int()
	return what, at, n == 1, err
}

func (r *replica) tellLeave(u *user, id string) {
	var grace time.Duration
	if u.grace {
		grace = r.p.o.Grace
		r.lingering = time.Now().Add(grace + r.p.o.Beat)
		r.p.mark(r)
	}
	c := r.p.rosterCommand(leaveScript, r.events, id, u.id, milliseconds(grace))
	r.p.ask(r.events, c, func(reply bus.Reply) {
		r.told(u)
		at, err := readLeft(reply)
		if err != nil {
			r.untold(u, id, "leave", err)
			return
		}
		r.setOn(u, "")
		if at.generation != "" {
			r.reach(at)
		}
		r.tell(u)
		r.review(u)
		r.finish()
	})
}

// readLeft returns the position to which the end of the user has brought the roster; none if it was not the end.
func readLeft(reply bus.Reply) (at position, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 3 {
		return at, orMalformed(err)
	}
	sign, err := parts[0].Text()
	if err != nil || sign != string(signRemoved) {
		return at, err // the last delta of a generation leads to no position
	}
	return positionOf(parts[1], parts[2])
}

func (r *replica) told(u *user) {
	u.busy = false
	r.busy--
	delete(r.unsettled, u)
}

// untold notes that a command failed or may have failed.
func (r *replica) untold(u *user, id, what string, err error) {
	r.p.complain(what, err)
	r.setOn(u, id)
	u.unsure = true
	r.unsettle(u)
}

// arrives answers the joins of a user whom Redis has, as soon as the replica has it too.
func (r *replica) arrives(u *user) {
	if len(u.joins) == 0 {
		return
	}
	joins := u.joins
	u.joins = nil
	r.wait(arrival{user: u, at: u.joined, joins: joins})
}

// decide answers the joins of a user without Redis.
func (r *replica) decide(u *user) {
	joins := u.joins
	u.joins = nil
	for _, j := range joins {
		if j.most > 0 && !u.shown && r.shown >= j.most {
			u.sockets--
			j.done(scaling.ErrMembers)
			continue
		}
		r.show(u)
		j.done(nil)
	}
	if u.sockets > 0 {
		r.unsettle(u)
		return
	}
	r.tell(u)
	r.review(u)
}

// refuse answers the joins of a user for whom there is no room.
func (r *replica) refuse(u *user) {
	joins := u.joins
	u.joins = nil
	u.sockets -= len(joins)
	for _, j := range joins {
		j.done(scaling.ErrMembers)
	}
	r.tell(u)
	r.review(u)
}
