package pulse

import (
	"cmp"
	"slices"
	"time"
)

// periods are the lengths of Pulse's buckets, seconds: an hour, six, a day and a week are shown as 60 of them each.
// Every one is a multiple of those before it, and the buckets begin at multiples of their length.
var periods = [...]int64{60, 360, 1440, 10080}

// bucketsShown is how many buckets of a period Pulse shows. Older ones it trims.
const bucketsShown = 60

// The types that Reverb's recorder gives to its entries.
const (
	typeSent     = "reverb_message:sent"
	typeReceived = "reverb_message:received"
)

// slot is one stretch of time of one application and direction.
type slot struct {
	at   int64 // Unix time of its beginning
	kind string
	app  string
}

// count is how many messages a slot has.
type count struct {
	slot
	n uint64
}

// pending is what waits to be written. While the place it goes to is down it is merged: as Pulse shows a week in steps
// of nearly three hours, what is old need not be known by the minute. So there are at most 61 slots of each length for
// an application and direction.
type pending map[slot]uint64

func (p pending) add(s slot, n uint64) {
	if n > 0 {
		p[s] += n
	}
}

// total is how many messages are counted.
func (p pending) total() (n uint64) {
	for _, m := range p {
		n += m
	}
	return n
}

// age merges the slots that are finer than anything that still shows them, and gives up those that nothing shows. It
// returns how many messages it gave up.
func (p pending) age(now time.Time) (lost uint64) {
	for s, n := range p {
		width := finest(s.at, now)
		if width == 0 {
			lost += n
			delete(p, s)
			continue
		}
		// Slots that merging adds while the map is walked may be walked too: they stay.
		if wide := s.at - s.at%width; wide != s.at {
			delete(p, s)
			s.at = wide
			p[s] += n
		}
	}
	return lost
}

// finest is the length of the shortest bucket in which Pulse still shows the time; 0: none.
func finest(at int64, now time.Time) int64 {
	for _, period := range periods {
		if shows(period, at, now) {
			return period
		}
	}
	return 0
}

// shows reports whether the bucket of this length that holds the time is not too old.
func shows(period, at int64, now time.Time) bool {
	return at-at%period > now.Unix()-bucketsShown*period
}

// sorted are the counts in a fixed order: nodes that write the same rows in the same order wait for each other and do
// not deadlock.
func (p pending) sorted() []count {
	all := make([]count, 0, len(p))
	for s, n := range p {
		all = append(all, count{s, n})
	}
	slices.SortFunc(all, func(a, b count) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.app, b.app), cmp.Compare(a.kind, b.kind))
	})
	return all
}
