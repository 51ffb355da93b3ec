// Package client is the load generator of the bench: a fleet of Pusher clients driven by events, and a publisher for the HTTP API.
//
// It shares no code with the server, so that a mistake of ours is never measured against itself: framing, handshake, signatures
// and the little JSON that is needed are written here again, strictly and for a client. It speaks to every server of the Pusher
// protocol.
//
// # The fleet
//
// A Fleet has a few loops; each waits in epoll for its sockets, owns one read buffer for all of them, and parses frames where
// they were read. An idle client owns no buffer: it costs about 300 bytes, and what the kernel takes for a socket. Over TLS, and on
// systems without epoll, a client is a goroutine on a net.Conn with the same contract.
//
//	call                 on which goroutine   order
//	Handler.Connected    the client's loop    once, first
//	Handler.Subscribed   the client's loop    after Connected
//	Handler.Event        the client's loop    after Connected
//	Handler.Closed       the client's loop    once, last, even when Connected was never called
//	methods of Client    any                  none of them waits
//
// Calls for one client never overlap. Calls for two clients may, when there is more than one loop. A call must be short: while
// it runs, every other client of the loop waits, and the latency that is measured for them is ours.
//
// # The publisher
//
// A Publisher has a few connections, and its callers are goroutines that block: there are tens of them and not thousands. A request
// is one write and one read, about 25 µs of processor time of which most is the kernel's, and no garbage.
//
// # Time
//
// Now is the one clock of the bench: monotonic nanoseconds since the process started. A handler is given the time at which the
// bytes were read.
package client
