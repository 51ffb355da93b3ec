package measure

import (
	"math"
	"sync"
)

// maxGaps bounds the missing events that a Checker remembers by name, in all (about 3 MB).
const maxGaps = 1 << 16

// What first says of a pair that has seen nothing yet (next is 0); any smaller number is the last one that it may begin with.
const (
	anywhere = math.MaxUint32 - 1 // begins wherever it will
	left     = math.MaxUint32     // the subscription has ended
)

// Checks is the outcome of a Checker.
type Checks struct {
	Expected   int64 `json:"expected"`
	Delivered  int64 `json:"delivered"` // each event once, also when it came twice
	Missing    int64 `json:"missing"`
	Duplicated int64 `json:"duplicated"`
	Reordered  int64 `json:"reordered"`         // came, but after a later one of the same publisher
	Unknown    int64 `json:"unknown,omitempty"` // of no publisher of this run, or numbered beyond its last event
}

// OK reports whether every event came, once and in order.
func (c Checks) OK() bool { return c.Missing|c.Duplicated|c.Reordered|c.Unknown == 0 }

// Add sums two outcomes.
func (c Checks) Add(o Checks) Checks {
	return Checks{
		Expected:   c.Expected + o.Expected,
		Delivered:  c.Delivered + o.Delivered,
		Missing:    c.Missing + o.Missing,
		Duplicated: c.Duplicated + o.Duplicated,
		Reordered:  c.Reordered + o.Reordered,
		Unknown:    c.Unknown + o.Unknown,
	}
}

// Checker proves that each subscription had all events of each publisher, once and in order. A subscription is one client on one
// channel; a client on three channels is three. A publisher numbers its events from 1 up on each channel for itself, so that
// a checker of many channels needs no more memory than one of a single channel: two uint32 for each subscription and publisher.
//
// Calls for one subscription come from one goroutine at a time; different subscriptions need no care. Finish is called once, when no
// delivery is under way.
type Checker struct {
	publishers int

	// Both belong to the goroutine of the subscription; the index, called pair, is subscription*publishers + publisher.
	next  []uint32 // the number that comes next; 0: has seen nothing since it joined
	first []uint32 // the number it began with; while next is 0: the last number it may begin with

	mu       sync.Mutex       // taken only when something is amiss and when a subscription joins or leaves
	sums     Checks           // guarded by mu: what is amiss so far, and what was expected of subscriptions that left
	gaps     map[gap]struct{} // guarded by mu: the missing ones by name
	nameless int64            // guarded by mu: how many more are missing
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
	for pair := range c.next {
		c.next[pair], c.first[pair] = 1, 1
	}
	return c
}

// Seen takes one delivery. It costs a comparison and an addition as long as all is well.
func (c *Checker) Seen(subscription, publisher, seq int) {
	if uint(publisher) >= uint(c.publishers) || seq < 1 || int64(seq) >= anywhere {
		c.mu.Lock()
		c.sums.Unknown++
		c.mu.Unlock()
		return
	}
	pair := subscription*c.publishers + publisher
	if uint32(seq) == c.next[pair] {
		c.next[pair]++
		return
	}
	c.odd(pair, uint32(seq))
}

// odd takes a delivery that is not the next one: the first of all, one after a gap, one again.
func (c *Checker) odd(pair int, seq uint32) {
	if c.next[pair] == 0 {
		if c.first[pair] == left {
			return // was under way when the subscription ended
		}
		c.first[pair] = min(c.first[pair], seq)
		c.next[pair] = c.first[pair]
	}
	switch next := c.next[pair]; {
	case seq == next:
		c.next[pair]++
	case seq > next:
		c.next[pair] = seq + 1
		c.miss(pair, next, seq)
	case seq < c.first[pair]:
		// Overtaken by the event this subscription was taken to begin with; so it began earlier.
		c.miss(pair, seq+1, c.first[pair])
		c.first[pair] = seq
		c.mu.Lock()
		c.sums.Reordered++
		c.mu.Unlock()
	default:
		c.again(pair, seq)
	}
}

// miss notes that the numbers from…to-1 did not come.
func (c *Checker) miss(pair int, from, to uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sums.Missing += int64(to - from)
	for ; from < to && len(c.gaps) < maxGaps; from++ {
		c.gaps[gap{pair, from}] = struct{}{}
	}
	c.nameless += int64(to - from)
}

// again takes a number below the next one: late if it was missing, else a second time. When not all the missing ones are known by name, it
// counts as one of them.
func (c *Checker) again(pair int, seq uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, late := c.gaps[gap{pair, seq}]
	switch {
	case late:
		delete(c.gaps, gap{pair, seq})
	case c.nameless > 0:
		c.nameless--
	default:
		c.sums.Duplicated++
		return
	}
	c.sums.Missing--
	c.sums.Reordered++
}

// Join makes a subscription start anew, after Leave or in its place. started tells the number of the last event that a publisher had
// begun to send to the channel when the subscription was confirmed (0: none): later ones are expected, those before may come or not. With
// nil it begins with whatever it sees first.
func (c *Checker) Join(subscription int, started func(publisher int) int) {
	c.Leave(subscription)
	for publisher := range c.publishers {
		pair := subscription*c.publishers + publisher
		c.next[pair], c.first[pair] = 0, anywhere
		if started != nil {
			c.first[pair] = uint32(started(publisher)) + 1
		}
	}
}

// Leave ends a subscription: nothing is expected after the last event that it saw, and what still comes is not looked at. It may join
// again.
func (c *Checker) Leave(subscription int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for pair := subscription * c.publishers; pair < (subscription+1)*c.publishers; pair++ {
		if c.next[pair] != 0 {
			c.sums.Expected += int64(c.next[pair] - c.first[pair])
		}
		c.next[pair], c.first[pair] = 0, left
	}
}

// Finish tells the outcome. last gives the number of the last event that a publisher sent to the subscription's channel, 0 for none.
func (c *Checker) Finish(last func(subscription, publisher int) int) Checks {
	c.mu.Lock()
	defer c.mu.Unlock()
	sums := c.sums
	for pair, next := range c.next {
		first := c.first[pair]
		if next == 0 {
			if first == left {
				continue
			}
			next = first
		}
		end := uint32(last(pair/c.publishers, pair%c.publishers)) + 1
		switch {
		case end > next:
			sums.Missing += int64(end - next)
			next = end
		case end < next && next != first:
			sums.Unknown += int64(next - max(end, first))
		}
		sums.Expected += int64(next - first)
	}
	sums.Delivered = sums.Expected - sums.Missing
	return sums
}
