// Package subscribe keeps the subscriptions of a node as they are wanted, on whichever master of Redis each name is.
package subscribe
