// Package server is the Pusher server of one node: it decides what a client may do and does it.
//
// # One session
//
//	new connection ──► Server.Open ── app? enabled? version? quota? origin? ──no──► pusher:error, close frame, refused
//	                        │ yes
//	                        ▼
//	                     Session ◄── Message, Control, Closed   (transport: one call at a time)
//	                        │
//	   rate limit ► decode ► pusher:subscribe …  ──► channels.Hub
//	                       └ client-…  ──► Server.Publish… ──► scaling.Relay ──► LocalNode.Deliver ──► channels.Hub
//
// Bytes go back to clients only through [Session.Send] and the session's own replies, neither of which waits.
//
// # Which goroutine may touch which field
//
// A transport never runs two calls of one connection at once, so the rate windows of a session have no lock. Its
// subscriptions have one, on every node, for the relay's answers and the end of the session come from other goroutines.
// Other fields that the sweep, the drain and a termination need are atomic. Any of them ends a session by its end
// method, which sends the last frame, gives the subscriptions back and asks the connection to close. Nothing here is
// called with a lock of the hub held.
//
// # Among other nodes
//
// There a subscribe is answered when the relay has made ready for it; see subscriptions. Rosters are copies of the
// cluster's, which the relay tells of. Questions of the HTTP API go to all nodes. For a node that is alone the relay is
// a function call.
//
// # Liveness
//
// One sweep a second looks at every session: silent for the app's ping interval, it is pinged; without any sign of life
// for another interval, it is closed with 4201. There is no timer per connection.
package server
