package cluster

import (
	"slices"
	"time"
)

// doubt is a generation of a roster that was over when the roster was fetched: its last member left, or Redis has lost it. Redis says so by
// the generation's last delta, which a fetch may overtake: the two come over different connections. Until it comes, members are only missing.
type doubt struct {
	generation string
	until      time.Time
	users      []*user // missing because of it
}

// maxDoubts bounds the generations that are doubted at a time; of more the oldest are left to their time.
const maxDoubts = 8

// over notes that the replica's generation is over, as a fetch has found. pending are the deltas that came meanwhile; those of that
// generation, which are older than what was fetched, are taken out.
func (r *replica) over(pending []delta) []delta {
	old := r.at.generation
	ended := slices.ContainsFunc(pending, func(d delta) bool { return d.sign == signLast && d.generation == old })
	if !ended {
		if len(r.doubts) >= maxDoubts {
			r.doubts = slices.Delete(r.doubts, 0, 1)
		}
		r.doubts = append(r.doubts, doubt{generation: old, until: time.Now().Add(r.p.o.Settle)})
	}
	return slices.DeleteFunc(pending, func(d delta) bool { return d.generation == old })
}

// doubted takes a delta of a generation that is over, and says whether it is one. The last one clears up what became of its members.
func (r *replica) doubted(d delta) bool {
	i := slices.IndexFunc(r.doubts, func(known doubt) bool { return known.generation == d.generation })
	if i < 0 {
		return false
	}
	if d.sign != signLast {
		return true
	}
	users := r.doubts[i].users
	r.doubts = slices.Delete(r.doubts, i, i+1)
	if time.Now().Before(r.healed) {
		return true // they may be missing for another reason
	}
	for _, u := range users {
		if _, missed := r.missing[u]; missed {
			delete(r.missing, u)
			r.review(u)
		}
	}
	return true
}

// miss says whether a user who is lost now may only have been lost by Redis.
func (r *replica) miss(u *user, now time.Time) bool {
	if now.Before(r.healed) {
		return true
	}
	r.doubts = slices.DeleteFunc(r.doubts, func(d doubt) bool { return !now.Before(d.until) })
	if len(r.doubts) == 0 {
		return false
	}
	last := &r.doubts[len(r.doubts)-1]
	last.users = append(last.users, u)
	return true
}
