// Package poller owns sockets: it accepts them, speaks WebSocket on them and closes them. It knows nothing of Pusher. A
// connection is a transport.Conn, and package transport has the contract with its Receiver. Plain connections wait in
// netpoll's Polls and have no goroutine; TLS connections have one.
//
//	call on Receiver     on which goroutine
//	-------------------  -------------------------------------------------
//	Handler.Open         the loop, or the connection's own under TLS
//	Message, Control     the same
//	Closed               the same, or the one that was told of the hang-up
//
// Frames for a client whose own bytes are being handled gather, and go out together: when 16 KiB have come
// together or the read is done.
//
// A client is not listened to while too many answers to its own messages wait for it to read: its next message stays
// unread (answers.go).
//
// A client is slow when its oldest byte has waited for OutboxTimeout or when more than OutboxBytes wait for it. All
// outboxes together hold at most TotalOutboxBytes, a frame that waits in many of them counted once; over it those are
// cut that do not read, wait longest and hold most (shortage.go), and not the one whose frame was too much.
//
// A call that ends a connection only shuts it down; the reader notices, closes the descriptor and calls Closed. So no
// descriptor is written to after its number was given to another socket.
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
