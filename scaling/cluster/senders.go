package cluster

import "slices"

// senders is what a node remembers of those who publish to one channel: the sequence of the last event of each. It is owned by the
// channel's lane.
type senders []sender

type sender struct {
	node nodeID
	seq  uint64
	used uint32 // a clock of seconds
}

// Of more than manySenders, those that were silent for oldSender seconds are forgotten: every incarnation of a node is a new one. There
// cannot be more than maxSenders; events of further ones are taken, and not followed.
const (
	manySenders = 32
	oldSender   = 600
	maxSenders  = 1024
)

// take notes an event. fresh is false for one that was there already; lost is how many are missing before it.
func (s *senders) take(e *event, now uint32) (fresh bool, lost uint64) {
	for i := range *s {
		known := &(*s)[i]
		if known.node != e.node {
			continue
		}
		if e.seq <= known.seq {
			return false, 0
		}
		if !e.first {
			lost = e.seq - known.seq - 1
		}
		known.seq, known.used = e.seq, now
		return true, lost
	}
	if len(*s) >= manySenders {
		*s = slices.DeleteFunc(*s, func(old sender) bool { return now-old.used > oldSender })
	}
	if len(*s) >= maxSenders {
		return true, 0
	}
	*s = append(*s, sender{e.node, e.seq, now})
	return true, 0
}
