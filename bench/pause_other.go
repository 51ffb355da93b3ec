//go:build !linux

package bench

import "time"

// pause waits for d.
func pause(d time.Duration) { <-time.After(d) }
