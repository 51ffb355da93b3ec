package roster

import (
	"errors"
	"time"

	"reverb/protocol"
)

// ErrFull is the answer to the join of a user for whom the channel has no room.
var ErrFull = errors.New("roster: the channel is full")

// ErrUnknown is the answer to a CatchUp when it cannot be known where Redis is.
var ErrUnknown = errors.New("roster: redis cannot be asked")

// Settings are constant for a View.
type Settings struct {
	Beat   time.Duration // between two ticks
	Grace  time.Duration // users who leave with a grace may come back within it
	Retell time.Duration // after Redis was lost, the nodes have so long to tell it again of their users
}

// Moment is when a step is taken, and what the node is then.
type Moment struct {
	Now    time.Time
	Node   string // the id of this node in the cluster
	Alive  bool   // the node may act under its id: the others cannot have taken it for dead
	Online bool   // Redis can be asked
}

// Input is one of the types below, or the reply to a Command.
type Input interface{ input() }

type (
	// Open has the View follow the channel, which is held and whose Redis subscription is confirmed, or Redis is down.
	Open struct{}

	// Close ends following. What Redis still has to know of this node's users is still done.
	Close struct{}

	// Join counts one more socket of a user in.
	Join struct {
		Member *protocol.MemberData
		Most   int         // users that the channel may have; 0: any number
		Done   func(error) // given back in the answer
	}

	// Leave counts out what a Join that was answered with nil has counted in.
	Leave struct {
		UserID string
		Grace  bool
	}

	// DeltaCame is a change of the roster, which the View may have had already.
	DeltaCame struct{ Delta Delta }

	// DeltasLost says that deltas may not have come.
	DeltasLost struct{}

	// Tick comes with each beat to a View that asked for it.
	Tick struct{}

	// CheckAgainstRedis compares the View with Redis, whether anything seems wrong or not.
	CheckAgainstRedis struct{}

	// CatchUp is answered when the View has all changes that Redis has had when it was asked.
	CatchUp struct{ Done func(error) }

	// RedisLost has the View go on alone.
	RedisLost struct{}

	// RedisBack comes when Redis has told who this node is: after RedisLost, or because the node was taken for dead.
	RedisBack struct {
		Former  string // the id of this node before, when it was taken for dead
		WasLost bool   // Redis was lost once since this process began
	}
)

// Replies to commands. Err says that the command failed or that its answer never came: then it may have been executed.
type (
	// JoinTold is the reply to TellJoin.
	JoinTold struct {
		To        TellJoin
		Full      bool
		At        Position // of a roster with the user
		Elsewhere bool     // other nodes have the user too
		Err       error
	}

	// LeaveTold is the reply to TellLeave.
	LeaveTold struct {
		To  TellLeave
		At  Position // of a roster without the user; zero: the user stays, or the generation is over
		Err error
	}

	// Fetched is the reply to Fetch.
	Fetched struct {
		To      Fetch
		At      Position
		Members []*protocol.MemberData // in the order in which they came
		Ours    []string               // users that Redis has as those of the asking node
		Err     error
	}

	// Compared is the reply to Compare.
	Compared struct {
		To   Compare
		At   Position
		Held int // users that Redis has as those of the asking node
		Err  error
	}

	// Registered is the reply to Register.
	Registered struct {
		To  Register
		Err error
	}

	// GracesEnded is the reply to EndGraces.
	GracesEnded struct {
		To   EndGraces
		Left int // users who are still in their grace
		Err  error
	}
)

func (Open) input()              {}
func (Close) input()             {}
func (Join) input()              {}
func (Leave) input()             {}
func (DeltaCame) input()         {}
func (DeltasLost) input()        {}
func (Tick) input()              {}
func (CheckAgainstRedis) input() {}
func (CatchUp) input()           {}
func (RedisLost) input()         {}
func (RedisBack) input()         {}
func (JoinTold) input()          {}
func (LeaveTold) input()         {}
func (Fetched) input()           {}
func (Compared) input()          {}
func (Registered) input()        {}
func (GracesEnded) input()       {}
