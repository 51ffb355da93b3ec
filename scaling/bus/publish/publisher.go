package publish

import (
	"slices"
	"sync"
	"time"

	"reverb/internal/fifo"
	"reverb/scaling/redis"
)

// Publisher has what waits for Redis, in a pipeline for each master. All methods may be called from any goroutine.
//
// Publish is called on event loops, so mu is held for a few steps only, however much waits: items move by pointers, or some at a time.
type Publisher struct {
	// Constant after construction.
	options  Options
	drops    *drops
	unserved *Pipeline // has what waits while it is not known which master it is for
	refusals refusals

	// Owned by the caller of Tick.
	seconds int
	logged  refusalLog

	mu   sync.Mutex
	idle *sync.Cond // on mu: a pipeline is not busy any more, while moving
	// Guarded by mu.
	routes    *redis.Routes[*Pipeline] // changed by Move only
	pipelines []*Pipeline              // of the masters
	moving    bool                     // what waits is about to be taken out of the pipelines: none may send another batch
	dealing   bool                     // what was taken out, and has come since, is being given to the pipelines of other masters:
	undealt   fifo.Queue[item]         // it is here
	waiting   int                      // publications, and their bytes
	bytes     int64
	closed    bool
}

// New makes a publisher that knows no master yet.
func New(o Options) *Publisher {
	p := &Publisher{options: o, drops: newDrops(o.Log, o.Dropped)}
	p.idle = sync.NewCond(&p.mu)
	p.unserved = p.NewPipeline()
	p.routes = redis.NewRoutes(nil, o.Cluster, p.unserved, nil)
	return p
}

// Publish sends m after all that was published or commanded before it. When Redis is down it waits, in order, bounded by bytes and age. The
// error is ErrFull or redis.ErrClosed.
func (p *Publisher) Publish(m Message) error {
	size := int64(itemBytes + len(m.Name) + len(m.Payload))
	if m.Keep != nil {
		size += int64(m.Keep.size())
	}
	it := item{message: m, size: size, since: time.Now()}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return redis.ErrClosed
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

// Count publishes and tells how many subscribers Redis, or the master of this name, had for it.
func (p *Publisher) Count(name string, payload []byte, done func(count int, err error)) {
	op := &operation{count: done}
	p.operate(item{message: Message{Name: name, Payload: payload}, op: op, size: int64(len(name) + len(payload))}, name)
}

// Do executes c after all that was published or commanded before it.
func (p *Publisher) Do(c Command, done func(Reply)) {
	size, name := int64(0), ""
	for _, s := range c.Keys {
		size, name = size+int64(len(s)), s
	}
	for _, s := range c.Args {
		size += int64(len(s))
	}
	p.operate(item{op: &operation{command: c, done: done}, size: size}, name)
}

// operate queues an item with an operation, or answers it.
func (p *Publisher) operate(it item, name string) {
	it.since = time.Now()
	p.mu.Lock()
	err := redis.ErrClosed
	if !p.closed {
		if p.acceptLocked(it, name) {
			err = nil
		} else {
			err = redis.ErrDown
		}
	}
	p.mu.Unlock()
	if err != nil {
		it.op.answer(Reply{err: err})
	}
}

// acceptLocked queues an item. It says no to an operation whose master is down.
func (p *Publisher) acceptLocked(it item, name string) bool {
	if p.options.Cluster {
		it.slot = redis.SlotOf(name)
	}
	if p.dealing {
		p.undealt.Push(it)
		return true
	}
	s := p.routes.Of(it.slot)
	if name == "" { // any master will do
		if i := slices.IndexFunc(p.pipelines, func(s *Pipeline) bool { return s.ready }); i >= 0 {
			s = p.pipelines[i]
		}
	}
	return s.pushLocked(it)
}

// Move makes the pipelines those of other masters, by their addresses, and gives them what waits. What is published on one name is in one
// pipeline: it moves between two batches, and stays in order. The pipelines of masters that are gone do not run any more.
func (p *Publisher) Move(masters []redis.Master, of func(addr string) *Pipeline) {
	now := redis.NewRoutes(masters, p.options.Cluster, p.unserved, of)
	pipelines := make([]*Pipeline, len(masters))
	for i, m := range masters {
		pipelines[i] = of(m.Addr)
	}
	p.mu.Lock()
	p.moving = true
	for slices.ContainsFunc(p.pipelines, func(s *Pipeline) bool { return s.busy }) {
		p.idle.Wait()
	}
	for _, s := range p.allLocked() {
		p.undealt.Append(&s.queue)
		p.undealt.Append(&s.held)
	}
	p.routes, p.pipelines, p.moving, p.dealing = now, pipelines, false, true
	p.mu.Unlock()
	p.deal()
	p.Retry()
}

// atOnce is how many items are looked at before the lock is given back.
const atOnce = 256

// deal gives what was taken out to the pipelines, and what comes meanwhile behind it. The lock is held for steps that do not take longer when
// more waits: one that is taken again at once would leave its other users waiting.
func (p *Publisher) deal() {
	var refused fifo.Queue[item]
	for {
		p.mu.Lock()
		if p.undealt.Len() <= atOnce {
			break
		}
		some := p.undealt.TakeAll()
		p.mu.Unlock()
		dealt := make(map[*Pipeline]*fifo.Queue[item])
		for some.Len() > 0 {
			it := some.Pop()
			s := p.routes.Of(it.slot)
			if dealt[s] == nil {
				dealt[s] = new(fifo.Queue[item])
			}
			dealt[s].Push(it)
		}
		for s, items := range dealt {
			s.take(items, &refused)
		}
	}
	for p.undealt.Len() > 0 {
		if it := p.undealt.Pop(); !p.routes.Of(it.slot).pushLocked(it) {
			refused.Push(it)
		}
	}
	p.dealing = false
	p.mu.Unlock()
	answer(refused, redis.ErrDown)
}

// allLocked are the pipelines of the masters, and unserved.
func (p *Publisher) allLocked() []*Pipeline { return append(slices.Clone(p.pipelines), p.unserved) }

// Retry lets the pipelines look again at what they have.
func (p *Publisher) Retry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.pipelines {
		s.stalled = time.Time{}
		poke(s.wake)
	}
}

