package measure

import (
	"sync"
)

// maxGaps bounds the missing events that a Checker remembers one by one, in all.
const maxGaps = 1 << 16

// Checks is the outcome of a Checker.
type Checks struct {
	Expected   int64 `json:"expected"`
	Delivered  int64 `json:"delivered"`
	Missing    int64 `json:"missing"`
	Duplicated int64 `json:"duplicated"`
	Reordered  int64 `json:"reordered"`
}

// OK reports whether every event came, once and in order.
func (c Checks) OK() bool { return c.Missing == 0 && c.Duplicated == 0 && c.Reordered == 0 }

// Add sums two outcomes.
func (c Checks) Add(o Checks) Checks {
	return Checks{
		Expected:   c.Expected + o.Expected,
		Delivered:  c.Delivered + o.Delivered,
		Missing:    c.Missing + o.Missing,
		Duplicated: c.Duplicated + o.Duplicated,
		Reordered:  c.Reordered + o.Reordered,
	}
}

// Checker proves that each subscription had all events of each publisher, once and in order. A subscription is one client on one
// channel; a client on three channels is three. A publisher numbers its events from 1 up on each channel for itself, so that
// a checker of many channels needs no more memory than one of a single channel: two uint32 for each subscription and publisher.
//
// Calls for one subscription come from one goroutine at a time; different subscriptions need no care. Finish is called when no
// delivery is under way.
type Checker struct {
	publishers int

	// Both belong to the goroutine of the subscription; the index is subscription*publishers + publisher.
	next  []uint32 // the sequence number that comes next; 0: any, the subscription has just joined
	first []uint32 // the number it started with

	mu   sync.Mutex       // only taken when something is amiss, or a subscription joins or leaves
	sums Checks           // guarded by mu: what is amiss, and all of subscriptions that left
	gaps map[gap]struct{} // guarded by mu: the missing ones by name, at most maxGaps
}

type gap struct {
	pair int
	seq  uint32
}

// NewChecker expects every event from number 1 on, at every subscription; see Join for those that come later.
func NewChecker(subscriptions, publishers int) *Checker {
	c := &Checker{
		publishers: publishers,
		next:       make([]uint32, subscriptions*publishers),
		first:      make([]uint32, subscriptions*publishers),
		gaps:       map[gap]struct{}{},
	}
	for i := range c.next {
		c.next[i], c.first[i] = 1, 1
	}
	return c
}

// Seen takes one delivery.
func (c *Checker) Seen(subscription, publisher, seq int) {
}

// Join makes the subscription start anew: with each publisher's first event that it sees.
func (c *Checker) Join(subscription int) {
}

// Leave ends the subscription: what comes after the last event it saw is not expected.
func (c *Checker) Leave(subscription int) {
}

// Finish tells the outcome. last gives the number of the last event a publisher sent to the subscription's channel, 0 for none.
func (c *Checker) Finish(last func(subscription, publisher int) int) Checks {
	return Checks{}
}
