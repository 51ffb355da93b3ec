//go:build !linux

package poller

import "runtime"

// NewTurn returns a function with which a goroutine that works for long lets others have their turn.
func NewTurn() func() { return runtime.Gosched }
