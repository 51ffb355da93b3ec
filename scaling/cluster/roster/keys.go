package roster

import _ "embed" // the scripts

// The scripts that decide about a roster. Each is one atomic command of Redis, touches keys of one slot only, and costs the same however many
// members a channel has; Fetch is the exception.
var (
	//go:embed scripts/roster.lua
	prelude string
	//go:embed scripts/join.lua
	joinSource string
	//go:embed scripts/leave.lua
	leaveSource string
	//go:embed scripts/drop.lua
	dropSource string
	//go:embed scripts/fetch.lua
	fetchSource string
	//go:embed scripts/check.lua
	checkSource string
)

// Sources of the scripts, for their arguments see there. The first two arguments are those of scripts/roster.lua.
func JoinSource() string  { return prelude + joinSource }
func LeaveSource() string { return prelude + leaveSource }
func DropSource() string  { return prelude + dropSource }
func FetchSource() string { return prelude + fetchSource }
func CheckSource() string { return prelude + checkSource }

// Keys are those of each script, for the channel whose Redis channel is events, on behalf of a node.
func Keys(events, node string) []string {
	return []string{
		events + ":g",         // hash: g, v: generation and version
		events + ":m",         // hash: user id → version at which it came, member
		events + ":c",         // hash: user id → number of holders
		events + ":n:" + node, // set: users that the node holds
		events + ":l",         // sorted set: users that nobody holds but their grace → until when
		events,                // the Redis channel
	}
}
