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
//	                       └ client-…  ──► Server.Publish… ──► scaling.Relay ──► Server.Deliver ──► channels.Hub
//
// Bytes go back to clients only through [Session.Send] and the session's own replies, neither of which waits.
//
// # Who may touch what
//
// A transport never runs two calls of one connection at once, so the subscriptions and the rate window of a session have no lock. What
// the sweep, the drain and a termination need of a session is atomic. Any of them ends a session by its end method, which sends the
// last frame, asks the connection to close, and gives the subscriptions back at once, or leaves that to the message that is being handled
// at that moment. Nothing here is called with a lock of the hub held.
//
// # Among other nodes
//
// There a subscribe is answered when the relay has made ready for it, so a session has subscriptions that wait, and a lock for them
// and for those it has; see joins. Rosters are copies of the cluster's, which the relay tells of. Questions of the HTTP API go to all
// nodes. A node that is alone has none of this: its sessions have no lock, and its relay is a function call.
//
// # Liveness
//
// One sweep a second looks at every session: silent for the app's ping interval, it is pinged; without any sign of life for another
// interval, it is closed with 4201. There is no timer per connection.
package server
