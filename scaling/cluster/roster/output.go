package roster

import (
	"time"

	"reverb/protocol"
)

// Output is what one step asks for.
type Output struct {
	Commands []Command // for Redis, in this order
	Events   []Event   // for this node, in this order
	Tick     bool      // the View wants a Tick with the next beat
	Over     bool      // the View has nothing left to do; the next Open or Join needs a new one
}

// Event is something that this node's subscribers, or a join that waits, must hear.
type Event struct {
	Kind   EventKind
	Member *protocol.MemberData // of MemberAdded
	UserID string               // of MemberAdded and MemberRemoved
	Done   func(error)          // of Answered
	Err    error                // of Answered
}

// EventKind tells events apart.
type EventKind int

const (
	MemberAdded   EventKind = iota // a user is in the list, or is there with new data
	MemberRemoved                  // a user is not in the list any more
	Opened                         // the list is complete, as far as is known: the answer to Open
	Answered                       // Done is to be called with Err
)

// Command is one of the types below: something for Redis to do. All but Unregister and DropNode have a reply.
type Command interface{ command() }

type (
	// TellJoin says that the node has a socket of the user: scripts/join.lua.
	TellJoin struct {
		Node, UserID string
		Data         []byte // channel_data
		Most         int    // users that the channel may have; 0: any number
	}

	// TellLeave says that the node has no socket of the user any more: scripts/leave.lua.
	TellLeave struct {
		Node, UserID string
		Grace        time.Duration // 0: none
	}

	// Fetch asks for the whole roster: scripts/fetch.lua.
	Fetch struct{ Node string }

	// Compare asks where the roster is: scripts/check.lua.
	Compare struct {
		Node   string
		Before Position    // of the View when it asked
		Done   func(error) // of a CatchUp; nil: see CheckAgainstRedis
	}

	// Register notes that the node has users in the channel: if it dies, whichever node finds it dead looks here.
	Register struct{ Node string }

	// Unregister is the end of that.
	Unregister struct{ Node string }

	// DropNode takes out all users whom Redis has as those of a node that is dead: scripts/drop.lua, until none is left.
	DropNode struct{ Node string }

	// EndGraces takes out those whose grace is over: scripts/drop.lua.
	EndGraces struct{ given int } // graces, by this node until then
)

func (TellJoin) command()   {}
func (TellLeave) command()  {}
func (Fetch) command()      {}
func (Compare) command()    {}
func (Register) command()   {}
func (Unregister) command() {}
func (DropNode) command()   {}
func (EndGraces) command()  {}
