package cluster

import (
	"context"

	"reverb/scaling/cluster/roster"
)

// caughtUp waits until the view of a channel has every change that Redis has now: a user of whom a client was told that it is in, or out, is so
// here. It is false when that cannot be known, or not before ctx ends.
func (p *presence) caughtUp(ctx context.Context, events string) bool {
	done := make(chan bool, 1)
	p.lanes.run(events, func() {
		if c := p.views.find(events); c != nil {
			c.step(roster.CatchUp{Done: func(err error) { done <- err == nil }})
			return
		}
		done <- false
	})
	select {
	case ok := <-done:
		return ok
	case <-ctx.Done():
		return false
	}
}
