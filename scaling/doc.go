// Package scaling carries messages between the nodes of a cluster.
//
// A node publishes through a Relay and takes what comes out of it as a Handler, whether there are other nodes or not:
//
//	server ── Publish ──▶ Relay ── Deliver ──▶ server (of every node) ──▶ channels.Hub
//
// A Relay of several nodes is a Cluster: it also makes ready for the subscriptions of its node (Joiner), keeps the rosters that the node
// shows (MemberAdded, MemberRemoved), and asks all nodes (Querier). Local is the relay of a node that is alone; the Clusters are in the
// packages cluster and phpnodes.
//
// Order: messages that are published to one channel through one node, by however many goroutines, have one order on all nodes, that of their
// places among the channel's events on the publishing node (Message.Order). Messages of different nodes may overtake each other.
package scaling
