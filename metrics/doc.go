// Package metrics is what a node counts, on the Prometheus client library.
//
// Every name, label and meaning is in names.go and, for operators, in docs/metrics.md; a test compares the two.
//
// The registry is the Metrics' own: nothing is registered globally, so two nodes can live in one process.
//
// Labels are bounded. An app label is the id of an application handed to [Metrics.App], that is one of the configuration, or
// "unknown"; reasons, sources and codes come from short lists of this program, and an error code outside Pusher's range is "other".
// Text of a client never becomes a label.
package metrics
