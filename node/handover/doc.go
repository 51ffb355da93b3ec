// Package handover passes the listening sockets of a server from one process to the next, so that a new binary takes
// over without one refused connection attempt.
//
// The process that the service manager started never goes away, because its pid is what the manager knows. At the first
// handover it starts the new binary as its child, with the sockets inherited; when the child says that it is ready, the
// first process sends its clients away and stays as a guardian: it passes signals on and ends with the child's exit
// status. At the next handover the guardian starts the next child, and the old child sends its clients away and ends.
// This works alike under Supervisor, systemd, in a container and by hand.
//
//	manager ── first process ── child 1 (has handed over, drains, ends)
//	           = guardian    └─ child 2 (serves)
//
// Each child has a Link to its guardian: a pair of sockets on which lines of JSON go both ways. The two ends may be of
// different versions, so that fields are only ever added, and an unknown kind of message is ignored. When the link
// breaks the guardian is dead, and the child stops as on a signal, to make room for what the manager starts next.
//
// The sockets that systemd opens (socket activation) come in by the same door.
package handover
