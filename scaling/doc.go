// Package scaling carries messages between the nodes of a cluster.
//
// A node publishes through a Relay and takes what comes out of it as a Handler, whether there are other nodes or not:
//
//	server ── Publish ──▶ Relay ── Deliver ──▶ server (of every node) ──▶ channels.Hub
//
// Order: messages of one channel that one goroutine publishes reach each node's Handler in that order.
package scaling
