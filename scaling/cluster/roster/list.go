package roster

import "reverb/protocol"

// list is what this node's subscribers see: each user who is in the roster, or has a socket on this node, or is missing. It holds everything
// that is known of a user.
type list struct {
	v       *View
	users   map[string]*user
	shown   int // users that the subscribers see
	missing missing
}

// user is one user of the channel.
type user struct {
	id     string
	member *protocol.MemberData // what the subscribers see; nil of one that only has to be taken out of Redis

	inRoster bool // of the cluster, at the follower's position
	shown    bool // to the subscribers

	ownUser
}

// add returns a user, a new one if it is not known.
func (l *list) add(id string) *user {
	u := l.users[id]
	if u == nil {
		u = &user{id: id}
		l.users[id] = u
	}
	return u
}

// enter takes a user into the roster.
func (l *list) enter(m *protocol.MemberData) {
	u := l.add(m.UserID)
	u.inRoster = true
	delete(l.missing.until, u)
	if u.shown && string(u.member.Raw) == string(m.Raw) {
		return
	}
	u.member = m
	l.announce(u)
}

// show shows a user of this node.
func (l *list) show(u *user) {
	if l.v.open && !u.shown {
		l.announce(u)
	}
}

func (l *list) announce(u *user) {
	if !u.shown {
		u.shown = true
		l.shown++
	}
	l.v.out.Events = append(l.v.out.Events, Event{Kind: MemberAdded, Member: u.member, UserID: u.id})
}

// review hides a user for whom nothing speaks any more. It is still shown for a while if Redis may only have lost it: also one that has left
// this node, for it may be on another, which did not tell Redis again yet.
func (l *list) review(u *user) {
	if u.inRoster || u.sockets > 0 || l.missing.has(u) {
		return
	}
	if u.shown && l.v.at.Online && l.missing.add(u, l.v.at.Now, l.v.settings.Retell) {
		l.v.wantTick()
		return
	}
	l.hide(u)
}

// hide hides a user that is not here, and is not missing any more.
func (l *list) hide(u *user) {
	if u.inRoster || u.sockets > 0 {
		return
	}
	if u.shown {
		u.shown = false
		l.shown--
		l.v.out.Events = append(l.v.out.Events, Event{Kind: MemberRemoved, UserID: u.id})
	}
	l.forget(u)
}

// hideMissing hides those who are missing for long enough.
func (l *list) hideMissing() {
	for _, u := range l.missing.overdue(l.v.at.Now) {
		l.hide(u)
	}
}

// forget forgets a user of whom there is nothing to know.
func (l *list) forget(u *user) {
	if u.inRoster || u.shown || u.sockets > 0 || u.busy || u.heldAs != "" {
		return
	}
	delete(l.users, u.id)
	delete(l.missing.until, u)
	delete(l.v.teller.again, u)
}

// end ends the list: nobody sees it any more.
func (l *list) end() {
	l.missing, l.shown = missing{}, 0
	for _, u := range l.users {
		u.inRoster, u.shown = false, false
		l.forget(u)
	}
}
