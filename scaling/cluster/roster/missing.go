package roster

import (
	"slices"
	"time"
)

// missing are the users whom Redis does not have any more, and may only have lost. They are shown until it is known that they are gone, or
// for Settings.Retell: by then their nodes have told Redis again.
type missing struct {
	until    map[*user]time.Time // nil until there is one
	lost     bool                // Redis was, and has not told who this node is since
	retold   time.Time           // until then the nodes are telling Redis again of their users
	suspects []endedGeneration   // whose last delta did not come yet
}

// endedGeneration is a generation of a roster that was over when the roster was fetched: its last member left, or Redis has lost it. Redis says
// so by the generation's last delta, which a fetch may overtake: the two come over different connections. Until it comes, members are only
// missing.
type endedGeneration struct {
	generation string
	until      time.Time
	users      []*user // missing because of it
}

// maxSuspects bounds the generations that are waited for at a time; of more the oldest are left to their time.
const maxSuspects = 8

// expectRetelling says that the nodes are telling Redis again of their users, until then.
func (m *missing) expectRetelling(until time.Time) { m.lost, m.retold = false, until }

// suspect notes a generation that is over, and whose last delta has not come.
func (m *missing) suspect(generation string, until time.Time) {
	if len(m.suspects) >= maxSuspects {
		m.suspects = slices.Delete(m.suspects, 0, 1)
	}
	m.suspects = append(m.suspects, endedGeneration{generation: generation, until: until})
}

// trust ends the suspicion against a generation that Redis has after all.
func (m *missing) trust(generation string) {
	m.suspects = slices.DeleteFunc(m.suspects, func(e endedGeneration) bool { return e.generation == generation })
}

// explains takes a delta of a generation that is over, and says whether it is one. The last one tells what became of its members: they are
// gone, and returned.
func (m *missing) explains(d Delta, now time.Time) (gone []*user, ended bool) {
	i := slices.IndexFunc(m.suspects, func(e endedGeneration) bool { return e.generation == d.At.Generation })
	if i < 0 {
		return nil, false
	}
	if d.Sign != SignLast {
		return nil, true
	}
	users := m.suspects[i].users
	m.suspects = slices.Delete(m.suspects, i, i+1)
	if now.Before(m.retold) {
		return nil, true // they may be missing for another reason
	}
	for _, u := range users {
		if m.has(u) {
			delete(m.until, u)
			gone = append(gone, u)
		}
	}
	return gone, true
}

// add makes a user who is shown missing, if Redis may only have lost it.
func (m *missing) add(u *user, now time.Time, retell time.Duration) bool {
	if !m.lost && !now.Before(m.retold) {
		m.suspects = slices.DeleteFunc(m.suspects, func(e endedGeneration) bool { return !now.Before(e.until) })
		if len(m.suspects) == 0 {
			return false
		}
		last := &m.suspects[len(m.suspects)-1]
		last.users = append(last.users, u)
	}
	if m.until == nil {
		m.until = make(map[*user]time.Time)
	}
	m.until[u] = now.Add(retell)
	return true
}

func (m *missing) has(u *user) bool {
	_, ok := m.until[u]
	return ok
}

// overdue takes out those who are missing for long enough.
func (m *missing) overdue(now time.Time) (gone []*user) {
	for u, until := range m.until {
		if !now.Before(until) {
			delete(m.until, u)
			gone = append(gone, u)
		}
	}
	return byID(gone)
}
