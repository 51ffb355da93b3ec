// Package poller owns sockets: it accepts them, speaks WebSocket on them and closes them. It knows nothing of Pusher.
// Plain connections wait in netpoll's Polls and have no goroutine; TLS connections have one. Both keep this contract.
//
//	call on Receiver     when                              on which goroutine
//	-------------------  --------------------------------  -------------------------------------------------
//	Handler.Open         101 answer goes first in line     the loop, or the connection's own under TLS
//	Message, Control     in the order of arrival           the same
//	Closed               exactly once, and last            the same, or the one that was told of the hang-up
//
// For one connection the order is Open, (Message | Control)*, Closed, and never two calls run at once, so what a
// Receiver keeps for its connection needs no lock. After Conn.Close nothing but Closed follows; Closed comes before the
// close frame that answers a violation. Calls run on the loop that thousands of connections share: they must not wait. A
// panic in one costs that connection and is logged.
//
//	method of Conn   what it does                                   what the client sees
//	---------------  ---------------------------------------------  ------------------------------------------
//	Send             sends now, or queues within bounds             frames, in order
//	                 over a bound: shuts a socket down              TCP reset
//	Close            flushes, close frame, half-close               close frame, then end of stream
//	                 waits CloseTimeout for the client              nothing, or TCP reset if it does not leave
//	Kill             drops what waits, shuts the socket down        TCP reset
//
// What is sent to a client while its own bytes are being handled gathers, and goes out together: when 16 KiB have come
// together or the read is done.
//
// A client is slow when its oldest byte has waited for OutboxTimeout or when more than OutboxBytes wait for it. All outboxes together
// hold at most TotalOutboxBytes, a frame that waits in many of them counted once; over it those are cut that do not read, wait
// longest and hold most (shortage.go), and not the one whose frame was too much.
//
// These never wait and never call the Receiver, so they may be called under any lock. Whoever ends a connection only
// shuts it down; the reader notices, closes the descriptor and calls Closed. So no descriptor is written to after
// its number was given to another socket.
//
//	the client                                       Reason          answer
//	-----------------------------------------------  --------------  --------------------------------------
//	sends a close frame                              client_close    close frame, then we close TCP first
//	leaves, or half-closes, without one              hangup          none; what came before is delivered
//	breaks the protocol                              from decoder    close frame 1002, 1007 or 1009
//	is slow                                          slow_consumer   none
//	does not read when room is short                 outbox_total    none
//	does not complete its head or TLS in time        no Receiver yet none
//
// Lock order: conn.mu, then table.mu. Of other packages' locks any may be held when a method of Conn is called.
package poller
