package channels

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"reverb/transport"
)

const (
	// brakeTick is how often the channels whose publishers are faster than all their subscribers are looked at again.
	brakeTick = 5 * time.Millisecond

	// paceSample is how many subscribers of a channel are asked.
	paceSample = 128

	// keepingUp is the part of a channel's subscribers, one in keepingUp, that keep its passes going however slow the
	// others are.
	keepingUp = 8

	// heldBytes bounds the frames that wait in all channels, in bytes. Over it nothing is held: outboxes have a bound
	// of their own.
	heldBytes = 64 << 20
)

// brake holds the channels that were published to faster than their subscribers read, until one of these has caught up,
// and those of which a subscriber that reads well would else be cut for the events of one moment. Their frames wait in
// the channel's queue meanwhile, where publishers wait for room, and not in outboxes, where the bound of an outbox
// would cut a client that reads as fast as it can. Subscribers that do not read are not waited for.
type brake struct {
	// Constant after construction.
	pace    func(Subscriber) transport.Pace // nil: all keep up
	pool    *pool                           // that has the channels that are not held
	pending *atomic.Int64                   // bytes that wait in all queues

	mu      sync.Mutex // taken with a channel's lock held; nothing is called under it
	queues  []*queue   // guarded by mu; busy, and in no line
	stopped bool       // guarded by mu

	wake    chan struct{} // that queues has a first one; capacity 1
	stop    chan struct{}
	running sync.WaitGroup
}

// outrunLocked reports whether the next pass of c is to be held: next to none of the subscribers that read keep up, or
// one is pressed, and not too much waits already. The caller holds c.mu.
func (b *brake) outrunLocked(c *Channel) bool {
	if b.pace == nil || b.pending.Load() > heldBytes {
		return false
	}
	n := c.subs.len()
	asked := min(n, paceSample)
	first := 0 // not the same ones each time
	if asked < n {
		first = rand.IntN(n)
	}
	keep, behind := 0, 0
	for i := range asked {
		switch b.pace(c.subs.at((first + i*n/asked) % n).subscriber) {
		case transport.KeepsUp:
			keep++
		case transport.Behind:
			behind++
		case transport.Pressed:
			return true
		case transport.Stalled:
		}
	}
	return behind > 0 && keep <= (keep+behind)/keepingUp
}

// hold keeps the busy channel of q from its next pass.
func (b *brake) hold(q *queue) {
	b.mu.Lock()
	stopped := b.stopped
	if !stopped {
		b.queues = append(b.queues, q)
	}
	b.mu.Unlock()
	if stopped {
		b.pool.push(q)
		return
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// start is called once, before everything else.
func (b *brake) start() {
	if b.pace == nil {
		return
	}
	b.wake, b.stop = make(chan struct{}, 1), make(chan struct{})
	b.running.Go(func() {
		for {
			select {
			case <-b.wake:
			case <-b.stop:
				return
			}
			b.watch()
		}
	})
}

// watch lets channels go on until none is held.
func (b *brake) watch() {
	tick := time.NewTicker(brakeTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-b.stop:
			return
		}
		if b.letGo(false) == 0 {
			return
		}
	}
}

// letGo gives the channels whose subscribers have caught up, or all, back to the workers, and returns how many are
// left.
func (b *brake) letGo(all bool) int {
	b.mu.Lock()
	held := b.queues
	b.queues = nil
	b.mu.Unlock()
	var still []*queue
	for _, q := range held {
		c := q.channel
		c.mu.Lock()
		hold := !all && b.outrunLocked(c)
		c.mu.Unlock()
		if hold {
			still = append(still, q)
		} else {
			b.pool.push(q)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queues = append(b.queues, still...)
	return len(b.queues)
}

// end lets everything go, for good.
func (b *brake) end() {
	b.mu.Lock()
	ended := b.stopped
	b.stopped = true
	b.mu.Unlock()
	if b.stop != nil && !ended {
		close(b.stop)
		b.running.Wait()
	}
	b.letGo(true)
}
