// Package testclient starts the real program and speaks to it as its users do: a strict Pusher client over WebSocket, a signing
// HTTP client, and nothing shared with the server's own code. It is for tests only.
package testclient
