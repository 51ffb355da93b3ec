package bus

import (
	"time"

	"reverb/internal/fifo"
)

// keep tells the hooks how the bus stands, and drops what waits too long.
func (b *Bus) keep() {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	seconds := 0
	var logged refusalLog
	for {
		for b.tell() {
			continue
		}
		select {
		case <-b.events:
		case <-second.C:
			b.expire()
			b.logRefusal(&logged)
			if seconds++; seconds%10 == 0 {
				b.drops.flush()
			}
		case <-b.ctx.Done():
			return
		}
	}
}

// tell calls at most one hook, and says whether it did anything.
func (b *Bus) tell() bool {
	b.mu.Lock()
	if b.announced && b.losses != b.told {
		b.announced = false
		err := b.err
		b.mu.Unlock()
		b.hooks.Down(err)
		return true
	}
	fresh := b.readyLocked()
	if b.allReadyLocked() && !b.announced && !b.closed.Load() {
		b.announced, b.told = true, b.losses
		b.since, b.err = time.Now(), nil
		b.up.Store(true)
		b.mu.Unlock()
		b.lapses.take() // Up says more
		b.options.Log.Info("redis is up")
		b.hooks.Up()
		b.mu.Lock()
		b.openLocked()
		b.mu.Unlock()
		return true
	}
	if fresh {
		b.openLocked()
	}
	announced := b.announced
	b.mu.Unlock()
	return fresh || announced && b.tellLapsed()
}

// tellLapsed tells which subscriptions were interrupted, and whether there were any.
func (b *Bus) tellLapsed() bool {
	names := b.lapses.take()
	switch {
	case len(names) == 0:
		return false
	case b.hooks.Lapsed != nil:
		b.hooks.Lapsed(names)
	default:
		b.hooks.Down(errLapsed)
		b.hooks.Up()
	}
	return true
}

// readyLocked makes ready the shards whose subscriptions are confirmed: commands are taken from now on.
func (b *Bus) readyLocked() (fresh bool) {
	if b.placing {
		return false // the scout wakes the keeper afterwards
	}
	for _, s := range b.shards {
		if !s.ready && s.link != nil && s.changes.ready() {
			s.ready, fresh = true, true
			poke(s.wake)
		}
	}
	return fresh
}

// openLocked lets the shards that are ready send what waited, after an outage when the others have had time to come back.
func (b *Bus) openLocked() {
	for _, s := range b.shards {
		if s.ready && !s.opening {
			s.opening, s.openAt = true, time.Now()
			if s.troubled {
				s.openAt = s.openAt.Add(b.options.Settle)
			}
			poke(s.wake)
		}
	}
}

func (b *Bus) allReadyLocked() bool {
	for _, s := range b.shards {
		if !s.ready {
			return false
		}
	}
	return len(b.shards) > 0 && !b.uncovered
}

// lostLocked notes that a shard was lost, or could not be reached, and says whether anybody misses it.
func (b *Bus) lostLocked(s *shard, err error, wasReady bool) bool {
	if s.gone || b.closed.Load() { // the scout tells when there is a new master to be waited for
		return false
	}
	b.err = err
	if wasReady && b.up.Load() {
		b.up.Store(false)
		b.since = time.Now()
		b.losses++
	}
	return true
}

// failed notes that a shard could not be reached.
func (b *Bus) failed(s *shard, err error) {
	b.mu.Lock()
	s.troubled = true
	b.err = err
	b.mu.Unlock()
	if b.ctx.Err() == nil {
		b.drops.unreachable(s.addr, err)
	}
	b.refresh("")
}

// expiredAtOnce is how many publications are dropped before the lock is given back.
const expiredAtOnce = 256

// expire drops the publications that wait too long.
func (b *Bus) expire() {
	oldest := time.Now().Add(-b.options.BufferAge)
	b.mu.Lock()
	shards := append(b.shardsLocked(), b.limbo)
	b.mu.Unlock()
	dropped := 0
	for _, s := range shards {
		for {
			b.mu.Lock()
			n := b.expireLocked(&s.held, oldest) + b.expireLocked(&s.queue, oldest)
			b.mu.Unlock()
			dropped += n
			if n < expiredAtOnce {
				break
			}
		}
	}
	b.drops.add(DroppedAge, dropped, nil)
}

// expireLocked drops some of the publications in front that are older, and says how many. Those behind an operation wait for that one,
// which a lane does not leave for long.
func (b *Bus) expireLocked(items *fifo.Queue[item], oldest time.Time) (dropped int) {
	for ; dropped < expiredAtOnce; dropped++ {
		it := items.Front()
		if it == nil || it.op != nil || !it.since.Before(oldest) {
			break
		}
		b.leaveLocked(it)
		items.Pop()
	}
	return dropped
}
