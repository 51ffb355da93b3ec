// Package management is the one surface for the people who run a node: one HTTP mux with one authentication, which the
// live page and the control socket share.
//
// # Rights
//
// A request comes in one of two ways. Through the control socket comes an operator: the system has let the process open
// the socket, and at the default place the process belongs to the server's own user or to root. It may restart, reload
// and hand over, and, when it is the server's own user or root, see all that the live page shows. Over the network
// comes a browser: it sees what is behind the password (Access), and gives no orders to the server as a whole.
//
// # Two protocols on one socket
//
// The control socket speaks HTTP/1.1, and the protocol of lines that earlier releases speak. During an upgrade one side
// is old: `reverb restart` of the new program on disk asks the old server that still runs, and the other way round. A
// server tells the two apart by the first line of a connection. A client asks by HTTP first, and when the answer is
// "error unknown command" it asks again in lines.
package management
