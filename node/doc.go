// Package node is one running server: what it is made of, and its life from the start to the last line.
//
// An engine answers clients (poller, server, channels, relay, HTTP API). Beside it stand the metrics, Laravel Pulse,
// Laravel's restart signal, the live page, and the control socket through which operators give their orders. Serve
// takes those orders, and signals, until there is a reason to end; then the node says goodbye to its clients (stop), or
// another process takes over (handover).
package node
