package bus

import (
	"context"
	"slices"
	"sync"
	"time"

	"reverb/internal/fifo"
	"reverb/scaling/redis"
)

// publisher has what waits for Redis, in a pipeline for each master. All methods may be called from any goroutine.
//
// Publish is called on event loops, so mu is held for a few steps only, however much waits: items move by pointers, or some at a time.
type publisher struct {
	// Constant after construction.
	options  Options
	scout    *scout
	drops    *drops
	unserved *pipeline // has what waits while it is not known which master it is for
	refusals refusals

	mu   sync.Mutex
	idle *sync.Cond // on mu: a pipeline is not busy any more, while moving
	// Guarded by mu.
	routes    *routes[*pipeline]
	pipelines []*pipeline      // of the masters
	moving    bool             // what waits is about to be taken out of the pipelines: none may send another batch
	undealt   fifo.Queue[item] // what was taken out, and came since: to be given to the pipelines of other masters
	waiting   int              // publications, and their bytes
	bytes     int64
	closed    bool
}

func newPublisher(o Options, s *scout, d *drops) *publisher {
	p := &publisher{options: o, scout: s, drops: d}
	p.idle = sync.NewCond(&p.mu)
	p.unserved = newPipeline(p)
	p.routes = &routes[*pipeline]{only: p.unserved}
	return p
}

func (p *publisher) publish(m Message) error {
	size := int64(itemBytes + len(m.Name) + len(m.Payload))
	if m.Keep != nil {
		size += int64(m.Keep.size())
	}
	it := item{message: m, size: size, since: time.Now()}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return ErrClosed
	}
	limit := p.options.BufferBytes
	if m.Yields {
		limit = p.options.YieldBytes
	}
	if p.bytes+size > limit {
		p.mu.Unlock()
		p.drops.add(DroppedFull, 1, nil)
		return ErrFull
	}
	p.waiting++
	p.bytes += size
	p.acceptLocked(it, m.Name)
	p.mu.Unlock()
	return nil
}

// operate queues an item with an operation, or answers it.
func (p *publisher) operate(it item, name string) {
	it.since = time.Now()
	p.mu.Lock()
	err := ErrClosed
	if !p.closed {
		if p.acceptLocked(it, name) {
			err = nil
		} else {
			err = ErrDown
		}
	}
	p.mu.Unlock()
	if err != nil {
		it.op.answer(Reply{err: err})
	}
}

// acceptLocked queues an item. It says no to an operation whose master is down.
func (p *publisher) acceptLocked(it item, name string) bool {
	it.anywhere = name == ""
	if p.options.Cluster {
		it.slot = redis.SlotOf(name)
	}
	if p.undealt.Len() > 0 {
		p.undealt.Push(it)
		return true
	}
	return p.dealLocked(it)
}

// dealLocked gives an item to the pipeline of its master.
func (p *publisher) dealLocked(it item) bool {
	s := p.routes.of(it.slot)
	if it.anywhere && p.routes.table != nil {
		if i := slices.IndexFunc(p.pipelines, func(s *pipeline) bool { return s.ready }); i >= 0 {
			s = p.pipelines[i]
		}
	}
	return s.pushLocked(it)
}

// move makes the pipelines those of other masters, and gives them what waits. What is published on one name is in one pipeline: it moves
// between two batches, and stays in order.
func (p *publisher) move(now *routes[*pipeline], pipelines []*pipeline) {
	p.mu.Lock()
	p.moving = true
	for slices.ContainsFunc(p.pipelines, func(s *pipeline) bool { return s.busy }) {
		p.idle.Wait()
	}
	for _, s := range p.allLocked() {
		p.undealt.Append(&s.queue)
		p.undealt.Append(&s.held)
	}
	p.routes, p.pipelines, p.moving = now, pipelines, false
	p.mu.Unlock()
	for p.dealSome() {
		continue
	}
	p.retry()
}

// atOnce is how many items are looked at before the lock is given back.
const atOnce = 256

// dealSome gives some of what was taken out to the pipelines, answers the operations that are refused, and says whether there is more.
func (p *publisher) dealSome() (more bool) {
	var refused []*operation
	p.mu.Lock()
	for n := 0; n < atOnce && p.undealt.Len() > 0; n++ {
		if it := p.undealt.Pop(); !p.dealLocked(it) {
			refused = append(refused, it.op)
		}
	}
	more = p.undealt.Len() > 0
	p.mu.Unlock()
	for _, op := range refused {
		op.answer(Reply{err: ErrDown})
	}
	return more
}

// allLocked are the pipelines of the masters, and unserved.
func (p *publisher) allLocked() []*pipeline { return append(slices.Clone(p.pipelines), p.unserved) }

// retry lets the pipelines look again at what they have.
func (p *publisher) retry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.pipelines {
		s.stalled = time.Time{}
		poke(s.wake)
	}
}

// leaveLocked takes publications off the accounts.
func (p *publisher) leaveLocked(n int, bytes int64) {
	p.waiting -= n
	p.bytes -= bytes
}

// backlog is what is not yet confirmed by Redis.
func (p *publisher) backlog() (publications int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting, p.bytes
}

// expire drops the publications that wait too long.
func (p *publisher) expire() {
	oldest := time.Now().Add(-p.options.BufferAge)
	p.mu.Lock()
	all := p.allLocked()
	p.mu.Unlock()
	dropped := 0
	for _, s := range all {
		for more := true; more; {
			p.mu.Lock()
			n := p.expireLocked(&s.held, oldest) + p.expireLocked(&s.queue, oldest)
			p.mu.Unlock()
			dropped += n
			more = n >= atOnce
		}
	}
	p.drops.add(DroppedAge, dropped, nil)
}

// expireLocked drops some of the publications in front that are older, and says how many. Those behind an operation wait for that one,
// which a pipeline does not leave for long.
func (p *publisher) expireLocked(items *fifo.Queue[item], oldest time.Time) (dropped int) {
	for ; dropped < atOnce; dropped++ {
		it := items.Front()
		if it == nil || it.op != nil || !it.since.Before(oldest) {
			break
		}
		p.leaveLocked(1, it.size)
		items.Pop()
	}
	return dropped
}

// close takes nothing more from now on, and says whether that is news.
func (p *publisher) close() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.closed = true
	for _, s := range p.pipelines {
		poke(s.wake) // what settles is sent now
	}
	return true
}

// flush waits until every pipeline whose master is up has nothing left, at most for d.
func (p *publisher) flush(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	for !p.flushed() && pause(ctx, 5*time.Millisecond) {
		continue
	}
}

func (p *publisher) flushed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !slices.ContainsFunc(p.pipelines, func(s *pipeline) bool {
		return s.ready && (s.busy || s.queue.Len() > 0 || s.held.Len() > 0)
	})
}

// discard drops what still waits. No pipeline runs any more.
func (p *publisher) discard() {
	p.mu.Lock()
	var rest fifo.Queue[item]
	for _, s := range p.allLocked() {
		rest.Append(&s.queue)
		rest.Append(&s.held)
	}
	left := p.waiting
	p.leaveLocked(left, p.bytes)
	p.mu.Unlock()
	_, operations := split(&rest)
	for _, op := range operations {
		op.answer(Reply{err: ErrClosed})
	}
	p.drops.add(DroppedClosed, left, nil)
	p.drops.flush()
}
