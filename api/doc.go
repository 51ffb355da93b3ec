// Package api is the HTTP API of a node, on the public port beside the WebSockets: what Laravel's broadcaster and Pusher's server
// libraries call, the health pages, and the answers to WebSocket requests that were not well-formed.
//
// # A request's way
//
//	recoverPanics → CORS (off unless origins are configured) → path (route.go) → method → size of the body (body.go)
//	→ application → signature (auth.go) → parameters → answer (answer.go)
//
// A publish that arrives whole takes a shorter way (direct.go): from the event loop that read it to the same handler and back, without
// net/http.
//
// The first check that fails answers, so a caller that may not know something learns nothing of what comes later.
//
// # Answers
//
// Answers with a body of JSON are always objects; errors are one short line of text, because Laravel puts the body of a failed
// publish into the text of its exception. Validation errors are Laravel's map of field to messages, with status 422.
//
// Statuses: 400 not JSON, or a name or combination that the app's rules forbid; 401 signature, key or time; 403 disabled app;
// 404 no such route, app or channel; 405 with Allow; 408 the body did not come; 413 body or data too large; 422 fields; 426 and 505
// only on /app/{key}; 500 a fault of ours; 503 with Retry-After when a channel has too much waiting, or while draining (/ready).
package api