// leaveLocked takes publications off the accounts.
func (p *Publisher) leaveLocked(n int, bytes int64) {
	p.waiting -= n
	p.bytes -= bytes
}

// Backlog is what is not yet confirmed by Redis.
func (p *Publisher) Backlog() (publications int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting, p.bytes
}

// Refusal is what Redis refuses, nil when it refuses nothing.
func (p *Publisher) Refusal() *Refusal { return p.refusals.now() }

// Tick is called each second, by one goroutine: it drops what waits too long, and logs what goes wrong.
func (p *Publisher) Tick() {
	p.expire()
	p.logged.update(p.refusals.now(), p.options.Log)
	if p.seconds++; p.seconds%10 == 0 {
		p.drops.log.Flush()
	}
}

// expire drops the publications that wait too long.
func (p *Publisher) expire() {
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
func (p *Publisher) expireLocked(items *fifo.Queue[item], oldest time.Time) (dropped int) {
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

// Close takes nothing more from now on, and says whether that is news.
func (p *Publisher) Close() bool {
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

// Flush waits until every pipeline whose master is up has nothing left, at most for d.
func (p *Publisher) Flush(d time.Duration) {
	enough := time.Now().Add(d)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !p.flushed() && time.Now().Before(enough) {
		<-tick.C
	}
}

func (p *Publisher) flushed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !slices.ContainsFunc(p.pipelines, func(s *Pipeline) bool {
		return s.ready && (s.busy || s.queue.Len() > 0 || s.held.Len() > 0)
	})
}

// Discard drops what still waits. No pipeline runs any more.
func (p *Publisher) Discard() {
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
	answer(operations, redis.ErrClosed)
	p.drops.add(DroppedClosed, left, nil)
	p.drops.log.Flush()
}
