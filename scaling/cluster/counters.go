package cluster

import (
	"sync/atomic"

	"reverb/metrics"
)

// counters are what a relay counts, for the metrics and for Counts. All methods may be called from any goroutine.
type counters struct {
	metrics *metrics.Relay // constant

	received, own, duplicates, lost, unwanted, malformed atomic.Uint64
	asked, answered, partial                             atomic.Uint64
}

// Reasons why a message was ignored, as the metrics have them.
const (
	ignoredMalformed = "malformed" // no node of this version writes such a thing
	ignoredUnwanted  = "unwanted"  // the channel was just released, or is not held yet
)

func (c *counters) receive() {
	c.received.Add(1)
	c.metrics.Received(1)
}

func (c *counters) duplicate() {
	c.duplicates.Add(1)
	c.metrics.Duplicates(1)
}

func (c *counters) lose(n uint64) {
	c.lost.Add(n)
	c.metrics.Lost(int(n))
}

func (c *counters) unwant() {
	c.unwanted.Add(1)
	c.metrics.Ignored(ignoredUnwanted)
}

func (c *counters) malform() {
	c.malformed.Add(1)
	c.metrics.Ignored(ignoredMalformed)
}

// Counts are what a relay has counted since it was made. They only grow, but for Interests.
type Counts struct {
	Received   uint64 // events of other nodes, handed to this one
	Own        uint64 // events that this node published and got back
	Duplicates uint64 // events that came twice
	Lost       uint64 // events of other nodes that never came, by the gaps that they left
	Unwanted   uint64 // messages of channels that were just released or not yet held
	Malformed  uint64 // messages that no node of this version writes

	Asked    uint64 // questions of this node to all
	Answered uint64 // questions of other nodes that this one has answered
	Partial  uint64 // questions that somebody did not answer

	Interests int // channels that this node is subscribed to in Redis, now
}

// Counts may be called often.
func (r *Relay) Counts() Counts {
	c := &r.counters
	return Counts{
		Received:   c.received.Load(),
		Own:        c.own.Load(),
		Duplicates: c.duplicates.Load(),
		Lost:       c.lost.Load(),
		Unwanted:   c.unwanted.Load(),
		Malformed:  c.malformed.Load(),
		Asked:      c.asked.Load(),
		Answered:   c.answered.Load(),
		Partial:    c.partial.Load(),
		Interests:  r.interests.count(),
	}
}
