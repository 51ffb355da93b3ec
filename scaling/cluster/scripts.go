package cluster

import (
	_ "embed" // the scripts
	"strconv"
	"time"

	"reverb/scaling/bus"
	"reverb/scaling/cluster/roster"
)

// What is decided for the whole cluster is decided in Redis, by scripts. Each touches keys of one slot only. Those about rosters are in package
// roster.
var (
	//go:embed scripts/cached.lua
	cachedSource string
	//go:embed scripts/keep.lua
	keepSource string
	//go:embed scripts/recall.lua
	recallSource string
	//go:embed scripts/vouch.lua
	vouchSource string
	//go:embed scripts/vacate.lua
	vacateSource string
	//go:embed scripts/evict.lua
	evictSource string

	//go:embed scripts/nodes.lua
	nodesSource string
	//go:embed scripts/beat.lua
	beatSource string
	//go:embed scripts/bury.lua
	burySource string
	//go:embed scripts/looked.lua
	lookedSource string
	//go:embed scripts/forget.lua
	forgetSource string

	joinScript  = bus.NewScript(roster.JoinSource())
	leaveScript = bus.NewScript(roster.LeaveSource())
	dropScript  = bus.NewScript(roster.DropSource())
	fetchScript = bus.NewScript(roster.FetchSource())
	checkScript = bus.NewScript(roster.CheckSource())

	keepScript   = bus.NewScript(cachedSource + keepSource)
	recallScript = bus.NewScript(cachedSource + recallSource)
	vouchScript  = bus.NewScript(cachedSource + vouchSource)
	vacateScript = bus.NewScript(cachedSource + vacateSource)
	evictScript  = bus.NewScript(evictSource)

	beatScript   = bus.NewScript(nodesSource + beatSource)
	buryScript   = bus.NewScript(nodesSource + burySource)
	lookedScript = bus.NewScript(nodesSource + lookedSource)
	forgetScript = bus.NewScript(nodesSource + forgetSource)
)

// buried holds since when a node is dead: a sorted set.
func (n names) buried() string { return n.nodes() + ":buried" }

// rosterCommand runs one of the roster's scripts for a channel, on behalf of a node.
func (p *presence) rosterCommand(s *bus.Script, events, node string, args ...string) bus.Command {
	return bus.Command{
		Script: s,
		Keys:   roster.Keys(events, node),
		Args:   append([]string{p.bus.PublishCommand(), deltaHeader}, args...),
	}
}

// nodesCommand runs one of the scripts about the nodes.
func (p *presence) nodesCommand(s *bus.Script, args ...string) bus.Command {
	n := p.names
	return bus.Command{Script: s, Keys: []string{n.nodes(), n.counts(), n.dead(), n.buried()}, Args: args}
}

// dropChunk is how many users one script takes from a node at most: Redis does nothing else meanwhile.
const dropChunk = 500

// dropCommand takes a node's users out of a channel, dropChunk at most, and those whose grace is over. With users false only those.
func (p *presence) dropCommand(events, node string, users bool, grace time.Duration) bus.Command {
	most := 0
	if users {
		most = dropChunk
	}
	return p.rosterCommand(dropScript, events, node, strconv.Itoa(most), milliseconds(grace), milliseconds(p.o.Grace))
}

// dropped reads the reply to dropCommand: how many users the node still holds there, and how many are in their grace.
func dropped(reply bus.Reply) (held, lingering int64, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 2 {
		return 0, 0, orMalformed(err)
	}
	if held, err = parts[0].Int(); err != nil {
		return 0, 0, err
	}
	lingering, err = parts[1].Int()
	return held, lingering, err
}
