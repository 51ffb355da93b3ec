// Package transport says what a connection is, to the server that talks over it and to the package that carries it. It
// holds types only: a socket is package poller's, and another carrier of messages would implement the same Conn.
//
//	call on Receiver     when
//	-------------------  ----------------------------------------------------------------
//	Handler.Open         the client has connected; the answer to that goes first in line
//	Message, Control     in the order of arrival
//	Closed               exactly once, and last
//
// For one connection the order is Open, (Message | Control)*, Closed, and never two calls run at once, so the fields
// that a Receiver keeps for its connection need no lock. After Conn.Close nothing but Closed follows; Closed comes
// before the close frame that answers a violation. Calls run on a goroutine that thousands of connections share: they
// must not wait. A panic in one costs that connection and is logged.
//
//	method of Conn   what it does                                   what the client of a WebSocket sees
//	---------------  ---------------------------------------------  ------------------------------------------
//	Send, Ping       sends now, or queues within bounds             frames, in order
//	                 over a bound: ends the connection              TCP reset
//	Close            flushes, close frame, half-close               close frame, then end of stream
//	                 waits a bounded time for the client            nothing, or TCP reset if it does not leave
//	Kill             drops the bytes that wait, ends it             TCP reset
//
// These never wait and never call the Receiver, so they may be called under any lock.
package transport
