package phpnodes

import "time"

// peers is what is known of the other nodes of this program that publish: the number of the last event of each. After a lost connection
// a node sends again what Redis did not confirm, so an event may come twice. It is owned by the inbox's worker.
type peers map[string]peer

type peer struct {
	seq  uint64
	seen time.Time
}

// Of more than manyPeers, those that were silent for longer than oldPeer are forgotten: a node that restarts is another.
const (
	manyPeers = 256
	oldPeer   = 10 * time.Minute
)

// take notes an event of a node. fresh is false for one that was there already; lost is how many are missing before it.
func (p peers) take(node string, seq uint64, now time.Time) (fresh bool, lost uint64) {
	known, ok := p[node]
	if ok && seq <= known.seq {
		return false, 0
	}
	if !ok && len(p) >= manyPeers {
		for id, old := range p {
			if now.Sub(old.seen) > oldPeer {
				delete(p, id)
			}
		}
		if len(p) >= manyPeers {
			return true, 0 // not followed: more nodes than there can be
		}
	}
	p[node] = peer{seq, now}
	if ok {
		lost = seq - known.seq - 1
	}
	return true, lost
}
