package bus

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// scoutGap is how long the scout waits at least between two looks, scoutEvery at most, behind Sentinel and with a cluster: there what
	// moves is also told by redirections.
	scoutGap          = 100 * time.Millisecond
	sentinelEvery     = time.Second
	clusterEvery      = 10 * time.Second
	clusterEveryRough = time.Second // while a master cannot be reached
)

var errNewMaster = errors.New("connecting to a new master")

// master is one server of a topology and its slots, as first and last of ranges. Without a cluster it has none, and everything.
type master struct {
	addr  string
	slots [][2]uint16
}

// scout finds the masters and follows them.
func (b *Bus) scout() {
	if b.options.Sentinel.Master == "" && !b.options.Cluster {
		b.apply([]master{{addr: b.options.Addrs[0]}})
		return
	}
	discover, every := b.discoverCluster, clusterEvery
	if b.options.Sentinel.Master != "" {
		w := newWatch(b.options)
		defer w.close()
		discover, every = func(string) ([]master, error) { return w.ask(b.ctx) }, sentinelEvery
	}
	hint := ""
	for {
		masters, err := discover(hint)
		wait := every
		switch {
		case err != nil:
			b.unfound(err)
			wait = min(every, clusterEveryRough)
		default:
			b.apply(masters)
			if !b.Up() {
				wait = min(every, clusterEveryRough)
			}
		}
		if !pause(b.ctx, scoutGap) {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case hint = <-b.hints:
		case <-timer.C:
			hint = ""
		case <-b.ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// unfound notes that nobody knows the masters.
func (b *Bus) unfound(err error) {
	if b.ctx.Err() != nil {
		return
	}
	b.drops.note("discover", err)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.up {
		b.err = err
	}
}

// refresh has the scout look, at this server first when it is not empty.
func (b *Bus) refresh(hint string) {
	select {
	case b.hints <- hint:
		return
	default:
	}
	if hint == "" {
		return
	}
	select { // a look without a hint was wanted: make it one with
	case <-b.hints:
	default:
	}
	select {
	case b.hints <- hint:
	default:
	}
}

// apply makes the masters those of the bus. What waits moves to its new master between two batches, so that the order of every name is kept.
func (b *Bus) apply(masters []master) {
	b.mu.Lock()
	if b.sameLocked(masters) {
		b.restartLocked()
		b.mu.Unlock()
		return
	}
	b.moving = true
	gone := b.banishLocked(masters)
	b.mu.Unlock()
	for _, s := range gone {
		s.cancel()
		<-s.ended
	}
	b.mu.Lock()
	for b.busyLocked() {
		b.idle.Wait()
	}
	old := append(append(b.shardsLocked(), b.limbo), gone...)
	fresh := b.placeLocked(masters)
	refused := b.moveItemsLocked(old)
	waiters := b.moveSubsLocked()
	if len(fresh) > 0 && b.up {
		b.up, b.since, b.err = false, time.Now(), errNewMaster
		b.losses++
	}
	b.moving = false
	b.restartLocked()
	for _, s := range fresh {
		b.startLocked(s)
	}
	b.mu.Unlock()
	poke(b.events)
	for _, op := range refused {
		op.answer(Reply{err: ErrDown})
	}
	for _, done := range waiters {
		done(ErrDown)
	}
}

// startLocked starts the goroutine of a shard.
func (b *Bus) startLocked(s *shard) {
	ctx, cancel := context.WithCancel(b.ctx)
	s.cancel, s.ended = cancel, make(chan struct{})
	b.runners.Go(func() {
		defer close(s.ended)
		b.run(ctx, s)
	})
}

// restartLocked lets the lanes look again at what they have.
func (b *Bus) restartLocked() {
	for _, s := range b.shards {
		s.stalled = time.Time{}
		poke(s.wake)
	}
}

func (b *Bus) busyLocked() bool {
	for _, s := range b.shards {
		if s.busy {
			return true
		}
	}
	return false
}

// sameLocked says whether the masters are those of the bus, with the same slots.
func (b *Bus) sameLocked(masters []master) bool {
	if len(masters) != len(b.shards) {
		return false
	}
	for _, m := range masters {
		s := b.shards[m.addr]
		if s == nil || !slices.Equal(s.slots, m.slots) {
			return false
		}
	}
	return true
}

// banishLocked takes out the shards that are masters no more.
func (b *Bus) banishLocked(masters []master) (gone []*shard) {
	for addr, s := range b.shards {
		if !slices.ContainsFunc(masters, func(m master) bool { return m.addr == addr }) {
			s.gone = true
			gone = append(gone, s)
			delete(b.shards, addr)
		}
	}
	return gone
}

// placeLocked makes shards of new masters, and the table.
func (b *Bus) placeLocked(masters []master) (fresh []*shard) {
	known := b.table != nil || b.only != b.limbo
	covered := 0
	var table []*shard
	if b.options.Cluster {
		table = slices.Repeat([]*shard{b.limbo}, slotCount)
	}
	for _, m := range masters {
		s := b.shards[m.addr]
		if s == nil {
			s = newShard(m.addr)
			s.troubled = known
			b.shards[m.addr] = s
			fresh = append(fresh, s)
		}
		s.slots = m.slots
		b.only = s
		for _, r := range m.slots {
			for slot := int(r[0]); slot <= int(r[1]) && slot < len(table); slot++ {
				table[slot] = s
				covered++
			}
		}
	}
	b.table = table
	b.uncovered = b.options.Cluster && covered < slotCount
	return fresh
}

// moveItemsLocked gives every item to the shard of its slot, in the order of the tickets. The operations whose shard is not ready are
// returned.
func (b *Bus) moveItemsLocked(old []*shard) (refused []*operation) {
	var moved []item
	for _, s := range old {
		s.queue = b.pickLocked(s, s.queue, &moved)
		s.held = b.pickLocked(s, s.held, &moved)
	}
	slices.SortFunc(moved, func(x, y item) int { return int(x.ticket) - int(y.ticket) })
	for _, it := range moved {
		s := b.only
		if b.table != nil {
			s = b.table[it.slot]
		}
		switch {
		case it.op == nil && !s.open:
			s.held = append(s.held, it)
		case it.op != nil && !s.ready:
			refused = append(refused, it.op)
		default:
			s.queue = append(s.queue, it)
		}
	}
	return refused
}

// pickLocked are the items that stay with s; the others are added to moved.
func (b *Bus) pickLocked(s *shard, items []item, moved *[]item) []item {
	if b.table == nil && s == b.only {
		return items
	}
	stay := items[:0]
	for _, it := range items {
		if b.table != nil && b.table[it.slot] == s {
			stay = append(stay, it)
		} else {
			*moved = append(*moved, it)
		}
	}
	clear(items[len(stay):])
	return stay
}

// moveSubsLocked gives every subscription whose shard is another one now to that one's subscriber. It returns the waiters for which there is
// none.
func (b *Bus) moveSubsLocked() (waiters []func(error)) {
	for _, c := range b.subs {
		s := b.shardOfLocked(c)
		if c.shard == s {
			continue
		}
		c.lapsed = c.lapsed || c.on != nil
		c.shard, c.on, c.dirty = s, nil, false
		b.soilLocked(s, c)
		if !s.ready {
			waiters = append(waiters, c.waiters...)
			c.waiters = nil
		}
	}
	return waiters
}
