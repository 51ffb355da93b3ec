package bus

import "time"

// keep tells the hooks how the bus stands, and drops what waits too long.
func (b *Bus) keep() {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	seconds := 0
	for {
		for b.tell() {
			continue
		}
		select {
		case <-b.events:
		case <-second.C:
			b.expire()
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
	if b.allReadyLocked() && !b.announced && !b.closed {
		b.announced, b.up, b.told = true, true, b.losses
		b.since, b.err, b.lapsed = time.Now(), nil, nil
		b.mu.Unlock()
		b.options.Log.Info("redis is up")
		b.hooks.Up()
		b.mu.Lock()
		b.openLocked()
		b.mu.Unlock()
		return true
	}
	if len(fresh) > 0 {
		b.openLocked()
		b.mu.Unlock()
		return true
	}
	if len(b.lapsed) > 0 && b.announced {
		return b.tellLapsedLocked()
	}
	b.mu.Unlock()
	return false
}

// tellLapsedLocked tells which subscriptions were interrupted; it unlocks.
func (b *Bus) tellLapsedLocked() bool {
	names := b.lapsed
	b.lapsed = nil
	b.mu.Unlock()
	if b.hooks.Lapsed != nil {
		b.hooks.Lapsed(names)
	} else {
		b.hooks.Down(errLapsed)
		b.hooks.Up()
	}
	return true
}

// readyLocked makes ready the shards whose subscriptions are confirmed: commands are taken from now on.
func (b *Bus) readyLocked() (fresh []*shard) {
	for _, s := range b.shards {
		if s.confirmed && !s.ready {
			s.ready = true
			fresh = append(fresh, s)
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

// lostLocked notes that a shard was lost, or could not be reached.
func (b *Bus) lostLocked(s *shard, err error, wasReady bool) {
	if s.gone || b.closed { // the scout tells when there is a new master to be waited for
		return
	}
	b.err = err
	if wasReady && b.up {
		b.up, b.since = false, time.Now()
		b.losses++
	}
	if wasReady {
		b.options.Log.Warn("redis is lost", "addr", s.addr, "error", err)
	} else {
		b.drops.note("subscribe "+s.addr, err)
	}
}

// failed notes that a shard could not be reached.
func (b *Bus) failed(s *shard, err error) {
	b.mu.Lock()
	s.troubled = true
	b.err = err
	b.mu.Unlock()
	if b.ctx.Err() == nil {
		b.drops.note("connect "+s.addr, err)
	}
	b.refresh("")
}

// expire drops the publications that wait too long.
func (b *Bus) expire() {
	oldest := time.Now().Add(-b.options.BufferAge)
	dropped := 0
	b.mu.Lock()
	for _, s := range append(b.shardsLocked(), b.limbo) {
		s.held = b.expireLocked(s.held, oldest, &dropped)
		s.queue = b.expireLocked(s.queue, oldest, &dropped)
	}
	b.mu.Unlock()
	b.drops.add(DroppedAge, dropped, nil)
}

// expireLocked are the items without the publications that are older, in place.
func (b *Bus) expireLocked(items []item, oldest time.Time, dropped *int) []item {
	kept := items[:0]
	for i := range items {
		if items[i].op == nil && items[i].since.Before(oldest) {
			b.leaveLocked(&items[i])
			*dropped++
			continue
		}
		kept = append(kept, items[i])
	}
	clear(items[len(kept):])
	return kept
}
