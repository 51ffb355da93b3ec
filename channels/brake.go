package channels

import (
	"math/rand/v2"
	"sync"
	"time"

	"reverb/transport"
)

const (
	// brakeTick is how often the channels whose publishers are faster than all their subscribers are looked at again.
	brakeTick = 5 * time.Millisecond

	// paceSample is how many subscribers of a channel are asked.
	paceSample = 128

	// keepingUp is the part of a channel's subscribers, one in keepingUp, for whom its passes go on whatever becomes of the others.
	keepingUp = 8

	// heldBytes bounds the frames that wait in all channels, in bytes. Over it nothing is held: outboxes have a bound of their own.
	heldBytes = 64 << 20
)

// brake holds the channels that were published to faster than their subscribers read, until one of these has caught up, and those of which a
// subscriber that reads well would else be cut for what a moment has brought. Their frames wait in the channel's queue meanwhile, where
// publishers wait for room, and not in outboxes, where the bound of an outbox would cut a client that reads as fast as it can. Subscribers
// that do not read are not waited for. The zero value is ready.
type brake struct {
	mu      sync.Mutex // taken with a channel's lock held; nothing is called under it
	queues  []*queue   // guarded by mu; busy, and in no line
	stopped bool       // guarded by mu

	wake    chan struct{} // that queues has a first one; capacity 1
	stop    chan struct{}
	running sync.WaitGroup
}

// settleLocked ends a walk over the subscribers of c: frames that wait are delivered next, unless everybody is behind. The caller holds c.mu.
func (h *Hub) settleLocked(c *Channel) {
	switch {
	case h.outrunLocked(c) && h.pending.Load() <= heldBytes:
		if c.queue == nil {
			c.queue = &queue{channel: c}
		}
		h.hold(c.queue)
	case c.queue != nil && len(c.queue.items) > 0:
		h.pool.push(c.queue)
	default:
		c.idleLocked()
	}
}

// outrunLocked reports whether next to none of the subscribers that read keep up, or one is pressed. The caller holds c.mu.
func (h *Hub) outrunLocked(c *Channel) bool {
	if h.pace == nil {
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
		switch h.pace(c.subs.at((first + i*n/asked) % n).subscriber) {
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
func (h *Hub) hold(q *queue) {
	b := &h.brake
	b.mu.Lock()
	stopped := b.stopped
	if !stopped {
		b.queues = append(b.queues, q)
	}
	b.mu.Unlock()
	if stopped {
		h.pool.push(q)
		return
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// startBrake is called once, when there is a pace to ask for.
func (h *Hub) startBrake() {
	b := &h.brake
	b.wake, b.stop = make(chan struct{}, 1), make(chan struct{})
	b.running.Go(func() {
		for {
			select {
			case <-b.wake:
			case <-b.stop:
				return
			}
			h.watchHeld()
		}
	})
}

// watchHeld lets channels go on until none is held.
func (h *Hub) watchHeld() {
	tick := time.NewTicker(brakeTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-h.brake.stop:
			return
		}
		if h.letGo(false) == 0 {
			return
		}
	}
}

// letGo gives the channels whose subscribers have caught up, or all, back to the workers, and returns how many are left.
func (h *Hub) letGo(all bool) int {
	b := &h.brake
	b.mu.Lock()
	held := b.queues
	b.queues = nil
	b.mu.Unlock()
	var still []*queue
	for _, q := range held {
		c := q.channel
		c.mu.Lock()
		hold := !all && h.outrunLocked(c) && h.pending.Load() <= heldBytes
		c.mu.Unlock()
		if hold {
			still = append(still, q)
		} else {
			h.pool.push(q)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queues = append(b.queues, still...)
	return len(b.queues)
}

// endBrake lets everything go, for good.
func (h *Hub) endBrake() {
	b := &h.brake
	b.mu.Lock()
	ended := b.stopped
	b.stopped = true
	b.mu.Unlock()
	if b.stop != nil && !ended {
		close(b.stop)
		b.running.Wait()
	}
	h.letGo(true)
}
