package cluster

import (
	"context"
	"time"

	"reverb/scaling/bus"
)

// settled waits until the replica of a channel has every change that Redis has now: who was told that a user is in, or out, finds it so
// here. It is false when that cannot be known, or not before ctx ends.
func (p *presence) settled(ctx context.Context, events string) bool {
	done := make(chan bool, 1)
	p.lanes.run(events, func() {
		if r := p.find(events); r != nil && r.open && !p.offline() {
			r.settle(func(ok bool) { done <- ok })
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

// settle calls done, which must not wait, when the replica is where Redis is now.
func (r *replica) settle(done func(ok bool)) {
	id, _ := r.p.session()
	r.p.ask(r.events, r.p.rosterCommand(checkScript, r.events, id), func(reply bus.Reply) {
		at, _, err := readChecked(reply)
		if err != nil || !r.open {
			done(false)
			return
		}
		r.reach(at)
		r.wait(arrival{at: at, joins: []pendingJoin{{since: time.Now(), done: func(error) { done(true) }}}})
	})
}

// readChecked returns where the roster is in Redis and how many users Redis has as ours.
func readChecked(reply bus.Reply) (at position, held int64, err error) {
	parts, err := reply.List()
	if err != nil || len(parts) != 3 {
		return at, 0, orMalformed(err)
	}
	if at, err = positionOf(parts[0], parts[1]); err != nil {
		return at, 0, err
	}
	held, err = parts[2].Int()
	return at, held, err
}
