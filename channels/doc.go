// Package channels knows who is subscribed to what on this node.
package channels
