package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"reverb/bench/client"
)

// stall is how long a phase may go on without anyone coming in before it is given up.
const stall = 20 * time.Second

// crowd is what the handlers of all scenarios share: it counts who has come in and notes who was lost. Embedded in a client.Handler.
type crowd struct {
	faults *faults

	// Atomic.
	in      atomic.Int64 // how many came in since it was made
	want    atomic.Int64 // how many are waited for; 0: nobody waits
	lost    atomic.Int64 // closed although we did not ask for it
	leaving atomic.Bool  // what closes now is no fault

	full chan struct{} // of capacity 1: in has reached want, or someone was lost
}

func newCrowd(f *faults) crowd { return crowd{faults: f, full: make(chan struct{}, 1)} }

// enter counts one who came in.
func (c *crowd) enter() {
	if c.in.Add(1) == c.want.Load() {
		c.signal()
	}
}

func (c *crowd) signal() {
	select {
	case c.full <- struct{}{}:
	default:
	}
}

// Closed notes a connection that ended without being asked to.
func (c *crowd) Closed(_ *client.Client, err error) {
	if c.leaving.Load() || errors.Is(err, client.ErrClosed) {
		return
	}
	c.lost.Add(1)
	c.faults.add("connection ended: %v", err)
	c.signal()
}

// refused notes an event if it is a pusher:error.
func (c *crowd) refused(e client.Event) {
	if string(e.Name) == "pusher:error" {
		c.faults.add("pusher:error: %.200s", e.Data)
	}
}

// wait returns when so many have come in since the crowd was made. It gives up when someone is lost or nobody comes for a while.
func (c *crowd) wait(ctx context.Context, want int64, bar *bar) error {
	c.want.Store(want)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	seen, progress := c.in.Load(), time.Now()
	for {
		now := c.in.Load()
		bar.at(now)
		if now >= want {
			return nil
		}
		if n := c.lost.Load(); n > 0 {
			return fmt.Errorf("%d connections were lost when %d of %d had come in", n, now, want)
		}
		if now != seen {
			seen, progress = now, time.Now()
		} else if time.Since(progress) > stall {
			return fmt.Errorf("nothing came for %v when %d of %d had come in", stall, now, want)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.full:
		case <-tick.C:
		}
	}
}
