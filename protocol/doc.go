// Package protocol is Pusher protocol 7 as bytes: what a client may say, what the server
// answers, and the signatures that both sides check. It holds no goroutine, lock, clock or
// socket, so everything in it can be tested whole, golden and fuzzed.
//
// The life of one connection, as seen on the wire:
//
//	client                                server
//	------                                ------
//	GET /app/{key} (upgrade)        →
//	                                ←     pusher:connection_established {socket_id, activity_timeout}
//	                                      or pusher:error 4001…4009 and the end
//	pusher:subscribe {channel, …}   →
//	                                ←     pusher_internal:subscription_succeeded
//	                                      (to the others of a presence channel, before it:
//	                                      pusher_internal:member_added)
//	                                      then, on a cache channel, the cached event or pusher:cache_miss
//	                                      or pusher:error 4009 and pusher:subscription_error
//	client-…                        →     to all other subscribers of the channel; no answer
//	                                ←     events published over HTTP or by other clients
//	pusher:ping                     →
//	                                ←     pusher:pong
//	                                ←     pusher:ping when the client was silent too long
//	pusher:pong (or anything else)  →
//	pusher:unsubscribe {channel}    →     no answer; pusher_internal:member_removed to those left
//
// Inbound, Decode reads one message into a Message; its methods give the meaning of each kind.
// Reading is strict RFC 8259, one pass, linear in the length of the message, and without
// allocation for the messages clients send all day.
//
// Outbound, each ...Message function returns an outbound.Message, which is immutable and shared by
// all its receivers. Fields and their order are Reverb's. JSON that came
// from a client is passed on byte for byte; our own strings escape only what JSON demands, where
// Reverb also escapes the slash and all that is not ASCII.
//
// Names, kinds and errors: see Kind, SocketID and Error. Signatures: see CheckChannelAuth for
// subscriptions and Query.SignedBy for the HTTP API.
package protocol
