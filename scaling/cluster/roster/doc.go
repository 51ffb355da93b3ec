// Package roster is the list of members of one presence channel that has subscribers on several nodes: how Redis decides it, and how one
// node follows it.
//
// # Where a join or a leave is decided
//
// In Redis, by scripts that nothing can come between: scripts/join.lua when the first socket of a user comes to a node, scripts/leave.lua when
// the last one goes, scripts/drop.lua for all users of a node that is dead and for those whose grace is over. Whether that is a change for the
// whole cluster is decided in two places: in join.lua, where the user was nobody's member before, and in release of scripts/roster.lua, where the
// last holder lets go. Both call publish of scripts/roster.lua, and nothing else does: one call of it is one change of the cluster, once,
// with its position in the order of the channel. What else must know of each change is recorded there, in the same slot.
//
// # How a node follows
//
// View is what one node knows. It is a pure core: Step takes one Input (a socket that came, a delta, a reply of Redis, a tick of the clock) and
// the Moment in which it came, and returns the Output: Commands for Redis, and Events for this node's subscribers and for joins that wait. A
// View has no clock, no connection and no lock; package cluster carries out what it returns, on the lane of the channel.
//
//	Input, Moment ──▶ View.Step ──▶ Commands ──▶ Redis ──▶ replies ──▶ Step
//	                     │                         └─────▶ deltas ───▶ Step, on all nodes
//	                     └────────▶ Events ────▶ subscribers of this node, joins
//
// A View has three parts. The follower (follow.go) is a copy of the roster in Redis, moved on by deltas. The teller (tell.go) makes Redis have
// the users of this node. The list (list.go) is what this node's subscribers see: the roster, the users of this node, and those who were in the
// roster until a moment ago when Redis lost it (missing.go).
//
// The test in model_test.go has three Views, a Redis and a network of its own and lets anything happen at random: ROSTER_STEPS says how often,
// ROSTER_SEED repeats a run and tells it. cases_test.go and modelcases_test.go have the orders of events that once went wrong. The Redis of the
// model does in Go what the scripts do: twin_test.go compares the two.
package roster
