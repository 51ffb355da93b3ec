package bus

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"reverb/internal/fifo"
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
	if !b.up.Load() {
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
	before, now, fresh, uncovered := b.place(masters)
	b.mu.Lock()
	for b.busyLocked() {
		b.idle.Wait()
	}
	waiting := b.takeLocked(gone)
	b.placing = true
	for _, s := range fresh {
		b.shards[s.addr] = s
	}
	b.routes.Store(now)
	b.uncovered = uncovered
	b.mu.Unlock()

	placed := b.sort(waiting, now)
	refused := b.deal(placed, now, fresh)
	b.moveSubs(before, now)
	poke(b.events)
	for _, op := range refused {
		op.answer(Reply{err: ErrDown})
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

// place makes shards of new masters, and the routes.
func (b *Bus) place(masters []master) (before, now *routes, fresh []*shard, uncovered bool) {
	before, now = b.routes.Load(), &routes{only: b.limbo}
	known := before.table != nil || before.only != b.limbo
	if b.options.Cluster {
		now.table = slices.Repeat([]*shard{b.limbo}, slotCount)
	}
	covered := 0
	for _, m := range masters {
		s := b.shards[m.addr] // only the scout changes it
		if s == nil {
			s = newShard(m.addr)
			s.troubled = known
			fresh = append(fresh, s)
		}
		s.slots = m.slots
		now.only = s
		for _, r := range m.slots {
			for slot := int(r[0]); slot <= int(r[1]) && slot < len(now.table); slot++ {
				now.table[slot] = s
				covered++
			}
		}
	}
	return before, now, fresh, b.options.Cluster && covered < slotCount
}

// takeLocked takes what waits out of all shards.
func (b *Bus) takeLocked(gone []*shard) (all fifo.Queue[item]) {
	for _, s := range append(append(b.shardsLocked(), b.limbo), gone...) {
		all.Append(&s.queue)
		all.Append(&s.held)
	}
	return all
}

// sort are the items by their shards, in the order of the tickets.
func (b *Bus) sort(waiting fifo.Queue[item], r *routes) map[*shard]*fifo.Queue[item] {
	all := make([]item, 0, waiting.Len())
	for waiting.Len() > 0 {
		all = append(all, waiting.Pop())
	}
	slices.SortFunc(all, func(x, y item) int { return cmp.Compare(x.ticket, y.ticket) })
	placed := make(map[*shard]*fifo.Queue[item])
	for i := range all {
		s := r.of(all[i].slot)
		if placed[s] == nil {
			placed[s] = new(fifo.Queue[item])
		}
		placed[s].Push(all[i])
	}
	return placed
}

// dealtAtOnce is how much of what has come meanwhile is dealt while the lock is held.
const dealtAtOnce = 256

// deal gives the items to their shards, ends the move and starts the new shards. It returns the operations whose shard is not ready.
// Nothing but a lane opens a shard, and the keeper makes it ready: neither does while this goes on, nor does a lost link end it.
func (b *Bus) deal(placed map[*shard]*fifo.Queue[item], r *routes, fresh []*shard) (refused []*operation) {
	for {
		for s, items := range placed {
			refused = append(refused, b.fill(s, items)...)
		}
		b.mu.Lock()
		if b.arrivals.Len() <= dealtAtOnce {
			break
		}
		arrived := b.arrivals.TakeAll()
		b.mu.Unlock()
		placed = b.sort(arrived, r)
	}
	defer b.mu.Unlock()
	for b.arrivals.Len() > 0 {
		it := b.arrivals.Pop()
		if !r.of(it.slot).pushLocked(it) {
			refused = append(refused, it.op)
		}
	}
	if len(fresh) > 0 && b.up.Load() {
		b.up.Store(false)
		b.since, b.err = time.Now(), errNewMaster
		b.losses++
	}
	b.moving, b.placing = false, false
	b.idle.Broadcast()
	b.restartLocked()
	for _, s := range fresh {
		b.startLocked(s)
	}
	return refused
}

// fill puts items behind those that the shard has, and returns the operations that it does not take.
func (b *Bus) fill(s *shard, items *fifo.Queue[item]) (refused []*operation) {
	b.mu.Lock()
	open, ready := s.open, s.ready
	b.mu.Unlock()
	var queue, held fifo.Queue[item]
	for items.Len() > 0 {
		switch it := items.Pop(); {
		case it.op == nil && !open:
			held.Push(it)
		case it.op != nil && !ready:
			refused = append(refused, it.op)
		default:
			queue.Push(it)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.queue.Append(&queue)
	s.held.Append(&held)
	return refused
}
