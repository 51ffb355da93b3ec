package cluster

import "slices"

// gapFinder finds events of one channel that came twice or that are missing. It remembers the nodes that publish to the channel. It is owned by
// the channel's lane.
type gapFinder []publishingNode

type publishingNode struct {
	node nodeID
	seq  uint64 // of its last event
	used uint32 // a clock of seconds
}

// Of more than manyNodes, those that were silent for silentNode seconds are forgotten: every incarnation of a node is a new one. There
// cannot be more than maxNodes; events of further ones are taken, and not followed.
const (
	manyNodes  = 32
	silentNode = 600
	maxNodes   = 1024
)

// check notes an event. fresh is false for one that was there already; lost is how many are missing before it.
func (s *gapFinder) check(e *event, now uint32) (fresh bool, lost uint64) {
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
	if len(*s) >= manyNodes {
		*s = slices.DeleteFunc(*s, func(old publishingNode) bool { return now-old.used > silentNode })
	}
	if len(*s) >= maxNodes {
		return true, 0
	}
	*s = append(*s, publishingNode{e.node, e.seq, now})
	return true, 0
}
